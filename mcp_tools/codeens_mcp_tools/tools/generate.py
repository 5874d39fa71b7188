"""generate_variants: asks models for other implementations, or gives the prompts to ask them with."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.arguments import GenerateVariants
from codeens_mcp_tools.tools.documents import Generated, GeneratedCandidate, VariantPrompt
from codeens_mcp_tools.tools.framework import ToolAnswer, ToolCall
from codeens_mcp_tools.tools.subjects import Subject, subject_of
from codeens_server.config.settings import ModelSettings
from codeens_server.domain import Candidate, Mode
from codeens_server.errors import NothingGenerated
from codeens_server.generation.budget import Budget
from codeens_server.generation.generate import Answer, Ask, FailedCall, calls_of, generate
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import Reply
from codeens_server.generation.models.resolve import find_local_models, resolve_models, with_fallbacks
from codeens_server.generation.prompts import messages_for
from codeens_server.generation.rewrites.offline import offline_candidates
from codeens_server.run.producers import refuse_without_model
from codeens_server.run.variants import chosen_variants
from codeens_server.text import money, one_line, plural
from codeens_server.workspace.context import context_of
from codeens_server.workspace.text import snapshot
from codeens_variants.manifest import Variant


async def generate_variants(app: AppContext, call: ToolCall[GenerateVariants]) -> ToolAnswer:
    """ToolAnswer a call.

    Raises:
        CodeensError: the arguments are wrong, or there is nobody to ask.
    """
    arguments = call.arguments
    subject = await _subject(app, arguments)
    target = subject.target
    mode: Mode = "implement" if target.body_missing else "improve" if arguments.mode == "auto" else arguments.mode
    found = {name: item.variant for name, item in app.variants(subject.root).items()}
    variants = chosen_variants(arguments.variants, subject.settings, found)
    if arguments.prompts_only:
        return await anyio.to_thread.run_sync(_prompts, subject, mode, variants)
    models = resolve_models(arguments.models, subject.settings, app.environ) or await find_local_models()
    refuse_without_model(mode, target, models)
    if models:
        answers = await _ask(app, call, subject, mode, models, variants)
    else:
        answers = await anyio.to_thread.run_sync(_rewritten, subject, variants)
    return _generated(app, target.qualname, mode, answers)


def capped(wanted: float | None, own: float | None) -> float | None:
    """What a call may spend: never more than the user's limit."""
    return own if wanted is None else wanted if own is None else min(wanted, own)


async def _subject(app: AppContext, arguments: GenerateVariants) -> Subject:
    if arguments.task is None:
        return await subject_of(app, target=arguments.target, code=arguments.code, function=arguments.function)
    if arguments.target is not None or arguments.code is not None:
        raise ToolError("Give either `task`, or a function (`target`, or `code` and `function`).")
    code = arguments.task.module()
    return await subject_of(app, target=None, code=code, function=arguments.task.entry_point)


def _prompts(subject: Subject, mode: Mode, variants: Sequence[Variant]) -> ToolAnswer:
    target, context = subject.target, context_of(subject.target)
    prompts = tuple(
        VariantPrompt(
            variant=variant.name,
            description=variant.description,
            goal=variant.goal,
            temperature=variant.temperature,
            messages=messages_for(variant, mode, target, context),
        )
        for variant in variants
    )
    shown = "\n\n".join(
        f"## {prompt.variant}: {prompt.description}\n{prompt.messages[-1].content}" for prompt in prompts
    )
    text = (
        f"{plural(len(prompts), 'prompt')} for {target.qualname} (mode {mode}). Write one candidate for each, as the "
        f"complete function, and call score with candidates=[{{id, source}}, …].\n\nRules for all:\n"
        f"{prompts[0].messages[0].content}\n\n{shown}"
    )
    return ToolAnswer(text=text, document=Generated(function=target.qualname, mode=mode, prompts=prompts))


async def _ask(
    app: AppContext,
    call: ToolCall[GenerateVariants],
    subject: Subject,
    mode: Mode,
    models: tuple[ModelSettings, ...],
    variants: tuple[Variant, ...],
) -> list[Answer]:
    settings = subject.settings
    context = await anyio.to_thread.run_sync(context_of, subject.target)
    ask = Ask(
        target=subject.target,
        context=context,
        mode=mode,
        models=models,
        variants=variants,
        samples=call.arguments.samples,
    )
    budget = Budget(usd=capped(call.arguments.budget_usd, settings.budget_usd), tokens=settings.budget_tokens)
    answers: list[Answer] = []
    total = len(calls_of(ask))

    async def deliver(answer: Answer) -> None:
        answers.append(answer)
        await call.reporter.tell(f"{len(answers)} of {total} answers", len(answers), total)

    async with Models(with_fallbacks(models, settings, app.environ), app.environ) as client:
        cache = app.store(settings).cache(Reply)
        await generate(ask, client=client, cache=cache, budget=budget, deliver=deliver)
    if budget.exhausted:
        answers.append(FailedCall(id="", model="all", variant="all", why="the budget is used up"))
    return answers


def _rewritten(subject: Subject, variants: Sequence[Variant]) -> list[Answer]:
    target = subject.target
    made = offline_candidates(target, snapshot(target).text, variants)
    if not made:
        raise NothingGenerated(
            f"no candidate was made for {target.qualname}: offline rewrites find nothing to change in it, and no model "
            "can be reached."
        )
    return list(made)


def _generated(app: AppContext, function: str, mode: Mode, answers: Sequence[Answer]) -> ToolAnswer:
    batch = app.kept.new_batch()
    first: dict[str, str] = {}
    candidates: list[GeneratedCandidate] = []
    for answer in answers:
        if isinstance(answer, Candidate):
            candidate = replace(answer, id=f"{batch}-{answer.id}"[:80])
            app.kept.add(candidate)
            candidates.append(_line(candidate, first.get(candidate.digest)))
            first.setdefault(candidate.digest, candidate.id)
    failed = [answer for answer in answers if isinstance(answer, FailedCall)]
    costs = [*(item.cost_usd for item in candidates), *(event.cost_usd for event in failed)]
    document = Generated(
        function=function,
        mode=mode,
        candidates=tuple(candidates),
        failures=tuple(dict.fromkeys(f"{event.model} · {event.variant}: {event.why}" for event in failed)),
        cost_usd=sum(cost or 0.0 for cost in costs),
        cost_known=None not in costs,
    )
    if not candidates:
        raise NothingGenerated(f"no candidate was made: {'; '.join(document.failures)}")
    return ToolAnswer(text=_text(document), document=document)


def _line(candidate: Candidate, same_as: str | None) -> GeneratedCandidate:
    return GeneratedCandidate(
        id=candidate.id,
        model=candidate.model,
        variant=candidate.variant,
        sample=candidate.sample,
        source=candidate.source,
        rationale=candidate.rationale,
        same_as=same_as,
        cost_usd=candidate.cost_usd,
        tokens_in=candidate.tokens_in,
        tokens_out=candidate.tokens_out,
        cached=candidate.cached,
    )


def _text(document: Generated) -> str:
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
