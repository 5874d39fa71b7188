"""The system call filter, run on a small machine that executes the same instructions as the kernel's."""

from __future__ import annotations

import errno
import struct

import pytest

from codeens_sandbox_backends.host.seccomp import program
from codeens_sandbox_backends.host.syscalls import Architecture, architecture

_ALLOWED = 0x7FFF0000
_KILLED = 0x80000000
_REFUSED = 0x00050000 | errno.EPERM
_ABSENT = 0x00050000 | errno.ENOSYS
_FORK = 17  # SIGCHLD alone
_NEW_USER = 0x10000000


def _known(machine: str) -> Architecture:
    found = architecture(machine)
    assert found is not None
    return found


def _decide(machine: str, number: int, first_argument: int = 0, audit_arch: int | None = None) -> int:
    code = program(_known(machine))
    steps = [struct.unpack_from("<HBBI", code, at) for at in range(0, len(code), 8)]
    arch = _known(machine).audit_arch if audit_arch is None else audit_arch
    data = struct.pack("<IIQQ", number, arch, 0, first_argument)
    accumulator, at = 0, 0
    while True:
        operation, on_true, on_false, operand = steps[at]
        at += 1
        match operation:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, operand)[0]
            case 0x06:
                return operand
            case 0x15:
                at += on_true if accumulator == operand else on_false
            case 0x35:
                at += on_true if accumulator >= operand else on_false
            case 0x45:
                at += on_true if accumulator & operand else on_false
            case _:
                raise AssertionError(f"not an instruction of the filter: {operation:#x}")


@pytest.mark.parametrize(
    ("machine", "refused", "allowed"),
    [
        # socket, ptrace, mount, unshare, setns, bpf, io_uring_setup; read, socketpair, execve, exit_group
        ("x86_64", (41, 101, 165, 272, 308, 321, 425), (0, 53, 59, 231)),
        ("aarch64", (198, 117, 40, 97, 268, 280, 425), (63, 199, 221, 94)),
    ],
)
def test_only_calls_that_attack_are_refused(machine: str, refused: tuple[int, ...], allowed: tuple[int, ...]) -> None:
    assert [_decide(machine, number) for number in refused] == [_REFUSED] * len(refused)
    assert [_decide(machine, number) for number in allowed] == [_ALLOWED] * len(allowed)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_process_may_fork_but_not_into_new_namespaces(machine: str) -> None:
    clone = _known(machine).numbers["inspected"]["clone"]
    assert _decide(machine, clone, _FORK) == _ALLOWED
    assert _decide(machine, clone, _FORK | _NEW_USER) == _REFUSED


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_clone3_whose_flags_cannot_be_seen_does_not_exist(machine: str) -> None:
    assert _decide(machine, 435) == _ABSENT


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_another_architectures_calls_end_the_process(machine: str) -> None:
    assert _decide(machine, 0, audit_arch=0x40000003) == _KILLED


def test_the_x32_convention_ends_the_process() -> None:
    assert _decide("x86_64", 0x40000000) == _KILLED
