"""What all tests share, and how they are dealt out to several workers."""

from __future__ import annotations

import gc
import inspect
import os
import ssl
import sys
from collections.abc import Generator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, cast

import pytest

from codeens_sandbox_backends.local import bwrap
from tests.hardly_timed import WITHOUT_PLUGINS

if TYPE_CHECKING:
    from tests.clusters import LocalCluster

OF_REAL_TOOLS = frozenset({"daemon", "daemon_host", "daytona", "e2b"})
"""Fixtures of services from outside, whose tests take seconds."""
LONGEST_NAME = 120
SHARED_SERVICES = ("daytona", "e2b", "ray_cluster")
"""Fixtures of a session that take seconds to import and to start."""

# Ray reads it when the first test imports it: else it takes the address by which others know this machine for its own.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
# jsonschema, where this is there, makes parsers for all forms of addresses as it is imported, which takes seconds.
cast("dict[str, object]", sys.modules).setdefault("rfc3987_syntax", None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Generator[None]:
    """Each client of HTTP would read those of the machine anew, which takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def suites_in_sandboxes_load_no_plugins() -> Generator[None]:
    """Each pytest of a workspace would load the plugins that are installed beside these tests, for a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bwrap.ENVIRONMENT, *WITHOUT_PLUGINS)
        yield


@pytest.fixture(scope="session")
def ray_cluster() -> Generator[LocalCluster]:
    """Started when first asked for, which takes many seconds."""
    from tests.clusters import started_cluster, why_no_cluster  # Ray takes a second to import

    if reason := why_no_cluster():
        pytest.skip(f"not run: {reason}")
    with started_cluster() as cluster:
        yield cluster


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name long texts by their beginning: some have thousands of lines, and workers send every name around."""
    text = val.decode("latin-1") if isinstance(val, bytes) else val
    return f"{text[:LONGEST_NAME]}..." if isinstance(text, str) and len(text) > LONGEST_NAME else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep all that is collected from the garbage collector, which else looks through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark scenes, and keep tests that share a fixture on one worker (`--dist loadgroup`): it is made once."""
    if isinstance(item, pytest.Function):
        if not OF_REAL_TOOLS.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.scene)
        for service in SHARED_SERVICES:
            if service in item.fixturenames:
                item.add_marker(pytest.mark.xdist_group(service))
                return
    module: object = getattr(item, "module", None)
    if isinstance(module, ModuleType) and _has_a_fixture_for_the_file(module):
        item.add_marker(pytest.mark.xdist_group(module.__name__))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let several workers begin with what may take longest, so that nobody waits for it alone at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=_may_take_s, reverse=True)


def _may_take_s(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    return float(limit.args[0] if limit else item.config.getini("timeout"))


@cache
def _has_a_fixture_for_the_file(module: ModuleType) -> bool:
    return 'fixture(scope="module")' in inspect.getsource(module)
