"""Runs, candidates, outcomes and artifacts on disk."""
