"""Candidates made without a model."""
