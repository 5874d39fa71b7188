"""Teaches the selector from answers whose verdict is known, and chooses among answers that nobody has run."""
