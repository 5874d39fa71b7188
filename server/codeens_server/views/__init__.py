"""What people are shown of a run, made once for every door."""
