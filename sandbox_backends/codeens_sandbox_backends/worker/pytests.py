"""Runs pytest in this process and reports each test."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from .failures import bounded

if TYPE_CHECKING:
    from .suite import Reporter

_OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--continue-on-collection-errors"]
_USAGE_ERROR = 4
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
        self.internal = bounded(str(excrepr))

    def _decisive(self) -> Optional[Any]:
        """Return the first phase that did not pass, else the last."""
        unusual = [report for report in self._phases if not report.passed]
        return (unusual or self._phases or [None])[0 if unusual else -1]

    def _report(self, test: str, outcome: str, message: str, seconds: float) -> None:
        self.reported += 1
        self.reporter.report(test, outcome, message, seconds)


def _outcome(report: Optional[Any]) -> str:
    if report is None:
        return "error"
    if report.failed:
        return "failed" if report.when == "call" else "error"
    return "skipped" if report.skipped else "passed"


def run_pytest(root: str, selection: List[str], reporter: Reporter) -> Optional[str]:
    """Run the selected tests; a sentence where the suite as a whole did not run to its end."""
    pytest: Any = import_module("pytest")
    plugin = _Plugin(reporter)
    arguments = [*_OPTIONS, "--rootdir", root, *selection]
    status = int(pytest.main([*arguments], plugins=[plugin]))  # it changes the list
    if status == _USAGE_ERROR and not plugin.reported:
        # The project's own options may ask for plugins that are not here.
        status = int(pytest.main([*arguments, "-o", "addopts="], plugins=[plugin]))
    return _failure(status, plugin)


def _failure(status: int, plugin: _Plugin) -> Optional[str]:
    sentences: Dict[int, str] = _SENTENCES
    sentence = sentences.get(status)
    return f"{sentence}: {plugin.internal}" if sentence and plugin.internal else sentence
