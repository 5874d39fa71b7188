"""The function that a run is about, what models are shown around it, and new code in its place."""

from __future__ import annotations

from msgspec import Struct

from codeens_sandbox_backends.programs import ModuleSource
from codeens_server.domain.terms import ParameterKind, TargetKind


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter of the target's signature."""

    name: str
    kind: ParameterKind
    annotation: str | None = None
    has_default: bool = False


class Target(Struct, frozen=True, kw_only=True):
    """A function in a file, with all that must be known to ask for, run and replace it."""

    path: str
    """Absolute path of the file."""
    root: str
    """Absolute path of the workspace."""
    import_root: str
    """The folder that must be on `sys.path` for `module` to be imported."""
    module: str
    qualname: str
    """As Python writes it: `f`, `Class.f`, `outer.<locals>.f`."""
    kind: TargetKind
    is_async: bool = False
    is_generator: bool = False
    line: int
    """First line of the definition, decorators included; 1-based."""
    end_line: int
    source: str
    """The definition as it stands in the file, decorators included, indentation removed."""
    body_missing: bool = False
    """The body is only a docstring, `...`, `pass` or `raise NotImplementedError`."""
    docstring: str | None = None
    parameters: tuple[Parameter, ...] = ()
    returns: str | None = None
    file_sha256: str
    """Of the file's bytes when it was read."""
    modules: tuple[ModuleSource, ...] = ()
    """Other modules of the workspace, as they were together with this text; empty: all as their files are."""


class Context(Struct, frozen=True, kw_only=True):
    """What a model is shown around the function."""

    imports: str = ""
    class_header: str = ""
    helpers: tuple[str, ...] = ()
    """Sources of functions, classes and constants of the same module that the function uses."""
    siblings: str = ""
    """Methods and properties of its class that a method uses, also through each other."""
    elsewhere: tuple[str, ...] = ()
    """Signatures and fields of what is imported from other modules of the workspace."""
    callers: tuple[str, ...] = ()
    """Statements of the workspace that call it, with their places."""
    calls: tuple[str, ...] = ()
    """Calls that were seen, with what came of them."""
    hot: tuple[str, ...] = ()
    """Lines that run most often in the largest of these calls, with how often."""
    failing: tuple[str, ...] = ()
    """Tests that fail on the original, with their source and what they say. Not all: a share stays unseen."""
    machine: str = ""
    """The Python version, and packages that are there."""


class Replacement(Struct, frozen=True, kw_only=True):
    """New code for a target: the function, and what it needs beside it."""

    function: str
    """The definition, decorators included, no indentation."""
    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    """Module-level definitions placed before the target, no indentation."""
    module: str | None = None
    """The text of the whole module with all of this in it, where a change of a file is judged: it is taken as it is,
    and so are the files of the target's other modules."""

    @property
    def source(self) -> str:
        """Imports, helpers and the function as one text, in the order in which a module would have them."""
        parts = ["\n".join(self.imports), *self.helpers, self.function.strip("\n")]
        return "\n\n\n".join(part for part in parts if part) + "\n"


class Candidate(Struct, frozen=True, kw_only=True):
    """One implementation. `source` is everything new: imports, helpers and the function, readable as a module part."""

    id: str
    model: str
    variant: str
    source: str
    replacement: Replacement
    sample: int = 0
    round: int = 0
    parent: str = ""
    """Id of the candidate that it was made from; empty: from the function itself."""
    digest: str
    """Of the normalised syntax tree: equal digests are executed once."""
    same_as: tuple[str, ...] = ()
    """Labels (`model · variant`) of other answers with the same digest, credited together."""
    rationale: str = ""
    receipt: tuple[str, ...] = ()
    """What of the reply was left out, taken off or passed over, in words for people."""
    prompt: str = ""
    response: str = ""
    cost_usd: float | None = None
    """None: the price is not known. 0.0: nothing was paid."""
    tokens_in: int = 0
    tokens_out: int = 0
    latency_s: float | None = None
    """From the question to the end of the reply, in seconds; None: it was kept before, came with another candidate, or
    no model was asked."""
    cached: bool = False
