"""Workers in containers of a local Docker daemon, or of anything that speaks its API."""
