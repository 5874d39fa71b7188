"""Runtime, memory, readability, diff size."""
