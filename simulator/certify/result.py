"""What came of a cell: the verdict on its play, with the packets that show it; or that it was not played, and why.

failed           a violation, and an entry of the trace that shows it
inconclusive     an invariant is undecided, a place was not reached, the time limit met, or the tool itself could not;
                 or nothing is violated, and yet the device was not ready afterwards
passed           else
not-applicable   it was not for this device
"""

from collections.abc import Container, Iterable, Sequence
from typing import Final

from simulator.certify.cell import Cell
from simulator.certify.certificate import LONGEST_WHY, Afterwards, CellOutcome, CellResult, Evidence, ProbeSeen
from simulator.certify.evidence import evidence, last_named
from simulator.certify.learning import Carrier
from simulator.report.plain import first_line, plain
from simulator.trace import Entry, ProbeSampled
from simulator.verdict import Doubt, InvariantVerdict, Verdict, Violation

MOST_FOUND: Final = 8
"""Violations and doubts of one invariant that a certificate has."""
SAME: Final = 60
"""Characters by which a finding and its entry are known to say the same."""
MOST_VERSIONS: Final = 24
"""Changes of version that a probe saw."""
CLAUSES: Final = ("its ", "whether ", "what ", "so much ", "two executions ")
"""How messages begin that are whole clauses; of all others the device is the subject."""
UNSHOWN: Final = "but nothing in the trace shows it, which is a fault of ghostjob's own and says nothing of the device"


def cell_result(
    cell: Cell,
    verdict: Verdict,
    entries: Iterable[Entry],
    *,
    seconds: float,
    device_seconds: float = 0.0,
    carrier: Carrier = "mqtt",
    trouble: str | None = None,
    afterwards: Afterwards | None = None,
    directory: str | None = None,
    unseen: Container[str] = (),
) -> CellResult:
    """What came of playing a cell.

    `entries` are its whole trace, `device_seconds` how long of `seconds` the device was waited for, `trouble` what the
    tool itself could not do, if so, `directory` where it is kept, relative to the certificate. `unseen` are invariants
    that cannot be seen to be violated: that one of them held would say nothing.

    Trouble does not unsay a violation that packets show; a violation that none shows is trouble of ours.
    """
    trace = tuple(entries)
    shown = evidence(verdict, trace, carrier)
    accused = verdict.outcome == "failed"
    if accused and not any(each.pointed_at for each in shown):
        accused, trouble = False, f"{verdict.why}, {UNSHOWN}"
    if verdict.outcome == "passed" and afterwards is not None:
        trouble = trouble or afterwards.told
    outcome: CellOutcome = "failed" if accused else "inconclusive" if trouble else verdict.outcome
    return CellResult(
        id=cell.id,
        point=cell.point,
        condition=cell.condition,
        shows=cell.shows,
        outcome=outcome,
        why=plain(_why(verdict, shown) if accused or not trouble else trouble, LONGEST_WHY),
        seconds=max(seconds, 0.0),
        device_seconds=min(max(device_seconds, 0.0), max(seconds, 0.0)),
        invariants=tuple(_bounded(_claimed(each, unseen), accused) for each in verdict.invariants),
        reached=verdict.reached,
        evidence=shown,
        probes=probes_seen(trace),
        afterwards=afterwards,
        directory=directory,
    )


def not_applicable(cell: Cell, why: str) -> CellResult:
    """Of a cell that is not for this device."""
    return _not_played(cell, "not-applicable", why)


def not_played(cell: Cell, why: str) -> CellResult:
    """Of a cell that was to be played, and was not."""
    return _not_played(cell, "inconclusive", f"not played: {first_line(why)}")


def probes_seen(trace: Iterable[Entry]) -> tuple[ProbeSeen, ...]:
    """What each probe showed, in the order in which they were first asked."""
    seen: dict[str, ProbeSeen] = {}
    for entry in trace:
        match entry.event:
            case ProbeSampled(probe=probe, alive=alive, version=version, why=why):
                seen[probe] = _sampled(seen.get(probe), probe, alive, version, why)
            case _:
                pass
    return tuple(seen.values())


def _sampled(seen: ProbeSeen | None, probe: str, is_alive: bool | None, version: str | None, why: str) -> ProbeSeen:
    before = seen or ProbeSeen(probe=probe, samples=0, alive=0, unknown=0, versions=(), why="")
    versions = before.versions
    if is_alive is not None and version is not None and (not versions or versions[-1] != plain(version)):
        versions = (*versions, plain(version))[:MOST_VERSIONS]
    return ProbeSeen(
        probe=before.probe,
        samples=before.samples + 1,
        alive=before.alive + (is_alive is True),
        unknown=before.unknown + (is_alive is None),
        versions=versions,
        why=plain(why) if is_alive is False else before.why,
    )


def _not_played(cell: Cell, outcome: CellOutcome, why: str) -> CellResult:
    return CellResult(
        id=cell.id,
        point=cell.point,
        condition=cell.condition,
        shows=cell.shows,
        outcome=outcome,
        why=plain(why, LONGEST_WHY),
        seconds=0.0,
        device_seconds=0.0,
    )


def _why(verdict: Verdict, shown: Sequence[Evidence]) -> str:
    """The first violation, or doubt, with the packet in which it ends; else the verdict's own sentence."""
    violations = [(each.id, found) for each in verdict.invariants for found in each.violations]
    if violations:
        return sentence(f"{violations[0][0]} was violated", violations[0][1], len(violations), shown)
    doubts = [(each.id, found) for each in verdict.invariants for found in each.doubts]
    if doubts and verdict.why.startswith(f"{doubts[0][0]} is undecided"):
        return sentence(f"{doubts[0][0]} is undecided", doubts[0][1], len(doubts), shown)
    return verdict.why


def sentence(what: str, found: Violation | Doubt, of: int, shown: Sequence[Evidence]) -> str:
    """What was found, with the packet in which it ends, and how much more there is."""
    texts = {each.id: each.text for each in shown}
    last = last_named(found)
    packet = f": {texts[last]} [{last}]" if last in texts else ""
    if last in texts and (told := found.message.partition(": ")[2][:SAME]) and told in texts[last]:
        packet = f" [{last}]"  # of a crash, both have what the device wrote
    more = f"; and {of - 1} more findings" if of > 2 else "; and one more finding" if of > 1 else ""
    who = "" if found.message.startswith(CLAUSES) else "the device "
    return f"{what}: {who}{found.message}{packet}{more}"


def _claimed(invariant: InvariantVerdict, unseen: Container[str]) -> InvariantVerdict:
    """Of what cannot be seen, nothing is said to be held."""
    if invariant.outcome != "held" or invariant.id not in unseen:
        return invariant
    return InvariantVerdict(id=invariant.id, outcome="not-exercised", opportunities=0)


def _bounded(invariant: InvariantVerdict, accused: bool) -> InvariantVerdict:
    """With the first of what was found. What nothing shows is not said to be violated."""
    violations = invariant.violations[:MOST_FOUND] if accused else ()
    doubts = invariant.doubts[:MOST_FOUND]
    outcome = "undecided" if invariant.outcome == "violated" and not accused else invariant.outcome
    return InvariantVerdict(
        id=invariant.id,
        outcome=outcome,
        opportunities=invariant.opportunities,
        violations=violations,
        doubts=doubts,
    )
