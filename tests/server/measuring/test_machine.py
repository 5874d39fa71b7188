"""What a run says of the machine that it was measured on."""

from __future__ import annotations

from codeens_server.domain.document import Machine
from codeens_server.measuring.machine import this_machine, told


def test_this_machine_has_a_processor_cores_and_a_python() -> None:
    found = this_machine()
    assert found.processor
    assert found.cores >= 1
    assert found.python.startswith("3.")
    assert found.system


def test_what_is_not_known_is_left_out() -> None:
    machine = Machine(
        processor="EPYC", cores=2, load=1.25, python="3.12.1", system="Linux 6.18", governor="performance"
    )
    assert told(machine) == "EPYC, 2 cores, load 1.2, governor performance, Python 3.12.1, Linux 6.18"
    assert told(Machine(processor="M1", cores=1, python="3.11.0", system="Darwin 23")) == (
        "M1, 1 core, Python 3.11.0, Darwin 23"
    )
