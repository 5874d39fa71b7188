"""The function, its surroundings, and the edit that replaces it."""
