"""What works here, and how to mend the rest."""
