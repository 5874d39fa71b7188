"""Whole programs: where their time goes, and what a better function is worth in them."""
