"""What must be reached at least once: the dangerous places of a scenario, or the usual ones of a world without one.

Where nobody ever succeeds, or nothing is deleted in a step, it shows little that nothing is violated. Each is told with
the shortest way there.

A search of its own looks for each place: beside the world a small memory of what the device is at, and the first choice
that gets to the place ends it. First only the kinds of trouble are allowed that the place takes, then all of them; the
way is what counts, so it is the shortest with as little trouble.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    DeviceDisconnected,
    ExecutionGone,
    ExecutionLeft,
    ExecutionTaken,
    HintReceived,
    PowerLost,
    RequestSent,
    StepFinished,
    StepStarted,
)
from simulator.engines.explore.accounts import Heard
from simulator.engines.explore.choice import Choice, Kind
from simulator.engines.explore.limits import IsInterrupted, never
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.pieces import Piece
from simulator.engines.explore.search import explore
from simulator.engines.explore.setup import FW, Bounds, Setup
from simulator.engines.explore.system import System
from simulator.scenario.places import Place
from simulator.trace import Event, ExecutionChanged, ExecutionRemoved, RequestReceived
from simulator.verdict.model import PlaceName

if TYPE_CHECKING:
    from simulator.engines.explore.searchable import Searchable

ENDS: Final = frozenset({"SUCCEEDED", "FAILED", "REJECTED"})
NO_SUCH: Final = "the explorer's world does not tell of this place"
LEAST_SECONDS: Final = 0.5
"""For one search, however little is left."""
STOPPED: Final = "was not found before the search for it was stopped by {}"


class Sometimes(NamedTuple):
    """A place, and the shortest way there; None: not within the bounds, unless `why` tells why that is not known."""

    id: str
    way: tuple[Choice, ...] | None
    why: str = ""


class At(NamedTuple):
    """What a device is at with the job of a place, and what has become of that."""

    step: str = ""
    leapt: bool = False
    asks: str = ""
    """The token of its question whether the job still stands."""
    reported: bool = False
    online: bool = True
    powered: bool = True
    runs: str = ""
    version: str = ""
    """What runs, and what ran when it took the job."""
    rebooted: bool = False
    """It has gone down once, as the job asks."""
    was_known: bool = False
    told_gone: bool = False
    removed: bool = False
    lost: bool = False
    """It was removed under the device: who has not begun it has nothing to recover from."""


Met = Callable[[Place, At, Event], bool]


def _removed(there: Callable[[Place, At], bool]) -> Met:
    return lambda place, at, event: (
        isinstance(event, ExecutionRemoved) and event.execution.job_id == place.job and there(place, at)
    )


def _in_step(place: Place, at: At) -> bool:
    return bool(at.step) and place.step in (None, at.step)


def _cancelled(place: Place, at: At, event: object) -> bool:
    return _becomes(place, event, "CANCELED") and _in_step(place, at)


def _becomes(place: Place, event: object, status: str) -> bool:
    return isinstance(event, ExecutionChanged) and event.execution.job_id == place.job and event.status == status


def _goes_on(event: object) -> bool:
    return isinstance(event, ExecutionChanged) and event.status in ("IN_PROGRESS", "SUCCEEDED")


def _reused(place: Place, at: At, event: object) -> bool:
    is_of_it = isinstance(event, ExecutionChanged) and event.execution.job_id == place.job
    return at.removed and is_of_it and _goes_on(event)


def _failed(place: Place, at: At, event: object) -> bool:
    return isinstance(event, StepFinished) and event.outcome == "failed" and place.step in (None, event.step)


def _fell_back(place: Place, at: At, event: object) -> bool:
    is_old = isinstance(event, DeviceBooted) and event.version == at.version and not event.on_trial
    return at.rebooted and is_old


def _twice(place: Place, at: At, event: object) -> bool:
    return isinstance(event, RequestReceived) and event.dup and event.request == "update" and event.job_id == place.job


def _lists(place: Place, event: object) -> bool:
    return isinstance(event, HintReceived) and any(key.job_id == place.job for key in event.listed)


def _hears(place: Place, at: At, event: object) -> bool:
    return isinstance(event, HintReceived) and event.hint == place.hint and _lists(place, event)


def _hears_absence(place: Place, at: At, event: object) -> bool:
    is_hint = isinstance(event, HintReceived) and event.hint == place.hint
    return is_hint and at.was_known and not _lists(place, event)


PLACES: Final[dict[PlaceName, tuple[Met, frozenset[Kind]]]] = {
    "deleted-before-start": (
        lambda place, at, event: (
            isinstance(event, ExecutionRemoved) and event.execution.job_id == place.job and event.status == "QUEUED"
        ),
        frozenset({"delete"}),
    ),
    "deleted-in-step": (_removed(_in_step), frozenset({"delete"})),
    "deleted-before-leap": (_removed(lambda _, at: bool(at.asks) and not at.leapt), frozenset({"delete"})),
    "deleted-after-leap": (_removed(lambda _, at: at.leapt), frozenset({"delete"})),
    "deleted-after-report-left": (_removed(lambda _, at: at.reported), frozenset({"delete"})),
    "deleted-while-offline": (_removed(lambda _, at: not at.online), frozenset({"delete", "disconnect"})),
    "deleted-while-rebooting": (
        _removed(lambda _, at: at.step == "reboot"),
        frozenset({"delete"}),
    ),
    "deleted-while-powerless": (_removed(lambda _, at: not at.powered), frozenset({"delete", "power-cut"})),
    "cancelled-in-step": (_cancelled, frozenset({"cancel"})),
    "recovered": (
        lambda _, at, event: at.lost and _goes_on(event),
        frozenset({"delete", "create-again", "delete-execution"}),
    ),
    "succeeded": (lambda place, _, event: _becomes(place, event, "SUCCEEDED"), frozenset()),
    "reused-id": (_reused, frozenset({"delete", "create-again", "delete-execution"})),
    "power-lost-in": (
        lambda place, at, event: isinstance(event, PowerLost) and _in_step(place, at),
        frozenset({"power-cut"}),
    ),
    "failed-in-step": (_failed, frozenset({"fail"})),
    "rolled-back": (_fell_back, frozenset({"power-cut", "fail"})),
    "delivered-twice": (_twice, frozenset({"duplicate"})),
    "announced-after-deletion": (
        lambda place, at, event: at.told_gone and _lists(place, event),
        frozenset({"delete", "delay", "duplicate"}),
    ),
    "heard": (_hears, frozenset()),
    "heard-absence": (_hears_absence, frozenset({"delete"})),
}
"""Whether an event gets to a place, by what the device is at; and the kinds of trouble that it takes."""


class Looking:
    """Watches for one place, of which it says that it is broken when it is reached."""

    judges: Final[frozenset[str]] = frozenset()

    def __init__(self, place: Place, names: tuple[Met, frozenset[Kind]]) -> None:
        self._place, (self._met, _) = place, names

    def start(self) -> At:
        """Nothing is known yet."""
        return At()

    def gist(self, told: Heard) -> Heard:
        """All of it, but for how long it took."""
        return told._replace(seconds=0.0)

    def watch(self, watched: At, told: Piece[Heard]) -> tuple[At, tuple[Broken, ...]]:
        """After that; and the place, if it is reached."""
        is_met = False
        for event in (*told.value.by_cloud, *told.value.by_device):
            is_met = is_met or self._met(self._place, watched, event)
            watched = after(watched, event, self._place.job)
        return watched, (Broken(self._place.place, "reached"),) if is_met else ()

    def at_rest(self, watched: At) -> tuple[Broken, ...]:
        """Nothing is reached by resting."""
        return ()

    def forget(self, watched: At, alive: int) -> At:
        """There is nothing to forget."""
        return watched

    def places(self, watched: At) -> int:
        """Tokens are not told apart."""
        return 0

    def renamed(self, watched: At, names: Mapping[str, str]) -> At:
        """Nor known by their names."""
        return watched


def after(at: At, event: Event, job: str) -> At:
    """What a device is at after that."""
    match event:
        case StepStarted(execution=key, step=step, reversible=reversible) if key.job_id == job:
            rebooted = at.rebooted or step == "reboot"
            return at._replace(step=step, leapt=at.leapt or not reversible, asks="", rebooted=rebooted)
        case StepFinished(execution=key) if key.job_id == job:
            return at._replace(step="" if at.step != "reboot" else at.step)
        case PowerLost():
            return at._replace(step="" if at.step != "reboot" else at.step, powered=False, online=False, asks="")
        case DeviceBooted(version=version):
            return at._replace(step="", powered=True, runs=version)
        case DeviceConnected():
            return at._replace(online=True)
        case DeviceDisconnected():
            return at._replace(online=False, asks="")
        case ExecutionTaken(execution=key) if key.job_id == job:
            taken = at._replace(step="", leapt=False, reported=False, was_known=True, told_gone=False)
            return taken._replace(version=at.runs, rebooted=False)
        case ExecutionGone(execution=key) if key.job_id == job:
            return at._replace(told_gone=True)
        case ExecutionLeft(execution=key) if key.job_id == job:
            return at._replace(step="", leapt=False, reported=False, asks="", rebooted=False)
        case ExecutionRemoved(execution=key, status=status) if key.job_id == job:
            return at._replace(removed=True, lost=at.lost or status == "IN_PROGRESS")
        case RequestSent(request="describe", job_id=about) if about == job and not at.leapt:
            return at._replace(asks="asked")
        case RequestSent(request="update", job_id=about, status=status) if about == job and status in ENDS:
            return at._replace(reported=True)
        case AnswerReceived():
            return at._replace(asks="")
        case HintReceived() if any(key.job_id == job for key in event.listed):
            return at._replace(was_known=True)
        case _:
            return at


def usual(setup: Setup) -> tuple[Place, ...]:
    """What any search is to reach of its kinds of trouble: success, the trouble itself, and what comes after it."""
    bounds, names = setup.bounds, list[PlaceName]()
    if setup.flaw is None:
        names.append("succeeded")
    if bounds.delete:
        names.append("deleted-in-step")
        names += ["deleted-while-offline"] if bounds.disconnect else []
        names += ["deleted-while-powerless"] if bounds.power_cut else []
        names += ["recovered"] if bounds.create_again or setup.next else []
    names += ["cancelled-in-step"] if bounds.cancel else []
    names += ["power-lost-in"] if bounds.power_cut else []
    names += ["failed-in-step"] if bounds.fail else []
    return tuple(Place(place=name, job=FW) for name in names)


def ways_to(
    setup: Setup,
    places: Iterable[Place],
    *,
    seconds: float,
    mebibytes: float,
    is_interrupted: IsInterrupted = never,
) -> Iterator[Sometimes]:
    """The shortest way to each place; all searches together take about so long at most."""
    left = seconds
    for place in places:
        name = " ".join(word for word in (place.place, place.job, place.step, place.hint) if word)
        row = PLACES.get(place.place)
        if row is None:
            yield Sometimes(name, None, NO_SUCH)
            continue
        way, why, took = _way_to(setup, place, row, left, mebibytes, is_interrupted)
        left = max(left - took, LEAST_SECONDS)
        yield Sometimes(name, way, why)


def _way_to(
    setup: Setup,
    place: Place,
    row: tuple[Met, frozenset[Kind]],
    seconds: float,
    mebibytes: float,
    is_interrupted: IsInterrupted,
) -> tuple[tuple[Choice, ...] | None, str, float]:
    """The way, why it is not known whether there is one, and how many seconds the search for it took."""
    why, took = "", 0.0
    for bounds in _growing(setup.bounds, row[1]):
        system = cast("Searchable", System(setup.model_copy(update={"bounds": bounds}), Looking(place, row)))
        left = max(seconds - took, LEAST_SECONDS)
        found = explore(system, seconds=left, mebibytes=mebibytes, stop_at_first=True, is_interrupted=is_interrupted)
        took += found.seconds
        if found.broken:
            return tuple(Choice(*each) for each in found.broken[0].path), "", took
        why = "" if found.complete else STOPPED.format(found.stopped_by)
    return None, why, took


def _growing(bounds: Bounds, taken: frozenset[Kind]) -> Iterator[Bounds]:
    """First of the kinds that a place takes, if there are any; then all."""
    names = [kind.replace("-", "_") for kind in taken]
    few = bounds.model_copy(update={name: 0 for name in Bounds.model_fields if name not in names})
    yield few
    if few != bounds:
        yield bounds
