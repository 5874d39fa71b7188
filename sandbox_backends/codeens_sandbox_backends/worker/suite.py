"""The user's own tests beside the code, in one process. CallWorker kind `suite`.

| request (`op`)                           | answers, each with the job's `nonce`                                   |
|------------------------------------------|------------------------------------------------------------------------|
| `suite`: kind, root, program, selection, | `{"test": TestReport}`, `{"recorded": RecordedCall}`, and one last     |
|   deselect, record, max_recorded         | `{"end": {dropped, unencodable, peeked,                                |
|                                          | failure: null, text, or Raised}}`                                      |
"""

from __future__ import annotations

import os
import sys
import tempfile
from doctest import DocTest, DocTestFinder, DocTestParser, DocTestRunner, Example
from importlib.machinery import PathFinder
from time import perf_counter
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Union

from . import live, serving
from .failures import bounded, describe
from .loader import LoadError, Program, install, show_sources
from .peeking import Peeking
from .recording import Recorder

if TYPE_CHECKING:
    from .suite import Reporter


NOT_READY = 70
"""As in `zygote`: run it again in a process of its own."""
Message = Dict[str, Any]
Failure = Union[None, str, Message]


class Reporter:
    """Sends what is known as soon as it is known, so that a killed suite still tells what ended before."""

    def __init__(self, channel: serving.Channel, recorder: Recorder) -> None:
        self.channel = channel
        self.recorder = recorder

    def begin(self, test: str) -> None:
        """Calls belong to this test from here on."""
        self.recorder.test = test
        self.recorder.entered = 0

    def report(self, test: str, outcome: str, message: str = "", seconds: float = 0.0) -> None:
        """A test has ended."""
        for call in self.recorder.fresh:
            self.channel.send({"recorded": call})
        self.recorder.fresh.clear()
        report = {"id": test, "outcome": outcome, "message": message, "seconds": seconds}
        self.channel.send({"test": {**report, "entered": self.recorder.entered}})
        self.recorder.test = ""


class _WatchedImport:
    """A meta-path finder that finds as the others do, and has the target watched once its module was run."""

    def __init__(self, program: Program, recorder: Recorder) -> None:
        self.name = program["module"]
        self.program = program
        self.recorder = recorder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:
        """Answer the import system whether this finder has a module."""
        if name != self.name:
            return None
        for finder in sys.meta_path:
            find: Any = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None and spec.loader is not None:
                spec.loader = _WatchingLoader(spec.loader, self)
                return spec
        return None


class _WatchingLoader:
    def __init__(self, loader: Any, watched: _WatchedImport) -> None:
        self._loader = loader
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: Any) -> None:
        self._loader.exec_module(module)
        try:
            self._watched.recorder.watch(live.find(module, self._watched.program))
        except LoadError as error:
            self._watched.recorder.unknown(str(error))


class Suite:
    """Runs one suite and says how it ended."""

    def __init__(self, channel: serving.Channel) -> None:
        self.channel = channel

    def run(self, request: Message) -> None:
        """Handle the request `suite`."""
        recorder = Recorder(request["max_recorded"] if request["record"] else 0)
        program = request["program"]
        if _has_stale(program):
            serving.leave(NOT_READY)
        _settle_in(request["root"])
        install(program)
        if request["record"]:
            finder: Any = _WatchedImport(program, recorder)
            sys.meta_path.insert(0, finder)
        peeking = Peeking(program, request["selection"])
        failure = self._outcome(request, Reporter(self.channel, recorder))
        end = {"dropped": recorder.dropped, "unencodable": sorted(recorder.unencodable), "failure": failure}
        end["peeked"] = sorted(peeking.seen)
        if request["record"]:
            end["modules"] = _of_installed_packages()
        self.channel.send({"end": end})

    def _outcome(self, request: Message, reporter: Reporter) -> Failure:
        try:
            if request["kind"] == "doctest":
                run_doctests(live.load(request["program"]), request["program"], reporter)
                return None
            return _run_pytest(request, reporter)
        except BaseException as error:
            return describe(error)


def _has_stale(program: Dict[str, Any]) -> bool:
    """Whether a package of the program was imported before its modules were replaced: it would not see them."""
    tops = {module["name"].partition(".")[0] for module in program["modules"]}
    return any(name.partition(".")[0] in tops for name in sys.modules)


def _of_installed_packages() -> List[str]:
    """Return names of imported modules that lie in the interpreter's own folders, in the order of their import."""
    places = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
    library = os.__file__.rpartition(os.sep)[0] + os.sep
    found: List[str] = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and (file.startswith(library) or any(place in file for place in places)):
            found.append(name)
    return found


def _settle_in(root: str) -> None:
    """Tests expect to run in their root and to be able to write somewhere; they must not litter the workspace."""
    os.environ.setdefault("HOME", tempfile.gettempdir())
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.chdir(root)


def _run_pytest(request: Message, reporter: Reporter) -> Failure:
    if PathFinder.find_spec("pytest") is None:
        return f"pytest is not installed for {sys.executable}"
    from .pytests import run_pytest

    return run_pytest(request["root"], request["selection"], request["deselect"], reporter)


def main(fd: int) -> None:
    """Serve the judge on an open descriptor until it closes the channel; never returns."""
    channel = serving.start(fd)
    serving.serve(channel, {"suite": Suite(channel).run})


def run_doctests(target: live.Live, program: Program, reporter: Reporter) -> None:
    """Run the groups in order, in one namespace made from the module's; ids are `doctest:<qualname>:<line>`.

    A group is a run of examples with nothing but blank lines between them; `line` is that of its first one in the file.
    """
    qualname, module = program["qualname"], sys.modules[program["module"]]
    names = dict(vars(module))
    file = getattr(module, "__file__", None)
    show_sources()
    for found in DocTestFinder(recurse=False).find((*target.watched, target.call)[0], qualname, module=False):
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
