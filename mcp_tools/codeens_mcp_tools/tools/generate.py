"""generate_variants: asks models for other implementations, or gives the prompts to ask them with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
from msgspec.structs import replace

from codeens import Candidate
from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import GenerateVariants
from codeens_mcp_tools.tools.documents import GeneratedAnswer, GeneratedCandidate, ToolAnswer, VariantPrompt
from codeens_mcp_tools.tools.ensembles import capped
from codeens_mcp_tools.tools.framework import ToolCall
from codeens_server.text import money, one_line, plural

if TYPE_CHECKING:
    from codeens import Generated, Prompt, Target
    from codeens_mcp_tools.session import AgentSession

_LONGEST_ID = 80


async def generate_variants(app: AppContext, call: ToolCall[GenerateVariants]) -> ToolAnswer:
    """Answer a call.

    Raises:
        CodeensError: the arguments are wrong, or there is nobody to ask.
    """
    arguments = call.arguments
    session = await app.session()
    target = await _subject(session, arguments)
    if arguments.prompts_only:
        prompts = await session.prompts(target, mode=arguments.mode, variants=arguments.variants)
        return _prompts(target, prompts)
    own = await session.limits_for(target, None)
    async with call.reporter.telling() as tell:
        made = await session.generate(
            target,
            mode=arguments.mode,
            models=arguments.models,
            variants=arguments.variants,
            samples=arguments.samples,
            budget_usd=capped(arguments.budget_usd, own.budget_usd),
            on_progress=tell,
        )
    document = _kept(app, made)
    return ToolAnswer(text=_text(document), document=document)


async def _subject(session: AgentSession, arguments: GenerateVariants) -> Target:
    task = arguments.task
    if task is None:
        return await session.subject(arguments.target, arguments.code, arguments.function)
    if arguments.target is not None or arguments.code is not None:
        raise ToolError("Give either `task`, or a function (`target`, or `code` and `function`).")
    return await session.subject(None, await anyio.to_thread.run_sync(task.module), task.entry_point)


def _prompts(target: Target, prompts: tuple[Prompt, ...]) -> ToolAnswer:
    mode = prompts[0].mode
    shown = "\n\n".join(
        f"## {prompt.variant}: {prompt.description}\n{prompt.messages[-1].content}" for prompt in prompts
    )
    text = (
        f"{plural(len(prompts), 'prompt')} for {target.qualname} (mode {mode}). Write one candidate for each, as the "
        f"complete function, and call score with candidates=[{{id, source}}, …].\n\nRules for all:\n"
        f"{prompts[0].messages[0].content}\n\n{shown}"
    )
    lines = tuple(
        VariantPrompt(
            variant=prompt.variant,
            description=prompt.description,
            goal=prompt.goal,
            temperature=prompt.temperature,
            messages=prompt.messages,
        )
        for prompt in prompts
    )
    return ToolAnswer(text=text, document=GeneratedAnswer(function=target.qualname, mode=mode, prompts=lines))


def _kept(app: AppContext, made: Generated) -> GeneratedAnswer:
    """Return what was made, kept by ids that no other batch has."""
    batch = app.kept.new_batch()
    ids = {item.id: f"{batch}-{item.id}"[:_LONGEST_ID] for item in made.candidates}
    same_as = made.same_as
    for item in made.candidates:
        app.kept.add(replace(item, id=ids[item.id]))
    return GeneratedAnswer(
        function=made.function,
        mode=made.mode,
        candidates=tuple(_line(item, ids[item.id], ids.get(same_as.get(item.id, ""))) for item in made.candidates),
        failures=made.failures,
        cost_usd=made.cost_usd,
        cost_known=made.cost_known,
    )


def _line(candidate: Candidate, name: str, same_as: str | None) -> GeneratedCandidate:
    return GeneratedCandidate(
        id=name,
        model=candidate.model,
        variant=candidate.variant,
        sample=candidate.sample,
        source=candidate.source,
        rationale=candidate.rationale,
        receipt=candidate.receipt,
        same_as=same_as,
        cost_usd=candidate.cost_usd,
        tokens_in=candidate.tokens_in,
        tokens_out=candidate.tokens_out,
        cached=candidate.cached,
    )


def _text(document: GeneratedAnswer) -> str:
    cost = money(document.cost_usd) if document.cost_known else f"at least {money(document.cost_usd)}"
    lines = [f"{plural(len(document.candidates), 'candidate')} for {document.function} (mode {document.mode}), {cost}."]
    for item in document.candidates:
        if item.same_as is None:
            lines.append(f"\n## {item.id} ({item.model}, {item.variant}) {one_line(item.rationale)}\n{item.source}")
        else:
            lines.append(f"\n## {item.id} ({item.model}, {item.variant}): the same code as {item.same_as}")
    lines += [f"Failed: {one_line(why)}" for why in document.failures]
    lines.append("\nNone of them was run. Next: score with candidates=[the ids above].")
    return "\n".join(lines)
