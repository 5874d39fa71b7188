"""What the doors share that is of no use below them."""
