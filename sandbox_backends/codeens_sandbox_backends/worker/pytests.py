"""Runs pytest in this process and reports each test."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from .failures import bounded

if TYPE_CHECKING:
    from .suite import Reporter

_OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--continue-on-collection-errors"]
_USAGE_ERROR = 4
_MOST_KEPT = 4000
"""Characters."""
_GIVE_BENCHMARK = ("pytest_codspeed", "codspeed")
"""Other plugins with that fixture, as they are registered."""
_SENTENCES = {
    2: "pytest was interrupted",
    3: "pytest failed internally",
    4: "pytest could not start with this project's options",
}


class _Plugin:
    """Puts the phases of each test together. Hooks are found by their names."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.reported = 0
        self._phases: List[Any] = []
        self.internal = ""

    def pytest_configure(self, config: Any) -> None:
        """Have benchmarks call their function once: what is timed here is timed elsewhere."""
        if hasattr(config.option, "benchmark_disable"):
            config.option.benchmark_disable = True
        elif not any(config.pluginmanager.hasplugin(name) for name in _GIVE_BENCHMARK):
            config.addinivalue_line("markers", "benchmark: options of pytest-benchmark")
            config.pluginmanager.register(_stand_in())

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._phases.clear()
        self.reporter.begin(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.outcome in ("passed", "failed", "skipped"):  # plugins report attempts of their own beside these
            self._phases.append(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        decisive = self._decisive()
        seconds = sum(float(report.duration) for report in self._phases)
        message = bounded(decisive.longreprtext) if decisive and not decisive.passed else ""
        self._report(nodeid, _outcome(decisive), message, seconds)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.reporter.begin(report.nodeid)
            self._report(report.nodeid, "error", bounded(report.longreprtext), 0.0)

    def pytest_internalerror(self, excrepr: Any) -> None:
        self.internal = str(excrepr)

    def _decisive(self) -> Optional[Any]:
        """Return the first phase that did not pass, else the last."""
        unusual = [report for report in self._phases if not report.passed]
        return (unusual or self._phases or [None])[0 if unusual else -1]

    def _report(self, test: str, outcome: str, message: str, seconds: float) -> None:
        self.reported += 1
        self.reporter.report(test, outcome, message, seconds)


class Benchmark:
    """What pytest-benchmark gives tests, where it is not installed: calls what it is given, once."""

    def __init__(self) -> None:
        self.extra_info: Dict[str, Any] = {}
        self.group: Optional[str] = None

    def __call__(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def pedantic(
        self,
        target: Any,
        args: Tuple[Any, ...] = (),
        kwargs: Optional[Dict[str, Any]] = None,
        setup: Any = None,
        teardown: Any = None,
        **_: int,
    ) -> Any:
        """Call it with what `setup` makes, where that makes anything."""
        given = (setup() if setup else None) or (args, kwargs or {})
        result = target(*given[0], **given[1])
        if teardown:
            teardown(*given[0], **given[1])
        return result


def _stand_in() -> Any:
    """Return a plugin that gives the fixture `benchmark`."""
    pytest: Any = import_module("pytest")

    class StandIn:
        @pytest.fixture
        def benchmark(self) -> Benchmark:
            return Benchmark()

    return StandIn()


def _outcome(report: Optional[Any]) -> str:
    if report is None:
        return "error"
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return "skipped" if report.skipped else "passed"


def run_pytest(root: str, selection: List[str], deselect: List[str], reporter: Reporter) -> Optional[str]:
    """Run the selected tests; a sentence where the suite as a whole did not run to its end."""
    pytest: Any = import_module("pytest")
    plugin = _Plugin(reporter)
    left_out = [part for test in deselect for part in ("--deselect", test)]
    arguments = [*_OPTIONS, "--rootdir", root, *left_out, *selection]
    status, printed = _main(pytest, [*arguments], plugin)  # pytest changes the list
    if status == _USAGE_ERROR and not plugin.reported:
        # The project's own options may ask for plugins that are not here.
        status, printed = _main(pytest, [*arguments, "-o", "addopts="], plugin)
    return _failure(status, plugin.internal or printed)


def _main(pytest: Any, arguments: List[str], plugin: _Plugin) -> Tuple[int, str]:
    """Run pytest; its exit status, and what it said to standard error."""
    kept = _Kept(sys.stderr)
    errors: Any = kept
    sys.stderr = errors
    try:
        return int(pytest.main(arguments, plugins=[plugin])), kept.text
    finally:
        sys.stderr = kept.stream


class _Kept:
    """Passes on what is written to a stream, and keeps the end of it."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.text = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> Any:
        self.text = (self.text + text)[-_MOST_KEPT:]
        return self.stream.write(text)


def _failure(status: int, said: str) -> Optional[str]:
    """Return what the status means, with the last line of what pytest said: the one that names the error."""
    sentences: Dict[int, str] = _SENTENCES
    sentence = sentences.get(status)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if sentence is None or not lines:
        return sentence
    last = lines[-1].removeprefix("E ")
    return f"{sentence}: {bounded(last.strip())}"
