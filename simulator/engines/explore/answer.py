"""What a search found, as a verdict: the same invariants as of any run, and `explored` with how far it went."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final, Literal, NamedTuple

from agent.device_events import DeviceBooted, ExecutionLeft, PhaseChanged, StepUndone
from simulator.engines.explore.choice import KINDS, Choice
from simulator.engines.explore.describing import left_out, world_in_words
from simulator.engines.explore.entries import told_on_the_way
from simulator.engines.explore.exploration import Exploration
from simulator.engines.explore.exploration import Violation as Breach
from simulator.engines.explore.playing import Prefixes
from simulator.engines.explore.sometimes import NO_SUCH, Sometimes
from simulator.engines.explore.stumbling import WALKED
from simulator.engines.explore.system import System, World
from simulator.engines.explore.undecidable import Undecidable, why_undecidable
from simulator.engines.explore.world import Transition, transitions
from simulator.verdict import INVARIANTS, InvariantVerdict, Reached, Verdict, Violation
from simulator.verdict.explored import (
    DOUBTS,
    Explored,
    ExploredBound,
    ExploredCell,
    ExploredFinding,
    ExploredLoss,
    ExploredPlace,
    FindingSort,
)
from simulator.verdict.model import Doubt

LIVENESS: Final = "ready-in-time"
"""The invariant of what never comes home: from everywhere a fair way leads to readiness, or to SAFE."""
STUCK: Final = "from here nothing leads back to rest by itself: it comes to where {}"
CYCLE: Final = "from here {} may go round for ever and never come to rest"
MOST_STEPS: Final = 200
"""From where something is stuck to where it comes to in the end."""
SHOWN: Final = 3
"""Of those that are stuck, and of loops."""
NOTHING: Final = "goes on as before"
"""Of a disruption that a device has nothing to do with."""
DEEDS: Final = {
    "executing": "works on",
    "reporting": "reports",
    "suspect": "suspects and asks",
    "recovering": "takes back",
    "trial": "tries the new firmware",
    "safe": "gives up, SAFE",
    "starting": "starts",
}
"""By the phase that a device goes to."""


class Found(NamedTuple):
    """A search, and what of its scenario's places it reached."""

    exploration: Exploration
    sometimes: Sequence[Sometimes] = ()


def verdict_of(system: System, found: Found, *, name: str, not_here: Iterable[str] = ()) -> Verdict:
    """The verdict on a search called `name`; `not_here` says what of its scenario this world cannot have."""
    exploration = found.exploration
    prefixes = Prefixes(system)
    findings = tuple(_findings(system, exploration, prefixes))
    explored = Explored(
        states=exploration.states,
        transitions=exploration.transitions,
        complete=exploration.complete,
        depth=exploration.depth,
        stopped_by=exploration.stopped_by,
        world=world_in_words(system.setup),
        bounds=tuple(_bounds(exploration)),
        leaves_out=(*not_here, *left_out(system.setup), *_not_followed(findings)),
        cells=tuple(_cells(exploration, prefixes)),
        findings=findings,
        walks=exploration.walks,
        places=tuple(ExploredPlace(id=each.id, way=_spelled(each.way), why=each.why) for each in found.sometimes),
        lost=_lost(exploration),
    )
    asked = [each for each in found.sometimes if each.why != NO_SUCH]
    outcome, why = _outcome(explored, [each for each in asked if each.way is None])
    return Verdict(
        outcome=outcome,
        why=why,
        passed=outcome == "passed",
        scenario=name,
        engine="explore",
        seed=None,
        version=version("ghostjob"),
        started_at=None,
        seconds=exploration.seconds,
        devices=len(system.setup.seats),
        recovered=0,
        invariants=tuple(_invariants(system, exploration, findings)),
        reached=tuple(Reached(id=each.id, devices=int(each.way is not None), of=1) for each in asked),
        recovery_seconds=None,
        requests_per_second_peak=0,
        explored=explored,
    )


def _outcome(
    explored: Explored, missed: Sequence[Sometimes]
) -> tuple[Literal["passed", "failed", "inconclusive"], str]:
    within = f"{explored.states:,} states and {explored.transitions:,} transitions, to a depth of {explored.depth}"
    wrong = [each for each in explored.findings if each.sort not in DOUBTS]
    if wrong:
        first, more = wrong[0], f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return "failed", f"{first.invariant} was violated after {len(first.way)} choices: {first.why}{more}"
    if explored.walks:
        ended = "" if explored.stopped_by == WALKED else f"; {explored.stopped_by} ended them before all were walked"
        return "inconclusive", (
            f"{explored.walks:,} random walks of {explored.transitions:,} choices found nothing; only a search that is "
            f"complete shows that there is nothing{ended}"
        )
    if not explored.complete:
        return (
            "inconclusive",
            f"the search was stopped by {explored.stopped_by} after {within}; it found nothing so far",
        )
    if missed:
        place = next((each for each in missed if not each.why), missed[0])
        return "inconclusive", f"'{place.id}' {place.why or 'cannot be reached within these bounds'}, in {within}"
    beyond = "; but for what comes after what is undecidable" if any(_not_followed(explored.findings)) else ""
    return "passed", f"within the bounds no order of events violates anything: all of {within}{beyond}"


def _not_followed(findings: Iterable[ExploredFinding]) -> Iterator[str]:
    """What is left out because of what was found."""
    if any(each.sort == "undecidable" for each in findings):
        yield "what comes after an outcome that is undecidable was not followed"


# ── what is wrong ─────────────────────────────────────────────────────────────────────────────────────────────


def _findings(system: System, exploration: Exploration, prefixes: Prefixes) -> Iterator[ExploredFinding]:
    """What is violated, the shortest way first; then what never comes home; then what nobody could have told."""
    for each in system.broken_before:
        if each.outcome == "violated":
            yield _finding_of("violated", Breach(each.invariant, each.why, (), 1))
    broken = [finding for each in exploration.broken for finding in _blamed_or_not(system, exploration, each)]
    yield from sorted((each for each in broken if each.sort == "violated"), key=lambda each: len(each.way))
    for way in exploration.stuck[:SHOWN]:
        why = STUCK.format(_standing(system, prefixes, chosen(way)))
        yield ExploredFinding(sort="stuck", invariant=LIVENESS, why=why, times=exploration.stuck_count, way=_words(way))
    for cycle in exploration.cycles[:SHOWN]:
        yield ExploredFinding(
            sort="cycle",
            invariant=LIVENESS,
            why=CYCLE.format(_whose(system, cycle.device)),
            times=exploration.loop_count,
            way=_words(cycle.path),
            loop=_words(cycle.loop),
        )
    yield from (each for each in broken if each.sort == "undecidable")
    for breach in exploration.undecided:
        yield _finding_of("undecided", breach)


def _blamed_or_not(system: System, exploration: Exploration, first: Breach) -> Iterator[ExploredFinding]:
    """The first breach of an invariant. If nobody is to blame for it, somebody may be for a later one, after other
    trouble: that one besides.
    """
    excuse = _excuse(system, first)
    if excuse is None:
        yield _finding_of("violated", first)
        return
    others = [each for each in exploration.broken_by_trouble if each.invariant == first.invariant]
    blamed = [each for each in others if _excuse(system, each) is None]
    if blamed:
        yield _finding_of("violated", blamed[0]._replace(times=sum(each.times for each in blamed)))
    finding = _finding_of("undecidable", first._replace(times=first.times - sum(each.times for each in blamed)))
    yield finding.model_copy(update={"argument": excuse.argument, "avoid": excuse.avoid})


def _excuse(system: System, breach: Breach) -> Undecidable | None:
    """Why nobody is to blame for it; None: somebody is."""
    path = chosen(breach.path)
    return why_undecidable(breach.invariant, path, told_on_the_way(system, path))


def _finding_of(sort: FindingSort, breach: Breach) -> ExploredFinding:
    way = _words(breach.path)
    return ExploredFinding(sort=sort, invariant=breach.invariant, why=breach.why, times=breach.times, way=way)


def _whose(system: System, device: int) -> str:
    seats = system.setup.seats
    return "it" if len(seats) == 1 else seats[device].name


def _standing(system: System, prefixes: Prefixes, way: Sequence[Choice]) -> str:
    """How the devices stand in the end of a way from which nothing leads home."""
    world = _at_last(system, prefixes.played(tuple(way))[-1].world if way else system.first())
    return ", ".join(
        f"{seat.name} is {system.phase(side.device)}"
        + ("" if side.device.rig.hardware.is_whole else ", with its hardware half changed")
        for seat, side in zip(system.setup.seats, world.sides, strict=True)
    )


def _at_last(system: System, world: World) -> World:
    """Where it comes to if everything happens by itself, messages first and timers last."""
    for _ in range(MOST_STEPS):
        free = [
            each for each in transitions(system, world) if not each.costs and each.actor not in ("operator", "timer")
        ]
        if not free:
            break
        world = free[0].world
    return world


def _invariants(
    system: System, exploration: Exploration, findings: Sequence[ExploredFinding]
) -> Iterator[InvariantVerdict]:
    """What never comes home is known of a search that is complete."""
    judged = system.judges | ({LIVENESS} if exploration.complete else set())
    thing = system.setup.seats[0].name
    for invariant in INVARIANTS:
        mine = [each for each in findings if each.invariant == invariant.id]
        told: dict[str, Any] = {"thing": thing, "job": "fw", "events": ()}
        wrong = tuple(Violation(message=_message(each), **told) for each in mine if each.sort not in DOUBTS)
        doubts = tuple(Doubt(message=_message(each), **told) for each in mine if each.sort in DOUBTS)
        is_judged = invariant.id in judged
        yield InvariantVerdict(
            id=invariant.id,
            outcome="violated" if wrong else "undecided" if doubts else "held" if is_judged else "not-exercised",
            opportunities=exploration.transitions if is_judged else 0,
            violations=wrong,
            doubts=doubts,
        )


def _message(finding: ExploredFinding) -> str:
    return f"{finding.why}; after {len(finding.way)} choices"


# ── how far, and what the device did ──────────────────────────────────────────────────────────────────────────


def _bounds(exploration: Exploration) -> Iterator[ExploredBound]:
    for kind in KINDS:
        if (spent := exploration.spent.get(kind)) is not None:
            yield ExploredBound(kind=kind, bound=spent.bound, most=spent.most, states=spent.states)


def _cells(exploration: Exploration, prefixes: Prefixes) -> Iterator[ExploredCell]:
    ordered: Mapping[str, int] = {kind: number for number, kind in enumerate(KINDS)}
    for (phase, kind), cell in sorted(exploration.cells.items(), key=lambda each: (ordered[each[0][1]], each[0][0])):
        way = chosen((*cell.path, *(cell.home or ())))
        did = did_in_words(prefixes.played(way)[len(cell.path) - 1 :]) or (NOTHING if cell.home is not None else "")
        yield ExploredCell(
            phase=phase, kind=kind, times=cell.times, way=_words(cell.path), did=did, home=_spelled(cell.home)
        )


def _lost(exploration: Exploration) -> ExploredLoss | None:
    if not exploration.lost_count:
        return None
    return ExploredLoss(states=exploration.lost_count, way=_words(exploration.lost[0]))


def did_in_words(path: Sequence[Transition]) -> str:
    """What a device did on that path, shortly; empty if nothing that is told of."""
    deeds: list[str] = []
    for event in (event for transition in path for event in transition.told_by_device):
        deed = _deed(event)
        if deed and deed not in deeds[-1:]:
            deeds.append(deed)
    return ", ".join(deeds)


def _deed(event: object) -> str:
    match event:
        case PhaseChanged(phase=phase):
            return DEEDS.get(phase, "")
        case DeviceBooted(version=running):
            return f"boots {running}"
        case StepUndone(step=step, ok=True):
            return f"undoes {step}"
        case ExecutionLeft(outcome=outcome):
            return f"{outcome}"
        case _:
            return ""


def chosen(path: Iterable[tuple[str, ...]]) -> tuple[Choice, ...]:
    """The path of a search, which knows of choices only that they are words, as the world's own."""
    return tuple(Choice(*each) for each in path)


def _words(way: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(map(str, chosen(way)))


def _spelled(way: Iterable[tuple[str, ...]] | None) -> tuple[str, ...] | None:
    return None if way is None else _words(way)
