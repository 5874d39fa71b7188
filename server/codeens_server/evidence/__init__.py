"""What a candidate will be held to: tests, doctests, recorded calls, generated inputs."""
