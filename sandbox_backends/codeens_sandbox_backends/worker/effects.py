"""What a call leaves behind beside its result and its arguments, by channel.

| channel                        | encoded change                                                        |
|--------------------------------|-----------------------------------------------------------------------|
| `stdout`, `stderr`             | the text that was written                                             |
| `log`, `warnings`              | tuples: logger, level, message, type of the exception, what was added |
|                                | to the record; category, message                                      |
| `environ`, `cwd`               | the variables that changed, null where one is gone; the new folder    |
| `files`                        | paths of files that changed, with what is in them now, or null        |
| `times of files`               | paths of files whose times were set, with what they were set to       |
| `abstract classes`, `codecs`   | what was entered in tables of the interpreter (`registrations`)       |
| `logging`, `umask`, …          | settings of the process (`interpreter`), as they are now              |
| `attribute MODULE.NAME`        | what a module that is not of the workspace now has under a name       |
| `threads`, `child processes`,  | how many were added                                                   |
| `at exit`, `finalizers`        |                                                                       |
| `random NAME`                  | digest of the state of `random` or `numpy.random`                     |
| `inside global MODULE.NAME`, … | what is now in objects that are looked at as plain data (`holders`)   |
| `kept`, `memory`               | which mutable parts of the result somebody else holds, and which      |
|                                | arrays are views of others (`kept`)                                   |
| `held`                         | which mutable parts of the arguments somebody holds (`kept`)          |
| `iterated`, `left early`       | of a generator or context manager: what happens step by step          |
|                                | (`stepping`), and when it is left before its end                      |
| `sent`, `thrown into`          | of a generator that does not ignore values that are sent to it: what  |
|                                | happens with these, and when an exception is thrown into it           |
| `handled`                      | of a generator with a `try` that holds nothing but a `yield`, and of  |
|                                | a context manager: what comes of the exceptions that it handles there |
| `replaced`                     | places of the arguments at which another object stands than before,   |
|                                | and where that stood, or `new` (`parts`)                              |
| `rebound`                      | places of variables at which another object stands than before        |
|                                | (`rebound`)                                                           |
| `again`                        | what the same call does in the state that is left (`observed`); where |
|                                | that is in the function's own defaults, only if it is something else  |
| `after another`                | what the call does in the state that one with another argument leaves |
| `re-entered`                   | what a call does that is made again by a function it was given        |
| `of subclasses`                | what the call does for made-up subclasses of its classes (`subclassed`)|
| `keeps subclass`               | the same, where it makes such a subclass in the place of its class    |
| `elsewhere`                    | what the call does in another time zone, where that differs (`zones`) |
| `with variables`               | what the call does with each of the `VALUES` in environment variables |
|                                | that the program reads, where that differs (`variables`)              |
| `global MODULE.NAME`, …        | the new value of what `state` finds, `["notimplemented"]` where gone  |

After each call everything but output is put back, so that no call depends on the ones before it.
"""

from __future__ import annotations

import gc
from operator import length_hint
from typing import Any, Callable, Dict, List, Tuple

from .calling import Arguments
from .exceptions import attributes_of
from .files import Files
from .handling import ExceptionHandlers
from .interpreter import begin_alike
from .kept import KeptParts, shared_memory
from .loader import Program
from .notices import Notices
from .outlines import outlined
from .printed import Printed
from .rebound import rebound_places
from .registrations import Registrations
from .state import ABSENT, State, Variable
from .surroundings import Surroundings, seed_random
from .values.callbacks import Awaited, Callback
from .values.codec import encode
from .values.coding import Shared
from .values.grammar import EncodeError
from .values.objects import is_lazy
from .zones import asks_for_local_time

Encode = Callable[[Any], Any]
_GONE = ["notimplemented"]
_text: Callable[[Any], str] = repr


class Effects:
    """Watches calls of one program. To be made before the program is loaded."""

    def __init__(self, *, in_turn: bool = False) -> None:
        """Begin. `in_turn`: what a call leaves in the function's own defaults is there for the next one."""
        begin_alike()
        seed_random()
        self._streams = {name: Printed(name) for name in ("stdout", "stderr")}
        self._notices = Notices()
        self._registrations = Registrations()
        self.asks_for_local_time = False
        self.variables: List[str] = []
        """Of the environment, that the program reads."""
        self.handlers: Any = None
        """What generators of the program handle, once there is one."""
        self._state: Any = None
        self._surroundings: Any = None
        self._kept: Any = None
        self._files: Any = None
        self._collects = False
        """Whether objects of the program are missed when they are gone, so that they may not stay for some calls."""
        self._in_turn = in_turn
        self.remembered = False
        """Whether the last call has left something in the default arguments of the function itself."""

    def start(self, program: Program) -> Dict[str, List[str]]:
        """Remember how loading has left everything; returns what variables are watched, and which are not."""
        self.asks_for_local_time = asks_for_local_time(program)
        self.variables = program["variables"]
        self.handlers = ExceptionHandlers(program)
        self._state = State(program)
        self._surroundings = Surroundings(self._state.foreign())
        self._kept = KeptParts()
        self._files = Files()
        self.begin()
        self._collects = self._state.tells_of_ends()
        return {"variables": sorted(self._state.watched), "too_large": sorted(self._state.unwatched)}

    def begin(self) -> None:
        """A call begins: forget what was written and noted until now, and what came of objects that are gone since."""
        if self._collects:
            gc.collect()
            self._put_back()
        for stream in self._streams.values():
            stream.taken()
        self._notices.clear()
        self._registrations.begin()
        self._files.begin()

    def look(self, arguments: Arguments, full: bool) -> Any:
        """Return how far iterators among the arguments are from their end, how often functions among them were called,
        what was written, and the `full` state.
        """
        given = [*arguments[0], *arguments[1].values()]
        left = [length_hint(value, -1) for value in given if is_lazy(type(value))]
        called = [value.function if isinstance(value, Awaited) else value for value in given]
        left += [len(value.order) for value in called if isinstance(value, Callback)]
        written = [stream.length() for stream in self._streams.values()]
        noted = [len(self._notices.records), len(self._notices.warnings)]
        state = [[variable.channel, _plain(variable)] for variable in self._state.changes()] if full else []
        return ["tuple", *left, *written, *noted, ["dict", *state]]

    def attributes(self, error: BaseException, encode_shared: Encode) -> Dict[str, Any]:
        """Return what counts of an exception, by name."""
        return attributes_of(error, self._state.modules, encode_shared)

    def kept(self, holder: List[Any], arguments: Arguments, shared: Shared, before: int) -> Dict[str, Any]:
        """Return the effects `kept` and `memory` of a result and `held` of arguments, where there are any."""
        places = self._kept.of(holder, shared, before)
        viewed = shared_memory(shared, before)
        # Arrays that the result shows a part of are held by that.
        held: List[int] = [] if viewed else self._kept.given([*arguments, holder], shared, before)
        found: Dict[str, List[Any]] = {
            "kept": places,
            "memory": [["tuple", *pair] for pair in viewed],
            "held": held,
        }
        return {channel: ["list", *told] for channel, told in found.items() if told}

    def grown(self) -> bool:
        """Take in what was loaded during a call; whether there is anything that was not looked at while it ran."""
        noticed, stated = self._notices.look_again(), self._state.look_again()
        return self._surroundings.look_again() or stated or noticed

    def taken(self, encode_shared: Encode) -> Tuple[Dict[str, Any], List[str]]:
        """Return what the call has left, and names of changes that have no exact encoding; put everything back.

        Args:
            encode_shared: Encodes what is part of an outcome, whose parts may be the same objects.
        """
        if self._collects:
            gc.collect()
        changes: Dict[str, Any] = self._files.taken()
        for name, stream in self._streams.items():
            written = stream.taken()
            if written:
                changes[name] = written
        if self._notices.records:
            changes["log"] = ["list", *self._notices.records]
        if self._notices.warnings:
            changes["warnings"] = ["list", *self._notices.warnings]
        unseen = self._variables(self._state.changes(), changes, encode_shared)
        changes.update(self._state.taken_inside())
        changes.update(self._surroundings.taken())
        changes.update(self._registrations.taken())
        self.remembered = not self._in_turn and self._state.forgotten()
        return changes, unseen

    def _put_back(self) -> None:
        for variable in self._state.changes():
            variable.restore()
        self._state.taken_inside()

    def _variables(self, changed: List[Variable], changes: Dict[str, Any], encode_shared: Encode) -> List[str]:
        unseen: List[str] = []
        left: List[Tuple[Variable, Any, str]] = []
        for variable in changed:
            try:
                left.append((variable, *_told(variable.read(), encode_shared)))
            except EncodeError:
                unseen.append(variable.channel)
        places = rebound_places(changed)
        for variable in changed:
            variable.restore()
        for variable, encoded, plain in left:
            if variable.value is ABSENT or _text(variable.before()) != plain:
                changes[variable.channel] = encoded
        # An equal value in the place of another one is the same to all who have that.
        told = [place for place in places if place[1] in changes]
        if told:
            changes["rebound"] = ["list", *told]
        return unseen


def _told(value: Any, encode_shared: Encode) -> Tuple[Any, str]:
    """Return an encoded value, and its text, in which objects are not told apart from others that are equal."""
    if value is ABSENT:
        return _GONE, _text(_GONE)
    plain = outlined(value)
    try:
        return encode_shared(value), _text(plain)
    except EncodeError:
        return plain, _text(plain)


def _plain(variable: Variable) -> Any:
    value = variable.read()
    try:
        return _GONE if value is ABSENT else encode(value, iterators=False)
    except EncodeError as error:
        return error.type_name
