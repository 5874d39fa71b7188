"""Workers in microVMs of E2B."""
