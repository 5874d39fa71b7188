"""One rewrite per file: when it applies and what it changes."""
