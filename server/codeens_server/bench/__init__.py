"""Public data sets, scored the way their authors do."""
