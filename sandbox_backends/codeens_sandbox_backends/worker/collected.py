"""Test functions and classes of a module: found as pytest and unittest find them, and run.

What only pytest knows (fixtures, parameters, marks, setup functions) is left to pytest. The rest needs nothing beside
the standard library.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
import unittest
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any, Callable, Iterator, List, Optional, Tuple, Type

from .calling import run_coroutine

_SETUP = ("setup_module", "teardown_module", "setup_function", "teardown_function", "setUpModule", "tearDownModule")
_OF_CLASSES = ("setup_method", "teardown_method", "setup_class", "teardown_class", "setup", "teardown")
_OPTIONS = ("-q", "-x", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=")


class _Failed(BaseException):
    """A test of unittest's or pytest's did not pass; `error` is why. Not an `Exception`, so that no test catches it."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


def run_collected(module: ModuleType, ends: Tuple[Type[BaseException], ...]) -> None:
    """Run what a module defines as tests, up to the first that does not pass.

    Args:
        module: It has been run.
        ends: What is no failure of a test, but the end of all of them.

    Raises:
        BaseException: What that test raised, or one of `ends`.
    """
    functions = [value for name, value in vars(module).items() if _is_test_function(module, name, value)]
    classes = [value for name, value in vars(module).items() if _is_test_class(module, name, value)]
    if not functions and not classes:
        return
    try:
        if _needs_pytest(module, functions, classes):
            _run_by_pytest(module, ends)
        else:
            _run_here(functions, classes, ends)
    except _Failed as failed:
        raise failed.error from None


def _is_test_function(module: ModuleType, name: str, value: Any) -> bool:
    return name.startswith("test") and isinstance(value, FunctionType) and value.__module__ == module.__name__


def _is_test_class(module: ModuleType, name: str, value: Any) -> bool:
    if not isinstance(value, type) or value.__module__ != module.__name__:
        return False
    return issubclass(value, unittest.TestCase) or name.startswith("Test")


def _methods(test_class: Any) -> Iterator[str]:
    return (name for name in dir(test_class) if name.startswith("test") and callable(getattr(test_class, name)))


def _needs_pytest(module: ModuleType, functions: List[Any], classes: List[Any]) -> bool:
    plain = [value for value in classes if not issubclass(value, unittest.TestCase)]
    methods = [getattr(value, name) for value in plain for name in _methods(value)]
    takes = any(_count(function) > 0 for function in functions) or any(_count(method) > 1 for method in methods)
    sets_up = any(hasattr(module, name) for name in _SETUP) or any(
        hasattr(value, name) for value in plain for name in _OF_CLASSES
    )
    return takes or sets_up or "pytest" in vars(module) or any(hasattr(test, "pytestmark") for test in functions)


def _count(function: Callable[..., Any]) -> int:
    return len(inspect.signature(function).parameters)


def _run_here(functions: List[Any], classes: List[Any], ends: Tuple[Type[BaseException], ...]) -> None:
    for function in functions:
        _run(function)
    for value in classes:
        if issubclass(value, unittest.TestCase):
            unittest.defaultTestLoader.loadTestsFromTestCase(value).run(_Result(ends))
        else:
            for name in _methods(value):
                _run(getattr(value(), name))


def _run(test: Callable[[], Any]) -> None:
    try:
        result = test()
        if inspect.iscoroutine(result):
            run_coroutine(result)
    except unittest.SkipTest:
        return


class _Result(unittest.TestResult):
    """Ends the tests at the first that does not pass."""

    def __init__(self, ends: Tuple[Type[BaseException], ...]) -> None:
        super().__init__()
        self._ends = ends

    def addError(self, test: Any, err: Any) -> None:  # noqa: ARG002, N802
        """Of unittest's protocol."""
        ends = isinstance(err[1], (_Failed, *self._ends))  # one that was raised here inside a subtest comes again
        raise err[1] if ends else _Failed(err[1])

    addFailure = addError  # noqa: N815

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: ARG002, N802
        """Of unittest's protocol."""
        if err is not None:
            self.addError(subtest, err)

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        """Of unittest's protocol."""
        raise _Failed(AssertionError(f"{test} was expected to fail"))


class _PytestPlugin:
    """Has pytest collect a module that has been run already. Hooks are found by their names."""

    def __init__(self, module: ModuleType, ends: Tuple[Type[BaseException], ...]) -> None:
        self.module = module
        self.ends = ends
        self.ended: Optional[BaseException] = None
        self.failed: Optional[BaseException] = None

    def pytest_pycollect_makemodule(self, module_path: Any, parent: Any) -> Any:
        pytest: Any = import_module("pytest")
        made: Any = pytest.Module.from_parent(parent, path=module_path)
        made.obj = self.module
        return made

    def pytest_exception_interact(self, call: Any) -> None:
        error: BaseException = call.excinfo.value
        if isinstance(error, self.ends):
            self.ended = self.ended or error
        else:
            self.failed = self.failed or error


def _run_by_pytest(module: ModuleType, ends: Tuple[Type[BaseException], ...]) -> None:
    if find_spec("pytest") is None:
        raise ModuleNotFoundError(f"the tests need pytest, which is not installed for {sys.executable}")
    pytest: Any = import_module("pytest")
    plugin = _PytestPlugin(module, ends)
    with tempfile.NamedTemporaryFile(prefix="test_", suffix=".py") as file:  # pytest collects files that are there
        status = int(pytest.main([*_OPTIONS, "--rootdir", tempfile.gettempdir(), file.name], plugins=[plugin]))
    if plugin.ended is not None:
        raise plugin.ended
    if plugin.failed is not None:
        raise _Failed(plugin.failed)
    if status not in (0, 5):  # all passed; nothing was collected, and so nothing was called
        raise RuntimeError(f"pytest ended with status {status}")
