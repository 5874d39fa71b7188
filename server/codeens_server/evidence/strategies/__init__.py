"""Inputs made from types, examples and guesses."""
