"""What the judge and the relay tell each other about one worker, once each (`inside/relay.py`)."""

from __future__ import annotations

from msgspec import Struct

from codeens_sandbox_backends.local.limits import Rlimit


class Greeting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a relay says of the system that it runs on."""

    machine: str
    """As `os.uname().machine`."""
    python: str
    """Version of its interpreter, which is the worker's too: "3.11"."""
    executable: str
    refusal: str
    """What keeps it from giving workers namespaces; empty when nothing does."""


class Order(Struct, frozen=True, kw_only=True):
    """All that a relay must know to start a worker."""

    nonce: str
    text: str
    """Python source that the worker's interpreter is started with; its standard input is the channel."""
    environment: dict[str, str]
    rlimits: tuple[Rlimit, ...]
    filter: str
    """The system call filter, in base64."""
    shown: tuple[str, ...]
    """Absolute paths of the bundle that are shown at their place."""
    links: tuple[tuple[str, str], ...]
    covered: tuple[str, ...]
    """Absolute paths that must not be read."""
    disk_bytes: int
    memory_bytes: int
    output_bytes: int
    silence_s: float
    """The relay ends everything when it has heard nothing for that long."""


class Report(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a worker ended. `failed` alone: it could not be started."""

    failed: str = ""
    status: int = 0
    """As wait(2) tells it."""
    cpu_s: float | None = None
    peak_rss_bytes: int | None = None
    over_memory: bool = False
    dropped_bytes: int = 0
