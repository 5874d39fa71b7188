"""Compares what happened with what should have, outside the sandbox."""
