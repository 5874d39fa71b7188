"""Attempts to get out of a sandbox, and the checks that they fail."""
