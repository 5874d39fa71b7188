"""Models: which are asked, and how."""
