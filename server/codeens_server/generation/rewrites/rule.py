"""What a rewrite rule is, and the kind of rule that edits a syntax tree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Protocol

from codeens_server.domain.target import Replacement, Target
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.facts import Facts
from codeens_server.generation.rewrites.function_tree import FunctionTree, NotReadable

_MOST_PASSES = 25
"""Of one codemod over one function: each pass changes one place."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A target's code on its way through rules."""

    target: Target
    source: str
    """Text of the target's whole file, as it was before any rule."""
    facts: Facts
    function: str
    imports: tuple[str, ...] = ()

    @cached_property
    def subject(self) -> FunctionTree | None:
        """The function's tree; None where it cannot be worked on."""
        try:
            return FunctionTree(self.facts, self.function)
        except NotReadable:
            return None

    def changed(self, function: str, imports: list[str]) -> Draft:
        """Return this draft with new code and more imports."""
        facts = self.facts
        added = [line for line in imports if line not in self.imports]
        for line in added:
            facts = facts.with_import(line)
        return replace(self, function=function, imports=(*self.imports, *added), facts=facts)

    def replacement(self) -> Replacement:
        """Return what to put in the target's place."""
        return Replacement(function=self.function, imports=self.imports)


class Rule(Protocol):
    """One way to rewrite a function without a model."""

    @property
    def name(self) -> str: ...

    @property
    def rationale(self) -> str:
        """One sentence: what was changed and why it may pay."""
        ...

    def apply(self, draft: Draft) -> Draft | None:
        """Return the draft after the rule; None where the rule does not apply."""
        ...


def repeated(once: Callable[[Draft], Draft | None], draft: Draft) -> Draft | None:
    """Return the draft after as many passes as change something, up to a bound; None where the first does not."""
    changed = draft
    for _ in range(_MOST_PASSES):
        following = once(changed)
        if following is None:
            break
        changed = following
    return changed if changed is not draft else None


class Codemod(ABC):
    """A rule that edits the function's own syntax tree, one place after the other."""

    name: ClassVar[str]
    rationale: ClassVar[str]

    @abstractmethod
    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        """Note the changes for the first place where the rule applies; nothing where there is none."""

    def apply(self, draft: Draft) -> Draft | None:
        """See `Rule.apply`."""
        return repeated(self._once, draft)

    def _once(self, draft: Draft) -> Draft | None:
        subject = draft.subject
        if subject is None or subject.looks_at_names:
            return None
        edits = Edits(subject)
        try:
            self.plan(subject, edits)
            return draft.changed(edits.applied(), edits.imports) if edits else None
        except RecursionError:
            return None
