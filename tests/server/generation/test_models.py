"""Which models are asked."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from codeens_server.config.loading import load_settings
from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.errors import InputError
from codeens_server.generation.models import resolve
from codeens_server.generation.models.exchange import ModelError
from codeens_server.generation.models.resolve import find_local_models, resolve_models
from codeens_server.redaction import redact
from tests.loopback.server import ModelServer

CONFIGURED = Settings(
    models=(
        ModelSettings(name="fast", model="openai/gpt-x", fallbacks=("local",)),
        ModelSettings(name="local", model="openai/qwen", api_base="http://127.0.0.1:9/v1"),
    )
)


def test_named_models_come_before_configured_ones() -> None:
    found = resolve_models(["local", "ollama_chat/qwen3", "local"], CONFIGURED, {"OPENAI_API_KEY": "k"})
    assert [(model.name, model.model) for model in found] == [
        ("local", "openai/qwen"),
        ("ollama_chat/qwen3", "ollama_chat/qwen3"),
    ]


def test_configured_models_come_before_keys_of_the_environment() -> None:
    found = resolve_models([], CONFIGURED, {"ANTHROPIC_API_KEY": "k"})
    assert [(model.name, model.api_key_env) for model in found] == [("fast", "OPENAI_API_KEY"), ("local", None)]


def test_keys_of_the_environment_bring_a_model_each() -> None:
    found = resolve_models([], Settings(), {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "", "GROQ_API_KEY": "k"})
    assert [model.api_key_env for model in found] == ["ANTHROPIC_API_KEY", "GROQ_API_KEY"]
    assert all(model.model.count("/") for model in found)
    assert resolve_models([], Settings(), {}) == ()


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'fsat'\. Did you mean 'fast'\?.*openai/fsat"):
        resolve_models(["fsat"], CONFIGURED, {})


@pytest.mark.parametrize("settings", [Settings(), Settings(models=(ModelSettings(name="m", model="opnai/gpt"),))])
def test_a_provider_that_litellm_does_not_know_is_refused_with_the_nearest(settings: Settings) -> None:
    with pytest.raises(InputError, match=r"no provider 'opnai'.*Did you mean openai/"):
        resolve_models([] if settings.models else ["opnai/gpt"], settings, {})


@pytest.mark.parametrize("base", ["127.0.0.1:9101/v1", "localhost", "http:///v1", "ftp://host/v1"])
def test_an_address_without_a_scheme_or_a_host_is_refused(base: str) -> None:
    settings = Settings(models=(ModelSettings(name="m", model="openai/x", api_base=base),))
    with pytest.raises(InputError, match="api_base of model 'm' is no address"):
        resolve_models([], settings, {})


def test_a_fallback_must_be_configured() -> None:
    settings = Settings(models=(ModelSettings(name="a", model="openai/x", fallbacks=("bb",)),))
    with pytest.raises(InputError, match="fallback of 'a'"):
        resolve_models([], settings, {})


@pytest.mark.anyio
async def test_where_no_server_listens_nothing_is_loaded_to_ask_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    assert await find_local_models({"dead": "http://127.0.0.1:9/v1"}) == ()


@pytest.mark.anyio
async def test_a_server_on_loopback_is_found_with_its_first_chat_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "SECONDS", 30.0)  # a busy machine is not what this is about
    async with ModelServer(answer=lambda _: "", models=["nomic-embed-text", "qwen3", "other"]) as server:
        found = await find_local_models({"dead": "http://127.0.0.1:9/v1", "ollama": server.url})
    assert [(model.name, model.model, model.api_base) for model in found] == [
        ("ollama/qwen3", "openai/qwen3", server.url)
    ]
    assert found[0].input_cost_per_token == 0.0


SECRET = 'aB3/xY+9 qZ\u00e9"7kLm'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps({"said": SECRET}),
        json.dumps({"said": SECRET}, ensure_ascii=False).replace("/", "\\/"),
        repr([SECRET]),
        f"https://host/?q={quote(SECRET)}",
        re.sub("%..", lambda code: code[0].lower(), quote(SECRET, safe="")),
        f"https://host/?q={quote_plus(SECRET)}",
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(f"user:{SECRET}".encode()).decode(),
        json.dumps(base64.b64encode(f"ab:{SECRET}:cd".encode()).decode()).replace("/", "\\/"),
        SECRET.encode().hex(),
        "aB3/xY****",
        "aB3/...7kLm",
    ],
)
def test_the_key_of_a_configured_model_is_taken_out_whatever_its_variable_is_called(
    tmp_path: Path, written: str
) -> None:
    (tmp_path / "codeens.toml").write_text(
        '[[models]]\nname = "m"\nmodel = "openai/x"\napi_key_env = "LOOP_AUTH"\n', encoding="utf-8"
    )
    environ = {"LOOP_AUTH": SECRET}
    load_settings(flags={}, workspace=None, environ=environ, user_dir=tmp_path, trusted=False)
    for text in (redact(f"it said {written}, no", environ), str(ModelError("m", f"it said {written}, no"))):
        assert "<LOOP_AUTH>" in text
        assert not any(part in text for part in ("xY", "7kLm", "9 qZ", "7k", *_base64_words(SECRET)))
    assert redact("nothing of it, dots... and stars **", environ) == "nothing of it, dots... and stars **"


def _base64_words(secret: str) -> list[str]:
    return [base64.b64encode(b"." * before + secret.encode()).decode()[4:12] for before in range(3)]


def test_keys_are_taken_out_of_texts() -> None:
    environ = {"OPENAI_API_KEY": "abc123def456", "MY_TOKEN": "hunter22", "HOME": "/home/me"}
    text = "key abc123def456 of /home/me, Bearer xyz, hunter22, sk-proj-99999999"
    assert redact(text, environ) == "key <OPENAI_API_KEY> of /home/me, Bearer <key>, <MY_TOKEN>, <key>"
    assert redact("api_base_url and key_of_target", environ) == "api_base_url and key_of_target"
