"""Drives workers from outside: the judge's side of the wire and its clock."""
