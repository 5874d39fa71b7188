"""Writes what a model is asked: the variant's text, what the mode demands, and what an earlier answer did wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from codeens_server.domain.target import Candidate, Context, Target
from codeens_server.domain.terms import Mode
from codeens_server.domain.verdict import Failure
from codeens_server.generation.models.exchange import Message
from codeens_variants.manifest import Goal, Variant

LONGEST_TRACEBACK = 3000

RULES = """\
You rewrite one Python function of an existing code base. Your answer replaces the function in its file and is then \
run against the evidence there is, so only what you write in the block counts.

Answer with exactly one fenced block (```python) that holds the complete replacement:
- the definition of `{name}` at the left margin, complete from its decorators to its last line, with the same name and \
the same signature: the same parameters in the same order, of the same kind, with the same defaults{kind};
- above it the imports it needs that the file does not have, and helper functions, classes or constants of your own, \
under names that the file does not use yet.
No other code: no repetition of the surrounding code, no usage example, no test, no print, no `if __name__` block.
After the block say in at most two sentences what you did and what it gains."""

METHOD = """. It is {article} of a class: write it alone, without the class around it, and put helpers beside it as \
functions, not into the class"""

TASKS: dict[Mode, str] = {
    "improve": """\
Improve the function. It works: its behaviour is the specification, also where the docstring says less or something \
else. For every input the new code must return an equal value of exactly the same types (a list stays a list, an int \
is no float, a generator stays lazy, the order stays), raise the same type of exception in the same cases, leave its \
arguments mutated or untouched as now, and have the same side effects. Think of empty input, one element, duplicates, \
negative numbers, zero, mixed types and very large input. A difference on a single input rejects your answer.""",
    "repair": """\
Repair the function. It is known to do something wrong. Find the fault by holding the code to its name, its docstring \
and its examples, and to the way the code around it is used; look at boundaries, operators, the order of arguments, \
missing cases and wrong variables. Change what is wrong and keep what is right, including the behaviour that callers \
rely on.""",
    "implement": """\
Implement the function. Its body is missing. What it must do is said by its name, its signature, its docstring with \
all examples in it, and the code around it. Follow the examples to the letter (types, order, rounding, what happens on \
empty input), and handle the cases that the docstring implies but does not show.""",
}

GOALS: dict[Goal, str] = {
    "balanced": "correct, clear and reasonably fast code",
    "correctness": "code that is right in every case",
    "speed": "less running time",
    "memory": "a lower peak of memory",
    "readability": "code that is easier to read",
}


class Parent(Struct, frozen=True, kw_only=True):
    """An earlier answer that is right, and what is known of it and of others, to be improved on."""

    candidate: Candidate
    model: str
    """Who is asked."""
    variant: str
    sample: int
    """Tells equal questions of a run apart."""
    measured: str
    """What was measured of it against the original, as a sentence goes on."""
    hot: tuple[str, ...] = ()
    """Its lines that run most often, with how often."""
    others: tuple[str, ...] = ()
    """What other right answers do, and what was measured of them, a line each."""
    wrong: tuple[str, ...] = ()
    """Where wrong answers were wrong, a line each."""


class Feedback(Struct, frozen=True, kw_only=True):
    """An earlier answer, and the first thing that it did wrong."""

    candidate: Candidate
    failure: Failure
    others: tuple[str, ...] = ()
    """What other answers tried that were wrong too, a sentence each."""


def messages_for(
    variant: Variant, mode: Mode, target: Target, context: Context, earlier: Feedback | Parent | None = None
) -> tuple[Message, ...]:
    """Return the messages of one request."""
    texts = {
        "function": _fenced(target.source),
        "context": _surroundings(context),
        "qualname": target.qualname,
        "goal": GOALS[variant.goal],
        "task": TASKS[mode],
    }
    asked = variant.prompt.format_map(texts).strip()
    if "{task}" not in variant.prompt:
        asked = f"{asked}\n\n{TASKS[mode]}"
    if earlier is not None:
        told = _told(earlier, mode) if isinstance(earlier, Feedback) else _shown(earlier, GOALS[variant.goal])
        asked = f"{asked}\n\n{told}"
    return (Message(role="system", content=_rules(target)), Message(role="user", content=asked))


def as_text(messages: tuple[Message, ...]) -> str:
    """Return the messages as one text, to be kept with the candidate."""
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)


def _rules(target: Target) -> str:
    name = target.qualname.rpartition(".")[2]
    articles = {
        "method": "a method",
        "property": "a property",
        "classmethod": "a class method",
        "staticmethod": "a static method",
    }
    kind = METHOD.format(article=articles[target.kind]) if target.kind in articles else ""
    if target.kind == "nested":
        kind = ". It stands inside of another function, whose names it may use: write it alone"
    return RULES.format(name=name, kind=kind)


def _surroundings(context: Context) -> str:
    in_class = "\n".join(part for part in (context.class_header.rstrip("\n"), context.siblings) if part.strip())
    parts = [part.strip("\n") for part in (context.imports, *context.helpers, in_class) if part.strip()]
    shown = [_fenced("\n\n".join(parts)) if parts else "(nothing that the function uses)"]
    shown += _section("Of other modules that it uses:", context.elsewhere)
    shown += _section("It is called like this:", context.callers)
    shown += _section("Calls that were seen, with what came of them:", context.calls)
    shown += _section("In the largest of the calls that tests make, these lines run most often:", context.hot)
    shown += _section("These tests fail on the function as it is, and are right:", context.failing)
    return "\n\n".join([*shown, *([context.machine] if context.machine else [])])


def _section(title: str, parts: Sequence[str]) -> list[str]:
    code = "\n\n".join(part.strip("\n") for part in parts)
    return [f"{title}\n{_fenced(code)}"] if parts else []


def _fenced(code: str) -> str:
    marks = max((len(run) for run in re.findall(r"`{3,}", code)), default=2) + 1
    return f"{'`' * marks}python\n{code}\n{'`' * marks}"


def _shown(parent: Parent, goal: str) -> str:
    lines = [
        "This was answered before; it is right on all inputs tried:",
        _fenced(parent.candidate.source.rstrip()),
        f"Measured against the function as it is: {parent.measured}.",
        *_section("In the largest of the calls that tests make, these of its lines run most often:", parent.hot),
    ]
    for title, entries in (
        ("Other answers that are right:", parent.others),
        ("Answers that were rejected, each with the smallest input known on which it is wrong:", parent.wrong),
    ):
        lines += [title, *(f"- {entry}" for entry in entries)] if entries else []
    lines.append(
        f"Write one that is better still ({goal}): keep what makes this one good, and do otherwise what still costs. "
        "Answer with the complete function; none that is shown here."
    )
    return "\n".join(lines)


def wrong_on(failure: Failure) -> str:
    """Return what an answer did wrong as a model may be told of it: never what a test expects."""
    return f"{failure.where}: {_without_expectation(failure.got) or 'something else than it should'}"


def _told(feedback: Feedback, mode: Mode) -> str:
    failure = feedback.failure
    lines = [
        "You answered this before, and it was wrong. Your answer was:",
        _fenced(feedback.candidate.source.rstrip()),
        f"What was tried: {failure.where}",
        f"What your code did: {_without_expectation(failure.got) or 'something else than it should'}",
    ]
    if mode == "improve" and failure.expected and not _is_of_test(failure):
        lines.append(f"What the function as it is does: {failure.expected}")
    elif failure.expected.startswith("raises "):
        lines.append(f"It should have raised: {failure.expected.removeprefix('raises ').partition(':')[0]}")
    if failure.traceback and not _tells_expectation(failure.traceback):
        lines.append(f"Traceback:\n{_fenced(failure.traceback[-LONGEST_TRACEBACK:].strip())}")
    lines += (
        ["Other answers were wrong too; they tried:", *(f"- {text}" for text in feedback.others)]
        if (feedback.others)
        else []
    )
    lines.append("Find out why, and answer again with the complete function. Do not special-case this input.")
    return "\n".join(lines)


def _is_of_test(failure: Failure) -> bool:
    return "::" in failure.where or _tells_expectation(failure.got)


def _without_expectation(got: str) -> str:
    """Return what came out, without the words of an assertion: they hold the value that must stay hidden."""
    return "a test's assertion failed" if _tells_expectation(got) else got


def _tells_expectation(text: str) -> bool:
    return "AssertionError" in text or re.search(r"\bassert\b", text) is not None
