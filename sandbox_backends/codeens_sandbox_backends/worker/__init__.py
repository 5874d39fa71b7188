"""Runs inside the sandbox, with nothing but the standard library (Python 3.9 or later)."""
