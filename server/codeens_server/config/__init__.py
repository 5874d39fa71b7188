"""Settings: the model, and where it is read from."""
