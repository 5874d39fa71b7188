"""A selector that runs nothing: how likely an answer is right, from its code, who wrote it, and who agrees with it."""
