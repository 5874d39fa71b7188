"""What agents and people can read, and ask for by name."""
