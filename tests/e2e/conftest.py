"""LiteLLM waits between retries as its environment says when it is imported."""

from __future__ import annotations

import os

os.environ.setdefault("INITIAL_RETRY_DELAY", "0.01")
os.environ.setdefault("JITTER", "0")
