"""Small targets, models and a cache in memory for the tests of this folder."""

from __future__ import annotations

from msgspec.structs import replace

from codeens_server.config.settings import ModelSettings
from codeens_server.domain.target import Context, Target
from codeens_server.generation.generate import Ask
from codeens_server.generation.models.exchange import Message, Reply, Sampling
from codeens_variants.manifest import Variant

KEY = "sk-test-0123456789"
ENVIRON = {"LOOPBACK_API_KEY": KEY}
QUESTION = (Message(role="user", content="Write f."),)
SAMPLING = Sampling(temperature=0.5, max_tokens=100)
STUB = 'def double(n: int) -> int:\n    """Twice n."""\n    ...'
ANSWER = "```python\ndef double(n: int) -> int:\n    return n + n\n```\nAddition is enough."


def model(name: str, url: str | None, **more: object) -> ModelSettings:
    """A model of the loopback server; a token read costs 1 µ$, a token written 2 µ$."""
    settings = ModelSettings(
        name=name,
        model=f"openai/{name}",
        api_base=url,
        api_key_env="LOOPBACK_API_KEY",
        input_cost_per_token=1e-6,
        output_cost_per_token=2e-6,
        timeout_s=100.0,
    )
    return replace(settings, **more)


def target(source: str = STUB, qualname: str = "double") -> Target:
    return Target(
        path="/workspace/module.py",
        root="/workspace",
        import_root="/workspace",
        module="module",
        qualname=qualname,
        kind="function",
        line=1,
        end_line=3,
        source=source,
        body_missing=True,
        file_sha256="0" * 64,
    )


def variant(name: str = "baseline") -> Variant:
    return Variant(name=name, description="d", prompt="Write {qualname}.\n{context}\n{function}")


def ask(*models: ModelSettings, variants: tuple[Variant, ...] = (variant(),), samples: int = 1) -> Ask:
    return Ask(target=target(), context=Context(), mode="implement", models=models, variants=variants, samples=samples)


class MemoryCache:
    """A response cache that lives as long as the test."""

    def __init__(self) -> None:
        self.kept: dict[str, Reply] = {}

    async def get(self, key: str) -> Reply | None:
        return self.kept.get(key)

    async def put(self, key: str, reply: Reply) -> None:
        self.kept[key] = reply
