"""Calls taken apart into named arguments and put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codeens_sandbox_backends.base import CallInput, Encoded
from codeens_server.domain import Parameter, Target

_POSITIONAL = frozenset({"positional", "normal"})
_BY_NAME = frozenset({"normal", "keyword"})


def parameters_of(target: Target) -> list[Parameter]:
    """The parameters that a call gives; `self` is one of them, `cls` is not."""
    parameters = list(target.parameters)
    return parameters[1:] if target.kind == "classmethod" else parameters


def has_instance(target: Target) -> bool:
    """Whether the first argument of a call is the instance."""
    return target.kind in {"method", "property"}


def named(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Those that one value is given for: not `*args` and `**kwargs`."""
    return [parameter for parameter in parameters if parameter.kind not in {"var_positional", "var_keyword"}]


def variadic(parameters: Sequence[Parameter]) -> Parameter | None:
    """The parameter `*args`, if there is one."""
    return next((parameter for parameter in parameters if parameter.kind == "var_positional"), None)


def take_apart(call: CallInput, parameters: Sequence[Parameter]) -> dict[str, Encoded] | None:
    """Values by parameter name, that of `*args` a tuple; None for a call that these parameters do not take.

    A call that fills `**kwargs` is not taken apart either.
    """
    places = [parameter.name for parameter in parameters if parameter.kind in _POSITIONAL]
    known = {parameter.name for parameter in named(parameters)}
    rest, more = variadic(parameters), call.args[len(places) :]
    if (more and rest is None) or not call.kwargs.keys() <= known:
        return None
    values: dict[str, Encoded] = dict(zip(places, call.args, strict=False))
    if values.keys() & call.kwargs.keys():
        return None
    return values | call.kwargs | ({rest.name: ["tuple", *more]} if rest is not None and more else {})


def put_together(values: Mapping[str, Encoded], parameters: Sequence[Parameter]) -> CallInput:
    """The call that gives these values: by position up to the first one left out, by name after it.

    A positional-only parameter after one that is left out is left out too, and so is `*args`.
    """
    args: list[Encoded] = []
    kwargs: dict[str, Encoded] = {}
    by_position = True
    for parameter in parameters:
        if parameter.kind == "var_positional" and by_position:
            args.extend(values.get(parameter.name, ["tuple"])[1:])
        by_position = by_position and parameter.name in values and parameter.kind in _POSITIONAL
        if by_position:
            args.append(values[parameter.name])
        elif parameter.name in values and parameter.kind in _BY_NAME:
            kwargs[parameter.name] = values[parameter.name]
    return CallInput(args=tuple(args), kwargs=kwargs)
