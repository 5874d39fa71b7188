"""Takes the answer to one call off the wire, or finds that it is none."""

from __future__ import annotations

from msgspec import structs

from codeens_sandbox_backends.base import CallInput, Outcome, Raised, Returned, Unencodable
from codeens_sandbox_backends.driver.session import Lost, Session
from codeens_sandbox_backends.driver.wire import Answer
from codeens_sandbox_backends.values.check import well_formed_outcome


def receive_answer(session: Session, call: CallInput, index: int, deadline: float) -> tuple[Outcome, int]:
    """The outcome of the call with that index, and its peak of traced bytes (0 when not watched).

    Raises:
        Lost: There is no answer before the deadline, or it is not one to this call.
    """
    answer = _answer(session, index, deadline)
    return checked(answer.outcome, call, same=answer.same), max(0, answer.peak)


def receive_change(session: Session, index: int, deadline: float) -> Outcome:
    """The same outcome, without arguments where the call has left them as they were.

    Raises:
        Lost: There is no answer before the deadline, or it is not one to this call.
    """
    return _well_formed(_answer(session, index, deadline).outcome)


def checked(outcome: Returned | Raised | Unencodable, call: CallInput, *, same: bool) -> Outcome:
    """The outcome with its arguments, made sure to be encoded values.

    Raises:
        Lost: It does not.
    """
    outcome = _well_formed(outcome)
    if same and not isinstance(outcome, Unencodable):
        outcome = structs.replace(outcome, args=call.args, kwargs=call.kwargs)
    return outcome


def _answer(session: Session, index: int, deadline: float) -> Answer:
    answer = session.receive(Answer, deadline)
    if answer.index != index:
        raise Lost("protocol", f"call {index} was to be answered, and {answer.index} was")
    return answer


def _well_formed(outcome: Returned | Raised | Unencodable) -> Returned | Raised | Unencodable:
    if not well_formed_outcome(outcome):
        raise Lost("protocol", "an answer holds something that is not an encoded value")
    return outcome
