"""Sandboxes on macOS, by the system's own sandbox-exec."""
