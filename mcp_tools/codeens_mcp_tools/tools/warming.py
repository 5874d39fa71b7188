"""Imports what tools need, in a thread, once a client is about to use it: the first answers do not wait for it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import anyio.to_thread

_MODULE = "codeens_mcp_tools.tools.handlers"


async def warm() -> ModuleType:
    """The module `work`."""
    return await anyio.to_thread.run_sync(import_module, _MODULE)
