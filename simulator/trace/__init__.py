"""The trace: what happened, as one append-only stream of typed events, the same from every engine.

On disk a trace is JSON Lines, one entry a line:

    {"id": "device/thing-3#12", "source": "device/thing-3", "n": 12, "at": 1.204, "type": "step.started", …}

`source` is who saw it (`cloud`, `device/THING`, `controller`, `engine`, `probe`), `n` counts that source's entries
from 1, `at` is seconds on its own monotonic clock, which no other source shares unless `run.started` says so; only
`probe` counts by the cloud's.
Entries of one source are in order; entries of two sources are ordered only by what caused what: a request's
`client_token` stands in the device's `request.sent`, in the cloud's `request.received` and `request.answered`, and in
the device's `answer.received`. How the lines of different sources interleave means nothing.

Field names are stable; a reader must ignore fields and types that it does not know.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from json.encoder import encode_basestring_ascii as in_json
from math import isfinite
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from agent.errors import InputError
from agent.values import Status
from agent.wording import first_wrong
from simulator.trace.cloud_events import *  # noqa: F403 - events are this module's own, wherever they are written down
from simulator.trace.cloud_events import CloudEvent
from simulator.trace.flash_events import *  # noqa: F403
from simulator.trace.flash_events import DeviceAccount, FlashChanged
from simulator.trace.play_events import *  # noqa: F403
from simulator.trace.play_events import ControllerEvent, EngineEvent, ProbeSampled

CLOUD = "cloud"
CONTROLLER = "controller"
ENGINE = "engine"
PROBE = "probe"
"""Who samples a device that is not ours: in one process with the cloud and the engine, and all by one clock.

So times of these compare. They are numbered apart, and entries of two come in the order in which the process got round
to them.
"""


def device_source(thing: str) -> str:
    """The source name of a device."""
    return f"device/{thing}"


TERMINAL: frozenset[str] = frozenset(status for status in Status if status.is_terminal)
"""The statuses of an execution that nothing follows; a word that this version does not know is none of them."""

Event: TypeAlias = DeviceAccount | CloudEvent | ControllerEvent | EngineEvent | ProbeSampled

REMEMBERED: Final = 1024
"""So many flashes are remembered as they are written."""

_EVENTS: TypeAdapter[Event] = TypeAdapter(
    Annotated[Event, Field(discriminator="type")],
    config=ConfigDict(defer_build=True),  # few read or write a trace of all that import this
)


class Entry(NamedTuple):
    """One event with where and when it was seen; `n` counts from 1 within `source`, `at` is seconds.

    A tuple, because there are some two hundred for each device: making one costs a third of a frozen dataclass.
    """

    source: str
    n: int
    at: float
    event: Event

    @property
    def id(self) -> str:
        """The name by which verdicts point at this entry."""
        return f"{self.source}#{self.n}"


Sink: TypeAlias = Callable[[Entry], None]


@dataclass(slots=True)
class Recorder:
    """Numbers and times one source's events and hands them to `sink`."""

    source: str
    clock: Callable[[], float]
    """Precise at every call: not a loop's time, which stands still within one wake-up."""
    sink: Sink
    next: int = 1
    """The number of the next entry."""

    def __call__(self, event: Event) -> None:
        """Give `event` its number and time."""
        number, self.next = self.next, self.next + 1
        # Not `Entry(…)`, which is a function of its own around this.
        self.sink(tuple.__new__(Entry, (self.source, number, self.clock(), event)))

    record = __call__


def write_line(entry: Entry) -> str:
    """One line of JSON, in ASCII, without the line end."""
    source, n, at, event = entry
    name = in_json(source)
    place = f'"id":{name[:-1]}#{n}","source":{name},"n":{n},"at":{round(at, 6)!r}'
    return f'{{{place},"type":"{event.type}"{_members(event)}}}'


_FLASHES: dict[int, tuple[FlashChanged, str]] = {}
"""By the identity of an event, which is held here: devices share them, and each has many members."""


def _members(event: Event) -> str:
    """All but the type, each after a comma."""
    if not isinstance(event, FlashChanged):
        return _written(event)
    if (known := _FLASHES.get(id(event))) is not None:
        return known[1]
    if len(_FLASHES) >= REMEMBERED:
        _FLASHES.clear()
    _FLASHES[id(event)] = event, _written(event)
    return _FLASHES[id(event)][1]


@cache
def _writer(kind: type[Event]) -> Callable[[Event], bytes]:
    """For one type of event: to look for that in all of them takes longer than to write."""
    return TypeAdapter[Event](kind).serializer.to_json


def _written(event: Event) -> str:
    kind: Any = type(event)
    try:
        text = _writer(kind)(event).decode()
    except ValueError:  # halves of a character
        text = ""
    if not text.isascii() or not text:
        told: dict[str, Any] = _EVENTS.dump_python(event, mode="json")
        text = json.dumps(told, separators=(",", ":"))
    members = text[1 : -len(f'"type":"{event.type}"}}')]  # the last one
    return f",{members[:-1]}" if members else ""


def read_line(line: str, where: str = "trace") -> Entry | None:
    """The entry of one line; None for an event type that this version does not know. Raises InputError."""
    try:
        data = json.loads(line, parse_float=_finite, parse_constant=_finite)
        if "\\ud" in line or "\\uD" in line:
            json.dumps(data, ensure_ascii=False).encode()  # halves of a character could be written nowhere
        source, number, at, kind = data["source"], int(data["n"]), float(data["at"]), data["type"]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{where}: not a trace entry ({error}); is the file cut off, or no ghostjob trace?") from None
    if kind not in KNOWN_TYPES:
        return None
    try:
        return Entry(source, number, at, _EVENTS.validate_python(data))
    except ValidationError as error:
        wrong = first_wrong(error)
        raise InputError(f"{where}: {kind}: {wrong._replace(where=wrong.where[1:])}") from None


def _finite(text: str) -> float:
    """A number that times can be reckoned with. Raises ValueError for NaN and the like."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number to reckon with")
    return number


def read(lines: Iterable[str], where: str = "trace") -> Iterator[Entry]:
    """Every entry that this version knows. Raises InputError with the line number."""
    for number, line in enumerate(lines, 1):
        if line.strip() and (entry := read_line(line, f"{where}:{number}")):
            yield entry


KNOWN_TYPES: frozenset[str] = frozenset(
    str(each.default) for kind in get_args(Event) for each in fields(kind) if each.name == "type"
)
