"""One grammar of values."""
