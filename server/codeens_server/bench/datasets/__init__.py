"""Public data sets and tasks of one's own, one file for each form."""
