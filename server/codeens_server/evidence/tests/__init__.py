"""The user's own tests as evidence."""
