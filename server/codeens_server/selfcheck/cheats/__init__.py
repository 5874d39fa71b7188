"""Wrong functions `f` that try to be taken for right ones. Source texts; nothing here is run outside of a sandbox."""
