"""An OpenAI-compatible model server on loopback, for tests."""
