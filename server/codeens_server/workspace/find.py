"""The function that a user points at, with its workspace and its module name."""

from __future__ import annotations

import ast
import re
from difflib import get_close_matches
from pathlib import Path

from codeens_server.domain.target import Parameter, Target
from codeens_server.domain.terms import ParameterKind, TargetKind
from codeens_server.errors import TargetError
from codeens_server.workspace.branches import likely_taken
from codeens_server.workspace.functions import (
    FunctionNode,
    FunctionSite,
    decorator_names,
    functions_in,
    is_body_missing,
    is_generator,
)
from codeens_server.workspace.indent import dedent
from codeens_server.workspace.roots import Place, place_of
from codeens_server.workspace.text import SourceText, lines_of, parse_source, read_source, remember, source_of

_BY_LINE = re.compile(r"(?P<path>.+\.pyi?):(?P<line>-?\d+)$")
_PYTHON = frozenset({".py", ".pyi", ".pyw", ".pyx", ""})
_MOST_NAMED = 4
_USAGE = "Give the target as path.py::function, path.py::Class.method or path.py:LINE."


def find_target(spec: str, *, cwd: Path) -> Target:
    """Find the function that `path.py::qualname` or `path.py:LINE` names.

    Raises:
        TargetError: no such file, function or line; a syntax error; a class; two functions of the name; a kind that
            cannot be replaced. The message says what to give instead.
    """
    path_text, wanted = _split(spec, cwd)
    path = (cwd / Path(path_text).expanduser()).resolve()
    _refuse_other_languages(path)
    return _found(path, wanted, read_source(path), cwd.resolve())


def find_in_text(path: Path, line: int, text: str, *, folder: Path | None = None) -> Target:
    """Find the function around a line, counted from 1, of the text that an editor holds for a file.

    The file may have another text on the disk, or not be there: a run uses this text. Where no project file marks a
    workspace, `folder` is it.

    Raises:
        TargetError: see `find_target`.
    """
    return _found(path, line, source_of(path, text), folder)


def _found(path: Path, wanted: str | int, source: SourceText, started_in: Path | None) -> Target:
    tree = parse_source(source.text, str(path))
    sites = functions_in(tree)
    site = _at_line(sites, wanted, path) if isinstance(wanted, int) else site_called(wanted, tree, path)
    _refuse_unsupported(site, sites, path)
    remember(source)
    return describe(site, source, path, place_of(path, tree, started_in=started_in))


def _refuse_other_languages(path: Path) -> None:
    if path.suffix == ".ipynb":
        message = f"{path.name} is a notebook, and a function is taken from a Python file: give the cell as code."
        raise TargetError(message, code="no_python")
    if path.suffix not in _PYTHON and path.is_file():
        message = f"{path.name} is no Python file; codeens works on Python."
        raise TargetError(message, code="no_python")


def _split(spec: str, cwd: Path) -> tuple[str, str | int]:
    if "::" in spec:
        path, _, name = spec.partition("::")
        if path and name:
            return path, name.replace("::", ".")
    elif match := _BY_LINE.match(spec):
        return match["path"], int(match["line"])
    message = f"{spec!r} does not name a function. {_meant(spec, cwd) or _USAGE}"
    raise TargetError(message)


def _meant(spec: str, cwd: Path) -> str:
    """Return what may have been meant by a file alone, or one colon before the name; empty: there is no such file."""
    path_text, _, name = spec.partition(":")
    path = (cwd / Path(path_text).expanduser()).resolve()
    if path.suffix not in _PYTHON or not path.is_file():
        return ""
    if name:
        return f"Did you mean {path_text}::{name}?"
    sites = functions_in(parse_source(read_source(path).text, str(path)))
    names = list(dict.fromkeys(site.qualname for site in sites if "<locals>" not in site.qualname))
    if not names:
        return f"{path.name} has no function."
    end = ", …" if len(names) > _MOST_NAMED else "."
    return f"Name one of its functions: {', '.join(f'{path_text}::{name}' for name in names[:_MOST_NAMED])}{end}"


def _at_line(sites: list[FunctionSite], line: int, path: Path) -> FunctionSite:
    around = [site for site in sites if site.line <= line <= site.end_line]
    if not around:
        places = ", ".join(f"{site.qualname} ({site.line}-{site.end_line})" for site in sites[:8])
        message = f"line {line} of {path.name} is not inside a function. Functions: {places or 'none'}."
        raise TargetError(message)
    return max(around, key=lambda site: site.line)


def site_called(name: str, tree: ast.Module, path: Path) -> FunctionSite:
    """Return the function of a module that a name means; of alternatives the likely one.

    Raises:
        TargetError: there is none, or several.
    """
    sites = functions_in(tree)
    wanted = name.replace("<locals>.", "")
    plain = {site: site.qualname.replace("<locals>.", "") for site in sites}
    found = [site for site in sites if plain[site] == wanted and not _is_overload(site.node)]
    found = [site for site in found if not _is_property_part(site.node)] or found
    if len(found) > 1 and all(site.is_alternative_to(found[0]) for site in found[1:]):
        found = likely_taken(tree, found)
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        lines = " or ".join(f"{path.name}:{site.node.lineno}" for site in found)
        message = f"{path.name} has {len(found)} functions called {name}. Name one by its line: {lines}."
        raise TargetError(message)
    if any(isinstance(node, ast.ClassDef) and node.name == wanted for node in ast.walk(tree)):
        methods = [text for text in plain.values() if text.startswith(f"{wanted}.")]
        message = f"{name} is a class. Name one of its methods: {', '.join(methods[:8]) or 'it has none'}."
        raise TargetError(message)
    near = get_close_matches(wanted, plain.values(), n=1) or [p for p in plain.values() if p.endswith(f".{wanted}")]
    hint = f" Did you mean {near[0]}?" if near else f" Functions: {', '.join(list(plain.values())[:8]) or 'none'}."
    message = f"{path.name} has no function {name}.{hint}"
    raise TargetError(message)


def _is_overload(node: FunctionNode) -> bool:
    return any(name.split(".")[-1] == "overload" for name in decorator_names(node))


def _refuse_unsupported(site: FunctionSite, sites: list[FunctionSite], path: Path) -> None:
    endings = {name.split(".")[-1] for name in decorator_names(site.node)}
    if endings & {"setter", "deleter"}:
        message = f"{site.qualname} is a property's setter or deleter, which codeens does not replace; name the getter."
        raise TargetError(message)
    if "overload" in endings:
        message = f"{site.qualname} at line {site.line} is an overload stub; name the implementation."
        raise TargetError(message)
    later = [
        other
        for other in sites
        if other.qualname == site.qualname
        and other.line > site.line
        and not _is_property_part(other.node)
        and not other.is_alternative_to(site)
    ]
    if later:
        message = f"{path.name}:{site.line} {site.qualname} is defined again at line {later[-1].line}; name that line."
        raise TargetError(message)


def _is_property_part(node: FunctionNode) -> bool:
    return bool({name.split(".")[-1] for name in decorator_names(node)} & {"setter", "deleter"})


def describe(site: FunctionSite, source: SourceText, path: Path, place: Place) -> Target:
    """Return all that codeens needs to know of a function."""
    node = site.node
    lines = lines_of(source.text)[site.line - 1 : site.end_line]
    docstring = ast.get_docstring(node)
    return Target(
        path=str(path),
        root=str(place.root),
        import_root=str(place.import_root),
        module=place.module,
        qualname=site.qualname,
        kind=_kind(site),
        is_async=isinstance(node, ast.AsyncFunctionDef),
        is_generator=is_generator(node),
        line=site.line,
        end_line=site.end_line,
        source=dedent("".join(lines)),
        body_missing=is_body_missing(node),
        docstring=docstring,
        parameters=tuple(signature_of(node.args)),
        returns=ast.unparse(node.returns) if node.returns else None,
        file_sha256=source.sha256,
    )


def _kind(site: FunctionSite) -> TargetKind:
    if site.is_nested:
        return "nested"
    if not site.scopes:
        return "function"
    endings = {name.split(".")[-1] for name in decorator_names(site.node)}
    if "classmethod" in endings:
        return "classmethod"
    if "staticmethod" in endings:
        return "staticmethod"
    return "property" if endings & {"property", "cached_property"} else "method"


def signature_of(arguments: ast.arguments) -> list[Parameter]:
    """Return the parameters of a function."""
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = len(positional) - len(arguments.defaults)
    result = [
        _parameter(
            item, "positional" if index < len(arguments.posonlyargs) else "normal", has_default=index >= defaults
        )
        for index, item in enumerate(positional)
    ]
    if arguments.vararg:
        result.append(_parameter(arguments.vararg, "var_positional"))
    result += [
        _parameter(item, "keyword", has_default=default is not None)
        for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        result.append(_parameter(arguments.kwarg, "var_keyword"))
    return result


def _parameter(argument: ast.arg, kind: ParameterKind, *, has_default: bool = False) -> Parameter:
    annotation = ast.unparse(argument.annotation) if argument.annotation else None
    return Parameter(name=argument.arg, kind=kind, annotation=annotation, has_default=has_default)
