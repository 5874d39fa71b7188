"""Ways to ask for another implementation."""
