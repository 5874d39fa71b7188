"""Counts tokens as models of OpenAI do, offline, without the seconds that it takes to import LiteLLM."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import tiktoken


def encoding() -> tiktoken.Encoding:
    """The encoding whose ranks LiteLLM brings in a file."""
    litellm = find_spec("litellm")
    assert litellm is not None
    assert litellm.origin is not None
    ranks = Path(litellm.origin).parent / "litellm_core_utils" / "tokenizers"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(ranks))
        return tiktoken.get_encoding("cl100k_base")
