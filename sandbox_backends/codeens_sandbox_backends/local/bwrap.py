"""Workers under bubblewrap: namespaces of their own, an unprivileged user, a system call filter, limits."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.errors import SandboxBroken, SandboxUnavailable
from codeens_sandbox_backends.host import seccomp
from codeens_sandbox_backends.host.layout import layout_of, source_of
from codeens_sandbox_backends.host.limits import Rlimit, process_bound, rlimits
from codeens_sandbox_backends.host.pidfd import parent_of
from codeens_sandbox_backends.host.process import LocalProcess, prepared
from codeens_sandbox_backends.host.start import INTERPRETER_FLAGS, bootstrap, start
from codeens_sandbox_backends.host.syscalls import architecture
from codeens_sandbox_backends.host.worker_code import worker_folder
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.local.staging import NOBODY, Staging, stage

LABEL = "bubblewrap: own namespaces, no network, unprivileged user, system call filter"
_HOME = "/tmp"  # noqa: S108  # inside, where it is a tmpfs of the worker's own
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # likewise
_WORKER_PARENT = "/codeens"
ENVIRONMENT = {
    "HOME": _HOME,
    "TMPDIR": _HOME,
    "USER": "nobody",
    "LOGNAME": "nobody",
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    # Numeric libraries start a thread, and reserve memory, for each processor.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
_ACCOUNTS = {
    "/etc/passwd": f"nobody:x:{NOBODY}:{NOBODY}:nobody:{_HOME}:/usr/sbin/nologin\n",
    "/etc/group": f"nogroup:x:{NOBODY}:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\n",
}
"""What `pwd`, `grp` and `getpass` look up: the one user that there is inside."""
_NO_PLACES = (
    *("--dev", "/dev", "--tmpfs", _SHARED_MEMORY, "--remount-ro", _SHARED_MEMORY, "--remount-ro", "/dev"),
    *("--dir", _HOME),
)
"""Without /proc, and with nothing that can be written: the folders are there, and empty."""
_ISOLATION = (
    "--unshare-all",
    "--unshare-user",
    "--disable-userns",
    "--uid",
    str(NOBODY),
    "--gid",
    str(NOBODY),
    "--hostname",
    "sandbox",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--clearenv",
)


class BwrapLauncher:
    """Starts workers. The thread that calls `launch` must outlive the worker: bubblewrap ends with that thread."""

    def __init__(self, spec: SandboxSpec) -> None:
        """Raises `SandboxUnavailable` when this machine or this spec does not allow it."""
        machine = architecture(os.uname().machine)
        if machine is None:
            raise SandboxUnavailable(
                "local", f"no system call filter for {os.uname().machine}", "Use an x86_64 or aarch64 machine"
            )
        self._python = spec.python
        self.machine = machine
        self._filter = seccomp.program(machine)
        self._layout = layout_of(spec, backend="local")
        self._worker = worker_folder()
        private = (*self._layout.private, self._worker, *(source for _, source in spec.placed))
        self._staging = stage(private) if os.geteuid() == 0 else None
        places = self._staging.places if self._staging else {source: source for source in private}
        self._prefix = _as_nobody(self._staging) if self._staging else ()
        self._binds = [option for source in self._layout.system for option in ("--ro-bind", source, source)]
        shown = sorted([*((source, source) for source in self._layout.private), *spec.placed])
        self._binds += [option for place, source in shown for option in ("--ro-bind", places[source], place)]
        self._binds += ["--ro-bind", places[self._worker], f"{_WORKER_PARENT}/codeens_worker"]
        self._binds += [option for place, target in self._layout.links for option in ("--symlink", target, place)]
        hidden = [(path, source_of(path, spec.placed) or os.path.realpath(path)) for path in spec.hidden]
        self._hidden = tuple(option for path, source in hidden for option in _covered(os.path.realpath(path), source))

    def close(self) -> None:
        """Let go of what workers are started from; running ones are not touched."""
        if self._staging:
            self._staging.close()
            self._staging = None

    @property
    def uid(self) -> int:
        """The user that workers are, outside."""
        return NOBODY if self._staging else os.geteuid()

    def launch(self, kind: WorkerKind, limits: Limits) -> LocalProcess:
        """Start a worker; see `driver.launcher.Launcher`."""
        hidden = () if kind == "suite" else self._hidden
        text = bootstrap(kind, _WORKER_PARENT, self._rlimits(limits))
        return self._start(text, limits, self._own_places(limits), hidden)

    def launch_zygote(self, limits: Limits) -> LocalProcess:
        """Start the process that warm workers are forked from (`worker/zygote.py`), where nothing can be written."""
        text = bootstrap("zygote", _WORKER_PARENT, self._rlimits(limits))
        return self._start(text, limits, (*_NO_PLACES, "--setenv", "LD_BIND_NOW", "1"), self._hidden)

    def launch_suite_zygote(self, limits: Limits) -> LocalProcess:
        """Start the process that warm suites are forked from (`worker/suite_zygote.py`), with all that suites have."""
        text = bootstrap("suite_zygote", _WORKER_PARENT, self._rlimits(limits))
        return self._start(text, limits, self._own_places(limits), ())

    def _rlimits(self, limits: Limits) -> tuple[Rlimit, ...]:
        return rlimits(limits, processes=process_bound(limits, uid=self.uid, own_namespace=True))

    def _start(self, text: str, limits: Limits, places: tuple[str, ...], hidden: tuple[str, ...]) -> LocalProcess:
        with ExitStack() as given:
            filter_fd = _descriptor(self._filter, given)
            accounts = {path: _descriptor(said.encode(), given) for path, said in _ACCOUNTS.items()}
            binds = [option for path, fd in accounts.items() for option in ("--ro-bind-data", str(fd), path)]
            inside = [self._python, *INTERPRETER_FLAGS, "-c", text]
            started = start(
                [*self._prefix, *self._command((*places, *binds), hidden, filter_fd), *inside],
                env={"PATH": os.environ.get("PATH", os.defpath)},
                cwd="/",
                pass_fds=(filter_fd, *accounts.values()),
            )
        try:
            root = parent_of(started.pid)
        except OSError as error:
            raise SandboxBroken(f"a sandboxed process did not stay: {started.discard()}") from error
        return prepared(started, limits, root=root, wrapped=True)

    def _own_places(self, limits: Limits) -> tuple[str, ...]:
        """Return what a worker has for itself: its processes' folder, and folders to write to."""
        disk = str(limits.disk_bytes)
        return (
            *("--proc", "/proc", "--dev", "/dev", "--size", disk, "--tmpfs", _SHARED_MEMORY, "--remount-ro", "/dev"),
            *("--size", disk, "--tmpfs", _HOME),
        )

    def _command(self, places: tuple[str, ...], hidden: tuple[str, ...], filter_fd: int) -> list[str]:
        environment = [option for name, value in ENVIRONMENT.items() for option in ("--setenv", name, value)]
        return [
            "bwrap",
            *_ISOLATION,
            *environment,
            *places,
            *self._binds,
            *hidden,
            *("--remount-ro", "/", "--chdir", _HOME, "--seccomp", str(filter_fd), "--"),
        ]


def _descriptor(data: bytes, given: ExitStack) -> int:
    """Return a descriptor, closed with `given`, from which the data can be read once."""
    descriptor = os.memfd_create("codeens")
    given.callback(os.close, descriptor)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _covered(path: str, source: str) -> tuple[str, ...]:
    """Return options that cover a path, which shows what lies at `source`, with nothing."""
    if Path(source).is_dir():
        return "--tmpfs", path, "--remount-ro", path
    return ("--ro-bind", os.devnull, path) if Path(source).is_file() else ()


def _as_nobody(staging: Staging) -> tuple[str, ...]:
    """Return the command that enters the staged mounts and gives up root for what follows."""
    namespace = f"/proc/{os.getpid()}/fd/{staging.namespace}"
    return ("nsenter", f"--mount={namespace}", f"--setuid={NOBODY}", f"--setgid={NOBODY}", "--")


def missing_tool() -> tuple[str, str] | None:
    """Return what must be installed before bubblewrap can be tried: (why, fix)."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed", "Install it (Debian, Ubuntu: apt-get install bubblewrap)"
    for tool in ("nsenter", "unshare"):
        if os.geteuid() == 0 and shutil.which(tool) is None:
            return f"{tool} is not installed", "Install util-linux, or run codeens as an ordinary user"
    return None


_SETTINGS = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)
"""Name, the value that forbids, the value that allows. Of Ubuntu, of Debian, of every Linux."""
_APPARMOR = (
    "Allow them for bubblewrap alone: apt-get install apparmor-profiles && "
    "ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && "
    "apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict. Or for every program. "
)
"""Ubuntu forbids them to programs without a profile; it has one for bubblewrap, whose children stay restricted."""
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def namespace_fix(settings: Path = Path("/proc/sys")) -> str:
    """Return one sentence; `settings` is the folder that the kernel shows its settings in."""
    for name, forbids, allows in _SETTINGS:
        file = settings.joinpath(*name.split("."))
        if file.is_file() and file.read_text(encoding="utf-8").strip() == forbids:
            narrow = _APPARMOR if "apparmor" in name else ""
            return f"{narrow}Allow unprivileged user namespaces: sysctl -w {name}={allows}"
    if any(Path(mark).exists() for mark in _CONTAINER_MARKS):
        return "Start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    return "Use bubblewrap 0.8 or newer, and allow unprivileged user namespaces"
