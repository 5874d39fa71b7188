"""The common set-ups of docs/models.md are settings that work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codeens_server.config.loading import load_settings
from codeens_server.generation.models.reach import missing
from codeens_server.generation.models.resolve import resolve_models

DOCS = Path(__file__).parents[3] / "docs" / "models.md"
_FENCED = re.compile(r"^```toml setup=(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SET_UPS = dict(_FENCED.findall(DOCS.read_text(encoding="utf-8")))
KEYS = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "gemini": "GEMINI_API_KEY",
    "azure": "AZURE_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "bedrock": "AWS_PROFILE",
}


def test_every_common_set_up_is_there() -> None:
    expected = {"openai", "anthropic", "gemini", "azure", "bedrock", "vertex", "openrouter", "proxy", "ollama"}
    assert SET_UPS.keys() >= expected | {"lmstudio", "vllm", "corporate", "odd"}


@pytest.mark.parametrize("name", SET_UPS)
def test_a_set_up_is_read_and_lacks_its_key_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / "codeens.toml").write_text(SET_UPS[name], encoding="utf-8")
    loaded = load_settings(flags={}, workspace=tmp_path / "elsewhere", environ={}, user_dir=tmp_path, trusted=False)

    models = resolve_models((), loaded.settings, {})

    assert models
    if name in KEYS:
        assert KEYS[name] in missing(models[0], {}) or "needs the package" in missing(models[0], {})
    if name in KEYS and name != "bedrock":
        assert missing(models[0], {KEYS[name]: "k"}) == ""
