"""Holds a backend, and the judge in front of it, to attempts to get out and to pass without being right."""
