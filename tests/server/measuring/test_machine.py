"""What a run says of the machine that it was measured on."""

from __future__ import annotations

from codeens_server.domain.document import Machine
from codeens_server.measuring.machine import differences, this_machine, told


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


def test_two_machines_differ_in_what_bears_on_times() -> None:
    quiet = Machine(processor="EPYC", cores=2, load=0.2, python="3.12.1", system="Linux 6.18")
    busy = Machine(processor="EPYC", cores=2, load=7.9, python="3.12.2", system="Linux 6.18", governor="powersave")
    assert list(differences(quiet, quiet)) == []
    assert list(differences(quiet, busy)) == [
        "governor: not known, powersave",
        "Python: 3.12.1, 3.12.2",
        "load: 0.2, 7.9",
    ]
    assert list(differences(quiet, None)) == ["machine: not known of one"]
