"""The console scripts: what is above every door, and starts it."""
