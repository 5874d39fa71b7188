"""Runs inside a sandbox and tries to get out. Standard library only, Python 3.9 or later; harmless where it works."""
