"""Players in microVMs of E2B."""
