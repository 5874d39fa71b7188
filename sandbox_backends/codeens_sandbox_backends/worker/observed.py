"""One call with all that it touches: its outcome, how it left its arguments, and what else it changed."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from functools import partial
from typing import Any, Callable, ContextManager, Dict, List, Mapping, Optional, Sequence, Tuple

from .calling import Arguments, decode_arguments
from .effects import Effects
from .failures import describe
from .parts import Parts
from .stepping import NOTHING, NUMBERS, TEXTS, Made, leave_early, make, send_into, throw_into
from .subclassed import as_subclasses, extended, has_classes
from .values.callbacks import CALLBACKS, Callback
from .values.codec import encode
from .values.coding import Shared
from .values.grammar import EncodeError
from .values.objects import type_name
from .variables import VALUES, set_to
from .zones import elsewhere

Message = Dict[str, Any]
_text: Callable[[Any], str] = repr
_type_of: Callable[[Any], Any] = type
_OUTPUT = frozenset(
    ("stdout", "stderr", "log", "warnings", "kept", "held", "memory", "iterated", "replaced", "rebound")
)
"""Effects that leave no state behind."""
_CALLBACKS = frozenset(kind.tag for kind in CALLBACKS)
_ANSWERED = frozenset(("returned", "raised"))
_NO_NUMBERS = ["tuple", "raises", "TypeError"]
_NO_SEND = ["tuple", "raises", "AttributeError"]
"""Of a generator that hands on to an iterator which takes nothing."""


def perform_observed(function: Callable[..., Any], call: Message, effects: Effects) -> Message:
    """Call the function and return the fields of an answer, as `calling.perform` does, effects included.

    A call that has loaded modules is made once more: what it did to them was not looked at. One that leaves another
    state behind, or something in the function's own defaults, is made twice more, in a row, and once more after one
    with another argument: what it does in that state is an effect too. One that calls what it was
    given is made once more, and called again from there. One of a class, or with instances of one, is made once more
    for made-up subclasses; where a program asks for local time, once more in another zone; where it reads environment
    variables, once more with each of some values.
    """
    try:
        decode_arguments(call)
    except BaseException as error:
        outcome = describe(error)
        return {"outcome": {**outcome, "message": f"the arguments cannot be made here: {outcome['message']}"}}
    answer = _performed(function, call, effects)
    if effects.grown():
        answer = _performed(function, call, effects)
    outcome, remembered = answer["outcome"], effects.remembered
    plain = _text(_summary(answer)) if remembered else ""
    of_subclasses = _of_subclasses(function, call, effects, plain=answer)
    around = {
        **_elsewhere(function, call, effects, plain=answer),
        **_with_variables(function, call, effects, plain=answer),
    }
    left = set(outcome.get("effects", ()))
    if answer.pop("can_be_left", False) and outcome["kind"] != "unencodable":
        for channel, effect in _when_used_otherwise(function, call, effects).items():
            _note(outcome, channel, effect)
    leaves_state = not _OUTPUT.issuperset(left)
    for channel, before in _earlier(call) if leaves_state or remembered else ():
        told = _summary(_performed(function, call, effects, before=before))
        if leaves_state or _text(told) != plain:
            _note(outcome, channel, told)
    for channel, effect in (*of_subclasses.items(), *around.items()):
        _note(outcome, channel, effect)
    if outcome["kind"] == "returned" and _calls_back(answer, call):
        _note(outcome, "re-entered", _summary(_reentered(function, call, effects)))
    return answer


def _of_subclasses(function: Callable[..., Any], call: Message, effects: Effects, *, plain: Message) -> Dict[str, Any]:
    """Return what the call does for made-up subclasses of its classes, by channel, where that differs."""
    if plain["outcome"]["kind"] not in _ANSWERED or not has_classes(function, decode_arguments(call)):
        return {}
    told, usual = _summary(_performed(function, call, effects, called_as=as_subclasses)), _text(_summary(plain))
    if _text(told) == usual:
        return {}
    # An instance of a made-up class has no encoding, so its type is told.
    kept = extended(told[2]) if told[1] == "unencodable" else ""
    return {"keeps subclass" if kept and _text(kept) in usual else "of subclasses": told}


def _elsewhere(function: Callable[..., Any], call: Message, effects: Effects, *, plain: Message) -> Dict[str, Any]:
    """Return what the call does in another time zone, by its channel, where that differs."""
    if plain["outcome"]["kind"] not in _ANSWERED or not effects.asks_for_local_time:
        return {}
    told = _summary(_performed(function, call, effects, called_as=elsewhere))
    return {"elsewhere": told} if _text(told) != _text(_summary(plain)) else {}


def _with_variables(function: Callable[..., Any], call: Message, effects: Effects, *, plain: Message) -> Dict[str, Any]:
    """Return what the call does where variables that the program reads are set, by its channel, if that differs."""
    if plain["outcome"]["kind"] not in _ANSWERED or not effects.variables:
        return {}
    settings = (partial(set_to, value, effects.variables) for value in VALUES)
    told = [_summary(_performed(function, call, effects, called_as=setting)) for setting in settings]
    usual = _text(_summary(plain))
    return {"with variables": ["list", *told]} if any(_text(one) != usual for one in told) else {}


def _calls_back(answer: Message, call: Message) -> bool:
    """Whether functions were given that answer the same each time, and were called."""
    given: List[Any] = [*call["args"], *call["kwargs"].values()]
    tags = {each[0] for each in given if _type_of(each) is list}
    return "same" not in answer and tags & _CALLBACKS == {"callback"}


def _reentered(function: Callable[..., Any], call: Message, effects: Effects) -> Message:
    """Return the answer of a call in which the first function among the arguments that is called makes the same call.

    That has arguments of its own: what it disturbs is what the function keeps while it runs.
    """
    effects.begin()
    arguments = decode_arguments(call)
    entered: List[bool] = []

    def enter() -> None:
        if not entered:
            entered.append(True)
            with suppress(Exception):  # the outer call goes on as it would
                args, kwargs = decode_arguments(call)
                make(lambda: function(*args, **kwargs), _look_at_nothing)

    for given in (*arguments[0], *arguments[1].values()):
        if isinstance(given, Callback):
            given.entering = enter
    return _answer(_made(function, arguments, effects), call, arguments, effects)


def _look_at_nothing(_: bool) -> Any:
    return None


def _note(outcome: Message, channel: str, effect: Any) -> None:
    outcome.setdefault("effects", {})[channel] = effect


def _earlier(call: Message) -> List[Tuple[str, Message]]:
    """Return calls that may be made before this one, by channel."""
    other = _with_another(call)
    return [("again", call), *([] if other is None else [("after another", other)])]


def _with_another(call: Message) -> Optional[Message]:
    """Return the call with the last number or text among its arguments changed; None where there is none."""
    args, kwargs = [*call["args"]], {**call["kwargs"]}
    for values, place in [*((kwargs, name) for name in reversed([*kwargs])), *((args, at) for at in _backwards(args))]:
        kind = _type_of(values[place])
        if kind is int or kind is float or kind is str:
            values[place] += "a" if kind is str else 1
            return {**call, "args": args, "kwargs": kwargs}
    return None


def _backwards(values: List[Any]) -> Any:
    return reversed(range(len(values)))


def _as_it_is(function: Callable[..., Any], _: Arguments) -> ContextManager[Callable[..., Any]]:
    return nullcontext(function)


def _performed(
    function: Callable[..., Any],
    call: Message,
    effects: Effects,
    before: Optional[Message] = None,
    called_as: Callable[[Callable[..., Any], Arguments], ContextManager[Callable[..., Any]]] = _as_it_is,
) -> Message:
    """Return the answer of a call, and the effects of it and of what is called before."""
    effects.begin()
    if before is not None:
        _made(function, decode_arguments(before), effects)
    arguments = decode_arguments(call)
    with called_as(function, arguments) as called:
        parts = Parts(arguments)
        made = _made(called, arguments, effects)
    replaced = parts.replaced(arguments)
    answer = _answer(made, call, arguments, effects)
    if replaced and answer["outcome"]["kind"] in _ANSWERED:
        _note(answer["outcome"], "replaced", ["list", *replaced])
    return {**answer, "can_be_left": True} if made.can_be_left else answer


def _made(function: Callable[..., Any], arguments: Arguments, effects: Effects) -> Made:
    args, kwargs = arguments
    return make(lambda: function(*args, **kwargs), partial(effects.look, arguments))


def _when_used_otherwise(function: Callable[..., Any], call: Message, effects: Effects) -> Message:
    """Return what a generator or context manager does when it is not just read to its end, by channel."""
    found = {**_used(leave_early, "left early", function, call, effects), **_handled(function, call, effects)}
    silent, sent = (_sent(function, call, effects, values) for values in (NOTHING, NUMBERS))
    if sent[-1:] in ([_NO_NUMBERS], [_NO_SEND]):
        sent = _sent(function, call, effects, TEXTS)
    if _text(sent) == _text(silent) or sent[-1] == _NO_SEND:
        return found
    thrown = _used(throw_into, "thrown into", function, call, effects)
    return {**found, "sent": ["list", *sent], **thrown}


def _handled(function: Callable[..., Any], call: Message, effects: Effects) -> Message:
    """Return the effect `handled` of a generator into which is thrown what it has handlers for."""
    if not effects.handlers.by_name():
        return {}
    effects.begin()
    kinds: List[Any] = []
    with suppress(Exception):  # what it raises is told already
        args, kwargs = decode_arguments(call)
        kinds = effects.handlers.of(function(*args, **kwargs))
    effects.taken(encode)
    told: List[Any] = []
    for kind in kinds:
        effects.begin()
        args, kwargs = arguments = decode_arguments(call)
        answer = _answer(throw_into(partial(function, *args, **kwargs), kind), call, arguments, effects)
        if answer["outcome"].get("type") != type_name(kind) or not _is_nothing(answer, type_name(kind)):
            told.append(["tuple", type_name(kind), _summary(answer)])
    return {"handled": ["list", *sorted(told)]} if told else {}


def _used(
    use: Callable[[Any], Made], channel: str, function: Callable[..., Any], call: Message, effects: Effects
) -> Message:
    effects.begin()
    args, kwargs = arguments = decode_arguments(call)
    used = _answer(use(partial(function, *args, **kwargs)), call, arguments, effects)
    return {} if _is_nothing(used) else {channel: _summary(used)}


def _sent(function: Callable[..., Any], call: Message, effects: Effects, values: Sequence[Any]) -> List[Any]:
    effects.begin()
    args, kwargs = arguments = decode_arguments(call)
    told = send_into(partial(function, *args, **kwargs), values, partial(effects.look, arguments))
    effects.taken(encode)
    return told


def _is_nothing(answer: Message, thrown: str = "ZeroDivisionError") -> bool:
    """Whether it did nothing that anybody sees but to end, or to pass on what was thrown."""
    outcome = answer["outcome"]
    ended = not outcome.get("value", True) or outcome.get("type") == thrown
    return "same" in answer and ended and "effects" not in outcome


def _summary(answer: Message) -> Any:
    """Return an answer as one encoded value."""
    outcome = answer["outcome"]
    told = outcome["value"] if "value" in outcome else outcome["type"]
    left = sorted(item for item in outcome.get("effects", {}).items() if item[0] != "held")
    return ["tuple", outcome["kind"], told, ["list", *outcome.get("args", ())], ["dict", *map(list, left)]]


def _answer(made: Made, call: Message, arguments: Arguments, effects: Effects) -> Message:
    """Encode arguments, result and effects, in this order: what is met again refers to where it was met first."""
    shared = Shared()
    part = partial(encode, shared=shared)
    where = ""
    refused: Any = None
    kept: Message = {}
    iterated: Message = {}
    fields: Message = {"kind": "returned"} if made.error is None else describe(made.error)
    args: List[Any] = []
    kwargs: Dict[str, Any] = {}
    try:
        for index, argument in enumerate(arguments[0]):
            where = str(index)
            args.append(part(argument))
        for where, argument in arguments[1].items():
            kwargs[where] = part(argument)
        argument = None  # is not to be one more that holds it
        where = "value"
        if made.error is not None:
            fields["attributes"] = effects.attributes(made.error, part)
        else:
            before = len(shared.known)
            fields["value"] = part(made.value[0])
            kept = effects.kept(made.value, arguments, shared, before)
        if made.iterated:
            iterated = _iterated(made.iterated, part)
    except EncodeError as error:
        refused = {"kind": "unencodable", "type": error.type_name, "where": where}
    except BaseException as error:
        refused = describe(error)
    left, unseen = effects.taken(part)
    if refused is not None:
        return {"outcome": refused}
    if left or kept or iterated:
        fields["effects"] = {**left, **kept, **iterated}
    if unseen:
        fields["unseen"] = unseen
    if _text(args) == _text(call["args"]) and (not kwargs or _text(kwargs) == _text(call["kwargs"])):
        return {"outcome": fields, "same": True}
    return {"outcome": {**fields, "args": args, "kwargs": kwargs}}


def _iterated(told: Mapping[str, Any], part: Callable[[Any], Any]) -> Message:
    """Return the effect `iterated`: steps are encoded already, what was yielded and returned is not."""
    parts = [[name, ["list", *value] if name == "steps" else part(value)] for name, value in sorted(told.items())]
    return {"iterated": ["dict", *parts]}
