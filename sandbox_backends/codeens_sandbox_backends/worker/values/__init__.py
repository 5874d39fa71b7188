"""Values on the wire: the table of what has an encoding, and the way there and back."""
