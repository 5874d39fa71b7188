"""Takes the answer to one call off the wire, or finds that it is none."""

from __future__ import annotations

from msgspec import structs

from codeens_sandbox_backends.driver.session import WorkerLost, WorkerSession
from codeens_sandbox_backends.driver.wire import CallAnswer
from codeens_sandbox_backends.programs import CallInput, Outcome, Raised, Returned, Unencodable
from codeens_sandbox_backends.values.check import well_formed_outcome


def receive_answer(session: WorkerSession, call: CallInput, index: int, deadline: float) -> tuple[Outcome, int]:
    """Return the outcome of the call, and its peak of traced bytes (-1: unknown; 0 when not watched).

    Raises:
        WorkerLost: There is no answer before the deadline, or it is not one to this call.
    """
    answer = _answer(session, index, deadline)
    return checked(answer.outcome, call, same=answer.same), max(-1, answer.peak)


def receive_change(session: WorkerSession, index: int, deadline: float) -> Outcome:
    """Return the outcome of the call with that index, without arguments that the call left unchanged.

    Raises:
        WorkerLost: There is no answer before the deadline, or it is not one to this call.
    """
    return _well_formed(_answer(session, index, deadline).outcome)


def checked(outcome: Returned | Raised | Unencodable, call: CallInput, *, same: bool) -> Outcome:
    """Return the outcome with its arguments, after checking that all are encoded values.

    Raises:
        WorkerLost: It does not.
    """
    outcome = _well_formed(outcome)
    if same and not isinstance(outcome, Unencodable):
        outcome = structs.replace(outcome, args=call.args, kwargs=call.kwargs)
    return outcome


def _answer(session: WorkerSession, index: int, deadline: float) -> CallAnswer:
    answer = session.receive(CallAnswer, deadline)
    if answer.index != index:
        raise WorkerLost("protocol", f"call {index} was to be answered, and {answer.index} was")
    return answer


def _well_formed(outcome: Returned | Raised | Unencodable) -> Returned | Raised | Unencodable:
    if not well_formed_outcome(outcome):
        raise WorkerLost("protocol", "an answer holds something that is not an encoded value")
    return outcome
