"""A scenario as a world: whose group, which jobs, how much of each kind of trouble; and what this world cannot have.

A scenario says when something happens; a search tries every instant, so of each deletion, cut and fault only that it
may happen is taken. Whatever of the scenario is not in the world is said in a sentence: nothing is left out in silence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from agent.core import DevicePolicy
from simulator.cloud.settings.service import Fault, played
from simulator.engines.explore.choice import Kind
from simulator.engines.explore.setup import FW, NEXT_JOB, OTHER_NAMESPACE, Bounds, Setup
from simulator.scenario import Differences, Group, JobSpec, Place, Scenario

OF_DELETIONS: Final[dict[str, Kind]] = {
    "delete-job": "delete",
    "delete-execution": "delete-execution",
    "cancel-job": "cancel",
    "cancel-execution": "cancel",
}
FLAWS: Final = frozenset({"hash", "signature", "boot", "self-test"})
HINTS: Final = frozenset({"notify", "notify-next"})
MOST: Final = 9
TAKEN: Final = frozenset({"while_deleting", "head_across_namespaces"})
"""Settings of the cloud that this world has."""


class OfScenario(NamedTuple):
    """The world, the places that it is to reach by its own names, and what of the scenario is not in it."""

    setup: Setup
    places: tuple[Place, ...]
    not_here: tuple[str, ...]


def of_scenario(scenario: Scenario) -> OfScenario:
    """The world of the first group."""
    group = scenario.devices[0]
    jobs = [job for job in scenario.jobs if group.group in job.to and not job.provokes]
    names = _names(jobs)
    first = jobs[0] if jobs else scenario.jobs[0]
    again = [job for job in jobs[1:] if job.id == first.id]
    kinds = _kinds(scenario, group, first, again)
    places = tuple(
        place.model_copy(update={"job": names[place.job]})
        for place in scenario.must_reach
        if place.job in names and (not place.groups or group.group in place.groups)
    )
    return OfScenario(
        Setup(
            model=group.model,
            layout=group.layout,
            namespace=None if group.namespace == OTHER_NAMESPACE else group.namespace,
            hears=group.hears,
            policy=group.policy,
            reports=group.reports,
            leap_when_unreachable=group.leap_when_unreachable,
            flaw=_flaw(first),
            again="same document" if all(job.version == first.version for job in again) else "other document",
            next=any(name == NEXT_JOB for name in names.values()),
            while_deleting=scenario.cloud.while_deleting,
            head_across_namespaces=scenario.cloud.head_across_namespaces,
            bounds=Bounds(**{kind.replace("-", "_"): min(count, MOST) for kind, count in kinds.items()}),
        ),
        places,
        (*_not_here(scenario, group, jobs, places), *_too_many(kinds)),
    )


def _names(jobs: Sequence[JobSpec]) -> dict[str, str]:
    """What this world calls the scenario's jobs."""
    ids = list(dict.fromkeys(job.id for job in jobs))
    return dict(zip(ids, (FW, NEXT_JOB), strict=False))


def _flaw(job: JobSpec) -> Any:
    flaw = job.image.flaw
    return flaw if flaw in FLAWS else None


def _kinds(scenario: Scenario, group: Group, first: JobSpec, again: Sequence[JobSpec]) -> dict[Kind, int]:
    counts: dict[Kind, int] = {}

    def add(kind: Kind, count: int = 1) -> None:
        counts[kind] = counts.get(kind, 0) + count

    for deletion in scenario.deletions:
        if deletion.job == first.id:
            add(OF_DELETIONS[deletion.do])
    if again:
        add("create-again", len(again))
    if scenario.power_cuts:
        add("power-cut", len(scenario.power_cuts))
    if scenario.outages:
        add("disconnect", len(scenario.outages))
    if any(job.provokes and group.group in job.to for job in scenario.jobs):
        add("other-namespace")
    for fault in scenario.faults:
        for kind in _of_fault(fault):
            add(kind)
    return counts


def _of_fault(fault: Fault) -> Iterator[Kind]:
    match fault.do:
        case "lose":
            for message in fault.messages:
                yield "lose-hint" if message in HINTS else "lose-answer" if "answer" in message else "lose-request"
        case "duplicate":
            yield "duplicate"
        case "delay" | "hold":
            yield "delay"
        case "cut":
            yield "disconnect"
        case _:
            return


def _not_here(scenario: Scenario, group: Group, jobs: Sequence[JobSpec], places: Sequence[Place]) -> Iterator[str]:
    """What this world does not have of it, in sentences without their ends."""
    yield from _not_here_of_devices(scenario, group)
    ids = list(dict.fromkeys(job.id for job in jobs))
    if len(ids) > 2:
        yield f"its jobs beyond the second, {', '.join(ids[2:])}, are not here"
    if others := dict.fromkeys(job.id for job in jobs if job.document is not None):
        are = (
            "job {} is none of firmware; here it is"
            if len(others) == 1
            else "jobs {} are none of firmware; here they are"
        )
        yield f"its {are.format(', '.join(others))}: only the `world:` of a schedule `asks` for others"
    if later := dict.fromkeys(job.id for job in jobs[1:] if job.image.flaw is not None):
        yield f"the flaw of a later image ({', '.join(later)}) is not here: that image is a good one"
    if (flaw := jobs[0].image.flaw if jobs else None) is not None and flaw not in FLAWS:
        yield f"its image's flaw {flaw} is not here: the image is a good one"
    if spared := sorted({each.job for each in scenario.deletions if jobs and each.job != jobs[0].id}):
        yield f"the deletion of {', '.join(spared)} is not here: only the first job is taken away"
    if any(each.do == "cancel-execution" for each in scenario.deletions):
        yield "that one execution is cancelled, and not its job, is not here: the job is"
    if scenario.updates:
        yield "what another hand reports in the device's name (updates) is not here"
    if refusals := sorted({fault.do for fault in scenario.faults if fault.do in ("throttle", "fail")}):
        yield f"a service that refuses for the time being (faults: {', '.join(refusals)}) is not here"
    if scenario.steps or scenario.moments:
        yield "steps and moments of devices that are not ghostjob's are not here"
    if left := len(scenario.must_reach) - len(places):
        yield f"{left} of the places that it must reach are of other groups or jobs"
    if instants := sorted({place.instant for place in places if place.instant is not None}):
        yield f"the instants of its places ({', '.join(instants)}) are not here: only the step is looked at"
    if scenario.deletions or scenario.power_cuts or scenario.faults:
        yield "when its deletions, cuts and faults happen is not taken from it: every instant is tried"


def _too_many(kinds: Mapping[Kind, int]) -> Iterator[str]:
    for kind, count in kinds.items():
        if count > MOST:
            yield f"of its {count} troubles of the kind {kind}, {MOST} are here"


def _not_here_of_devices(scenario: Scenario, group: Group) -> Iterator[str]:
    if group.namespace == OTHER_NAMESPACE:
        yield f"its namespace {group.namespace} is that of others here: it works in the default one"
    if len(scenario.devices) > 1:
        others = ", ".join(other.group for other in scenario.devices[1:])
        yield f"its group {group.group} plays alone, as one device; {others} would be worlds of their own"
    if group.beside:
        yield f"the agents beside it on its thing ({', '.join(other.group for other in group.beside)}) are not here"
    if group.leap_deadline_seconds != DevicePolicy().leap_deadline:
        yield "how long it asks before the point of no return is not here: there is no time"
    if scenario.differences != Differences():
        yield "how devices differ from one another (differences) is not here: there is one, and no time"
    ours, usual = asdict(scenario.cloud), asdict(played())
    if settings := sorted(name for name in ours if ours[name] != usual[name] and name not in TAKEN):
        yield f"its settings of the cloud {', '.join(settings)} are not here"
