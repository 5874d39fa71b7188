"""Runs the examples in a function's docstring and reports each group of them."""

from __future__ import annotations

import sys
from doctest import DocTest, DocTestFinder, DocTestParser, DocTestRunner, Example
from time import perf_counter
from typing import TYPE_CHECKING, Any, Dict, List

from .failures import bounded
from .loader import innermost, show_sources

if TYPE_CHECKING:
    from .suite import Reporter


def run_doctests(target: Any, program: Dict[str, Any], reporter: Reporter) -> None:
    """Run the groups in order, in one namespace made from the module's; ids are `doctest:<qualname>:<line>`.

    A group is a run of examples with nothing but blank lines between them; `line` is that of its first one in the file.
    """
    qualname, module = program["qualname"], sys.modules[program["module"]]
    names = dict(vars(module))
    file = getattr(module, "__file__", None)
    show_sources()
    for found in DocTestFinder(recurse=False).find(innermost(target) or target, qualname, module=False):
        first = (found.lineno or 0) + 1
        for group in _groups(found.docstring or "", qualname):
            test = f"doctest:{qualname}:{first + group[0].lineno}"
            reporter.begin(test)
            _run_group(DocTest(group, names, test, file, found.lineno, None), reporter)


def _groups(docstring: str, name: str) -> List[List[Example]]:
    groups: List[List[Example]] = []
    apart = True
    for part in DocTestParser().parse(docstring, name):
        if isinstance(part, str):
            apart = apart or bool(part.strip())
        elif apart:
            groups.append([part])
            apart = False
        else:
            groups[-1].append(part)
    return groups


def _run_group(test: DocTest, reporter: Reporter) -> None:
    report: List[str] = []
    started = perf_counter()
    results = DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False)
    outcome = "failed" if results.failed else "passed" if results.attempted else "skipped"
    reporter.report(test.name, outcome, bounded("".join(report)), perf_counter() - started)
