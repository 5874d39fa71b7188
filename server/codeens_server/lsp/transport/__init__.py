"""Messages in and out: framing, JSON-RPC, what the client can do and how it is configured."""
