"""list_variants, list_models, list_backends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.tools.arguments import ListBackends, ListModels, ListVariants
from codeens_mcp_tools.tools.documents import (
    BackendLine,
    BackendList,
    ModelLine,
    ModelList,
    OfferedVariant,
    ToolAnswer,
    VariantList,
)
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.registry import backend_names, get_backend

if TYPE_CHECKING:
    from codeens import ModelSettings
    from codeens_mcp_tools.session import AgentSession

_TRIED_FOR_S = 30.0


async def list_variants(app: AppContext, _: ToolCall[ListVariants]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: settings are broken.
        ManifestError: a manifest is broken.
    """
    return await anyio.to_thread.run_sync(_variants, await app.session())


def _variants(session: AgentSession) -> ToolAnswer:
    found = session.variants()
    used = {variant.name for variant in session.used_variants()}
    lines = tuple(
        OfferedVariant(
            name=name,
            description=item.variant.description,
            goal=item.variant.goal,
            origin=item.origin,
            used=name in used,
        )
        for name, item in found.items()
    )
    shown = [
        f"- {line.name} ({line.goal}{'' if line.used else ', only when named'}): {line.description}" for line in lines
    ]
    return ToolAnswer(text="\n".join(["Variants, the ways to ask:", *shown]), document=VariantList(variants=lines))


async def list_models(app: AppContext, _: ToolCall[ListModels]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: settings are broken.
    """
    session = await app.session()
    configured = bool((await anyio.to_thread.run_sync(session.settings)).models)
    lines = [_model(model, session.environ, configured=configured) for model in await session.models()]
    note = (
        "Any other model of LiteLLM can be named too, as provider/model, when its key is set."
        if lines
        else "No model can be reached. Use generate_variants with prompts_only=true and write the candidates yourself; "
        "start_ensemble still makes offline rewrites of a function that works."
    )
    shown = [f"- {line.name} ({line.source}{'' if line.key_is_set else ', its key is not set'})" for line in lines]
    return ToolAnswer(text="\n".join([*shown, note]), document=ModelList(models=tuple(lines), note=note))


def _model(model: ModelSettings, environ: Mapping[str, str], *, configured: bool) -> ModelLine:
    found = "this machine" if model.api_base else "environment"
    return ModelLine(
        name=model.name,
        model=model.model,
        source="settings" if configured else found,
        key_variable=model.api_key_env,
        key_is_set=model.api_key_env is None or bool(environ.get(model.api_key_env)),
        input_cost_per_token=model.input_cost_per_token,
        output_cost_per_token=model.output_cost_per_token,
    )


async def list_backends(app: AppContext, call: ToolCall[ListBackends]) -> ToolAnswer:
    """Answer a call: every sandbox is tried.

    Raises:
        CodeensError: settings are broken.
    """
    default = (await anyio.to_thread.run_sync((await app.session()).settings)).sandbox
    names = backend_names()
    found: dict[str, BackendLine] = {}

    async def look(name: str) -> None:
        found[name] = await _tried(name, is_default=name == default)
        await call.reporter.tell(f"tried {name}", len(found), len(names))

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(look, name)
    lines = tuple(found[name] for name in names)
    shown = [
        f"- {line.name}{' (default)' if line.is_default else ''}: "
        + (
            f"usable, {line.isolation.label if line.isolation else ''}"
            if line.usable
            else f"not usable: {line.why} {line.fix}"
        )
        for line in lines
    ]
    return ToolAnswer(text="\n".join(["Sandboxes:", *shown]), document=BackendList(backends=lines))


async def _tried(name: str, *, is_default: bool) -> BackendLine:
    try:
        with anyio.fail_after(_TRIED_FOR_S):
            ready = await get_backend(name).probe()
    except SandboxError as error:
        return BackendLine(name=name, usable=False, is_default=is_default, isolation=None, why=str(error))
    except TimeoutError:
        return BackendLine(
            name=name, usable=False, is_default=is_default, isolation=None, why="it did not answer in time."
        )
    return BackendLine(
        name=name,
        usable=ready.usable,
        is_default=is_default,
        isolation=ready.isolation,
        why=ready.why,
        fix=ready.fix,
    )
