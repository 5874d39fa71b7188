"""What `codeens doctor` finds out about models: whether each can be asked, and, on request, whether it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

import anyio
from msgspec import Struct

from codeens_server.config.settings import ModelSettings, Settings
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Message, ModelError, Sampling
from codeens_server.generation.models.reach import NEEDS, unreachable
from codeens_server.generation.models.resolve import find_local_models, resolve_models, with_fallbacks

Area: TypeAlias = Literal["sandbox", "interpreter", "model", "editor", "tool"]
_QUESTION = (Message(role="user", content="Say yes."),)
_ONE_TOKEN = Sampling(temperature=0.0, max_tokens=1)


class DoctorCheck(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    area: Area
    name: str
    works: bool
    detail: str
    fix: str = ""
    """What to do when it does not work; empty when it does, or when nothing needs to be done."""
    needed: bool = False
    """Whether codeens cannot do its main job without it."""


async def model_checks(settings: Settings, environ: Mapping[str, str], *, ask: bool) -> list[DoctorCheck]:
    """Return what is known of the models that would be asked, and of providers whose keys are here.

    Args:
        settings: which models are configured.
        environ: where keys are read from.
        ask: ask each for one token.

    Raises:
        ConfigError: the settings name a model that is not there.
    """
    found = [*resolve_models(settings.default_models, settings, environ), *await find_local_models()]
    others = [*_providers(environ, found)]
    if not found and not others:
        fix = "Set a provider's key (OPENAI_API_KEY, ANTHROPIC_API_KEY, ...), start Ollama, or configure models"
        detail = "none; offline rewrites are used, which cannot write a function that has no body"
        return [DoctorCheck(area="model", name="models", works=False, detail=detail, fix=fix)]
    lacking = await unreachable(found, environ)
    answers = await _asked([model for model in found if model.name not in lacking], settings, environ) if ask else {}
    return [*(_check(model, lacking.get(model.name), answers.get(model.name)) for model in found), *others]


def _check(model: ModelSettings, lacks: str | None, answer: str | None) -> DoctorCheck:
    """Return the line of a model; `answer` is empty when it answered, and None when it was not asked."""
    wrong = lacks or answer or ""
    detail = wrong or (f"{model.model}, answered" if answer == "" else f"{model.model}, not asked (--try asks)")
    return DoctorCheck(area="model", name=model.name, works=not wrong, detail=detail)


async def _asked(models: Sequence[ModelSettings], settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Ask all at once for one token; return what went wrong, by name, empty where nothing did."""
    answers: dict[str, str] = {}
    async with Models(with_fallbacks(models, settings, environ), environ) as client:

        async def ask(name: str) -> None:
            try:
                await client.ask(name, _QUESTION, _ONE_TOKEN)
                answers[name] = ""
            except ModelError as error:
                answers[name] = error.why

        async with anyio.create_task_group() as group:
            for model in models:
                group.start_soon(ask, model.name)
    return answers


def _providers(environ: Mapping[str, str], found: Sequence[ModelSettings]) -> Iterator[DoctorCheck]:
    """Yield providers whose keys are here, and that no model is of."""
    used = {model.model.partition("/")[0] for model in found}
    for prefix, needs in NEEDS.items():
        group = next((group for group in needs.variables if all(environ.get(name) for name in group)), None)
        if group is not None and prefix not in used:
            detail = f"{' and '.join(group)} is set; name a model of it: {prefix}/NAME"
            yield DoctorCheck(area="model", name=prefix, works=True, detail=detail)
