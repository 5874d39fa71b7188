"""Asks a model, once, for inputs on which changes of the original show. What it says is only tried, never believed."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_server.config.settings import ModelSettings
from codeens_server.domain.evidence import MissedChange
from codeens_server.domain.target import Target
from codeens_server.evidence.literal_calls import NotLiteral, expression, literal_call
from codeens_server.generation.budget import BudgetExceeded
from codeens_server.generation.generate import Replies
from codeens_server.generation.models.exchange import Message, ModelError, Sampling, Torn
from codeens_server.run.events import InputsAsked

CALLABLE = frozenset({"function", "staticmethod", "classmethod"})
"""Kinds of functions whose calls a model can write as literals."""
_MOST_CHANGES = 12
_MOST_CALLS = 40
_LONGEST_REPLY = 20_000
_LONGEST_LINE = 2_000
_MOST_TOKENS = 2_000
_SHARE = 10
"""The question must fit so many times into what is left of the budget: it is there for candidates."""
_TASK = """\
Below is a Python function. The inputs that it was tried on so far do not notice these changes of it:
{changes}

Write at most 20 calls of `{name}` on which the function and one of its changed versions would do different things: \
return, raise or change other values. All arguments must be literals. Answer with one fenced block, one call a line, \
and nothing else.

```python
{source}
```"""


class InputQuestion(NamedTuple):
    """Whom to ask, and by which means."""

    model: ModelSettings
    source: Replies


async def ask_for_inputs(
    target: Target, missed: Sequence[MissedChange], via: InputQuestion, tell: Callable[[InputsAsked], Awaitable[None]]
) -> tuple[CallInput, ...]:
    """Return calls that a model writes against changes that were not noticed; none where the budget has no room.

    Args:
        target: the function.
        missed: the changes.
        via: whom to ask.
        tell: gets what it cost, also where the run is cancelled meanwhile.
    """
    messages = (Message(role="user", content=_question(target, missed)),)
    sampling = Sampling(temperature=0.2, max_tokens=via.model.max_tokens and min(_MOST_TOKENS, via.model.max_tokens))
    torn = Torn()
    try:
        reply, cached = await via.source.reply(via.model, messages, sampling, 0, torn, room_for=_SHARE)
    except ModelError as error:
        await tell(_torn(via, error.why, torn))
        return ()
    except BudgetExceeded:
        return ()
    except anyio.get_cancelled_exc_class():
        if torn.reply:
            with anyio.CancelScope(shield=True):
                await tell(_torn(via, "stopped while it answered", torn))
        raise
    calls: tuple[CallInput, ...] = ()
    with anyio.CancelScope(shield=True):
        calls = await anyio.to_thread.run_sync(calls_in, reply.text, target)
        tokens = 0 if cached else reply.tokens_in + reply.tokens_out
        asked = InputsAsked(model=reply.model, count=len(calls), cost_usd=reply.cost_usd, tokens=tokens)
        await tell(replace(asked, latency_s=torn.latency_s))
    return calls


def _torn(via: InputQuestion, why: str, torn: Torn) -> InputsAsked:
    return InputsAsked(
        model=via.model.name, why=why, cost_usd=torn.cost_usd, tokens=torn.tokens, latency_s=torn.latency_s
    )


def _question(target: Target, missed: Sequence[MissedChange]) -> str:
    changes = [
        f"- line {change.line - target.line + 1}: `{change.before}` "
        + (f"becomes `{change.after}`" if change.after else "is left out")
        for change in missed[:_MOST_CHANGES]
    ]
    return _TASK.format(changes="\n".join(changes), name=target.qualname, source=target.source.rstrip())


def calls_in(text: str, target: Target) -> tuple[CallInput, ...]:
    """Return the calls of a function with literal arguments that a reply holds, one a line, each once."""
    found: dict[str, CallInput] = {}
    for line in text[:_LONGEST_REPLY].splitlines():
        if len(line) > _LONGEST_LINE or len(found) >= _MOST_CALLS:
            continue
        try:
            node: ast.expr = expression(line.strip().removeprefix(">>> "))
            call = literal_call(node, target)
        except NotLiteral:
            continue
        found.setdefault(canonical_call(call), call)
    return tuple(found.values())
