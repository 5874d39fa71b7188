"""Choosing one of several answers by tests that nobody vouches for: what runs, methods, how often they are right."""
