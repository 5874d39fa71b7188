"""Runs beside foreign code, in containers and in sandboxes of services. Standard library only, Python 3.9 syntax."""
