"""Orders candidates without claiming more than was measured."""
