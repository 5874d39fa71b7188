"""The module that a sandbox is given: the target's file, with or without the replacement."""

from __future__ import annotations

from codeens_sandbox_backends.base import ModuleSource, Program
from codeens_server.domain import Replacement, Target
from codeens_server.workspace.edit import splice
from codeens_server.workspace.snapshots import snapshot


def program_for(target: Target, replacement: Replacement | None) -> Program:
    """The target's module with the replacement in it; with None, as it stands.

    Raises:
        ChangedError: the file as it was is not at hand any more.
        ConflictError: the replacement would rebind a name of the module.
    """
    text = snapshot(target).text
    if replacement is not None:
        text = splice(text, target, replacement)
    folders = dict.fromkeys((target.import_root, target.root))
    return Program(
        module=target.module,
        qualname=target.qualname,
        modules=(ModuleSource(name=target.module, source=text, path=target.path),),
        sys_path=tuple(folders),
    )
