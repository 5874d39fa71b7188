"""Pre-forked workers."""
