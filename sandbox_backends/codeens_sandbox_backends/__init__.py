"""Ways to run code where it can do no harm."""
