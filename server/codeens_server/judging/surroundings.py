"""Names with which code looks at where and when it runs: it could be right in a sandbox and wrong elsewhere.

No sandbox can show that. Code that looks at something of a kind which the original does not look at is not offered.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from codeens_server.judging.tampering import full_name, imported_names

_KINDS: Final[dict[str, frozenset[str]]] = {
    "the file system": frozenset(
        {
            *(f"os.{name}" for name in ("access", "getcwd", "listdir", "lstat", "readlink", "scandir", "stat", "walk")),
            *(f"os.path.{name}" for name in ("abspath", "exists", "expanduser", "getmtime", "getsize", "isdir")),
            *(f"os.path.{name}" for name in ("isfile", "islink", "ismount", "lexists", "realpath", "samefile")),
            *("glob.glob", "glob.iglob", "io.open", "os.open", "open", "shutil.disk_usage", "shutil.which"),
            *("pathlib.Path.cwd", "pathlib.Path.home"),
        }
    ),
    "the environment": frozenset({"os.environ", "os.environb", "os.getenv", "sys.argv", "sys.flags", "sys.orig_argv"}),
    "the clock": frozenset(
        {
            *(f"time.{name}" for name in ("time", "localtime", "gmtime", "monotonic", "perf_counter", "process_time")),
            *(f"time.{name}_ns" for name in ("time", "monotonic", "perf_counter", "process_time")),
            *("time.ctime", "time.strftime", "time.thread_time", "time.clock_gettime"),
            *(f"datetime.datetime.{name}" for name in ("now", "today", "utcnow")),
            *("datetime.date.today", "datetime.now", "datetime.today", "datetime.utcnow", "date.today"),
        }
    ),
    "other programs": frozenset(
        {
            *(f"os.{name}" for name in ("popen", "posix_spawn", "posix_spawnp", "startfile", "system")),
            *(f"os.spawn{name}" for name in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
            *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
        }
    ),
    "the machine": frozenset(
        {
            *(
                f"os.{name}"
                for name in ("cpu_count", "getegid", "geteuid", "getgid", "getloadavg", "getlogin", "getpid")
            ),
            *(f"os.{name}" for name in ("getppid", "getuid", "sched_getaffinity", "times", "uname")),
            *("sys.executable", "sys.gettrace", "sys.platform", "sys.prefix", "threading.active_count", "uuid.getnode"),
        }
    ),
}
_MODULES: Final = {
    "other programs": frozenset({"subprocess", "pty", "pexpect", "sh"}),
    "the machine": frozenset({"getpass", "grp", "platform", "psutil", "pwd", "resource", "socket", "sysconfig"}),
}
_METHODS: Final = {
    "the file system": frozenset({"is_file", "is_dir", "is_mount", "iterdir", "read_text", "read_bytes", "expanduser"}),
}


_FILE_CHANGES = frozenset(
    f"os.{name}"
    for name in (
        *("makedirs", "mkdir", "remove", "removedirs", "rename", "renames", "replace", "rmdir", "symlink", "link"),
        *("truncate", "unlink", "utime", "chmod", "chown"),
    )
)
_FILE_MODULES = ("shutil.", "tempfile.")
_FILE_METHODS = frozenset({"mkdir", "rename", "rmdir", "symlink_to", "touch", "unlink", "write_bytes", "write_text"})


def touched(module: ast.Module) -> set[str]:
    """Return what kinds of surroundings a module changes, and so may look at."""
    imported = dict(imported_names(module))
    attributes = [node for node in ast.walk(module) if isinstance(node, ast.Attribute)]
    names = {full_name(node, imported) for node in attributes}
    changes = any(name in _FILE_CHANGES or name.startswith(_FILE_MODULES) for name in names)
    return {"the file system"} if changes or any(node.attr in _FILE_METHODS for node in attributes) else set()


def surroundings(module: ast.Module) -> dict[str, str]:
    """Return what kinds of surroundings a module looks at, each with the first name by which it does."""
    imported = dict(imported_names(module))
    found: dict[str, str] = {}
    for node in ast.walk(module):
        for kind, name in _looks(node, imported):
            found.setdefault(kind, name)
    return found


def _looks(node: ast.AST, imported: dict[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = [full for _, full in imported_names(ast.Module(body=[node], type_ignores=[]))]
        yield from ((kind, name) for name in names for kind in _kinds_of(name))
    elif isinstance(node, ast.Attribute):
        yield from ((kind, node.attr) for kind, methods in _METHODS.items() if node.attr in methods)
        name = full_name(node, imported)
        yield from ((kind, name) for kind in _kinds_of(name))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
        yield "the file system", "open"


def _kinds_of(name: str) -> Iterator[str]:
    root = name.partition(".")[0]
    yield from (kind for kind, modules in _MODULES.items() if root in modules)
    yield from (kind for kind, names in _KINDS.items() if name in names)
