"""A benchmark whose programs are judged on the nodes of a Ray cluster."""
