"""A scenario as a whole: what it says must fit together; and how things are named and dealt to groups."""

from collections.abc import Mapping
from typing import Annotated, Final, Self, get_args

from pydantic import Field, model_validator

from agent.wording import no_choice
from simulator.cloud.settings.service import Fault, PlayedService, played
from simulator.scenario.differences import Differences
from simulator.scenario.parts import (
    After,
    Deletion,
    Group,
    Intervention,
    JobSpec,
    Name,
    OtherStep,
    Outage,
    Part,
    PowerCut,
    StepName,
    Timings,
    When,
)
from simulator.scenario.places import Place
from simulator.verdict.bounds import LONGEST_SECONDS, Bounds

MOST_DEVICES: Final = 10_000_000
STEPS: Final[tuple[str, ...]] = get_args(StepName)


class Scenario(Part):
    """A whole scenario: the names in its parts must fit together."""

    name: Name
    """What verdicts call it."""
    about: str = ""
    """What it shows, in a sentence."""
    devices: Annotated[tuple[Group, ...], Field(min_length=1)]
    """Who plays."""
    jobs: Annotated[tuple[JobSpec, ...], Field(min_length=1)]
    """What they are to do."""
    deletions: tuple[Deletion, ...] = ()
    """What is taken from them, and when."""
    updates: tuple[Intervention, ...] = ()
    """What another hand reports in their names."""
    power_cuts: tuple[PowerCut, ...] = ()
    """When the power goes."""
    outages: tuple[Outage, ...] = ()
    """When the network goes."""
    faults: tuple[Fault, ...] = ()
    """What becomes of messages on their way."""
    must_reach: tuple[Place, ...] = ()
    """The dangerous places without which the run is inconclusive."""
    steps: tuple[OtherStep, ...] = ()
    """Steps that devices which are not ghostjob's report besides, under `step_key`; ours have none of them."""
    step_key: Annotated[str, Field(min_length=1, max_length=128)] = "step"
    """The key of statusDetails under which devices that are not ghostjob's say at which step they are."""
    moments: tuple[Name, ...] = ()
    """Moments of devices that are not ghostjob's, of which whoever plays tells as of a fault of that name: a line that
    one prints, say. `fault:` may name them."""
    hardware: Timings = Timings()
    """How long steps take."""
    differences: Differences = Differences()
    """How devices differ from one another."""
    cloud: Annotated[PlayedService, Field(default_factory=played)]
    """Settings of the local cloud."""
    bounds: Bounds = Bounds()
    """What the verdict judges by."""
    time_limit_seconds: Annotated[float, Field(gt=0, le=LONGEST_SECONDS)] = 120
    """When a run that hangs is ended; time in which its processes did not get round to what was due is not counted."""
    play_with: Annotated[int, Field(ge=1, le=MOST_DEVICES)] = 10
    """How many devices it is made for, and play unless `--devices` says so."""

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        groups = {group.group: group for group in self.groups}
        if len(groups) < len(self.groups):
            raise ValueError("devices: every group has a name of its own")
        self._check_jobs(groups)
        self._check_orders()
        self._check_places(groups)
        self._check_named()
        self._check_faults()
        return self

    def _check_jobs(self, groups: Mapping[str, Group]) -> None:
        ids = {job.id for job in self.jobs}
        for index, job in enumerate(self.jobs):
            for name in job.to:
                if name not in groups:
                    raise ValueError(f"jobs.{index}.to: no group '{name}'; there are {', '.join(groups)}")
                if not job.provokes and groups[name].namespace != job.namespace:
                    raise ValueError(f"jobs.{index}.to: group '{name}' listens in another namespace than the job")
                if job.provokes and job.namespace in self._namespaces_beside(name):
                    raise ValueError(f"jobs.{index}.provokes: devices of group '{name}' listen in that namespace")
            if job.provokes and sum(other.id == job.id for other in self.jobs) > 1:
                raise ValueError(f"jobs.{index}.provokes: its id is that of one job only")
            for key in ("deletion_of", "taken"):
                if (other := getattr(job.after, key, None)) is not None and other not in ids:
                    raise ValueError(f"jobs.{index}.after.{key}: no job '{other}'")

    def _check_orders(self) -> None:
        first_jobs = {job.id for job in self.jobs if job.after is None or job.after.deletion_of is None}
        of_others = {job.id for job in self.jobs if job.by != "customer"}
        for index, deletion in enumerate(self.deletions):
            if deletion.job not in first_jobs:
                known = ", ".join(sorted(first_jobs))
                raise ValueError(f"deletions.{index}.job: no job '{deletion.job}' made at the start; there are {known}")
            if deletion.do == "delete-execution" and deletion.job in of_others:
                raise ValueError(f"deletions.{index}.do: Greengrass deletes its jobs whole")
        for index, update in enumerate(self.updates):
            if update.job not in first_jobs:
                raise ValueError(f"updates.{index}.job: no job '{update.job}' made at the start")

    def _check_places(self, groups: Mapping[str, Group]) -> None:
        ids = {job.id for job in self.jobs}
        for index, place in enumerate(self.must_reach):
            if place.job not in ids:
                raise ValueError(f"must_reach.{index}.job: no job '{place.job}'; there are {', '.join(sorted(ids))}")
        named: tuple[tuple[str, tuple[PowerCut | Outage | Place, ...]], ...] = (
            ("power_cuts", self.power_cuts),
            ("outages", self.outages),
            ("must_reach", self.must_reach),
        )
        for key, parts in named:
            for index, part in enumerate(parts):
                if unknown := [name for name in part.groups if name not in groups]:
                    raise ValueError(f"{key}.{index}.groups: no group '{unknown[0]}'; there are {', '.join(groups)}")

    def _namespaces_beside(self, name: str) -> set[str | None]:
        """Those in which anybody listens who lives where devices of a group do."""
        homes = (home for home in self.devices if name in (home.group, *(other.group for other in home.beside)))
        return {one.namespace for home in homes for one in (home, *home.beside)}

    def _check_named(self) -> None:
        """Steps and faults that other parts name."""
        whens = [(f"deletions.{index}.when", deletion.when) for index, deletion in enumerate(self.deletions)]
        whens += [(f"updates.{index}.when", update.when) for index, update in enumerate(self.updates)]
        named: list[tuple[str, PowerCut | When | Place | After]] = [*whens]
        named += ((f"power_cuts.{index}", cut) for index, cut in enumerate(self.power_cuts))
        named += ((f"must_reach.{index}", place) for index, place in enumerate(self.must_reach))
        named += ((f"jobs.{index}.after", job.after) for index, job in enumerate(self.jobs) if job.after is not None)
        faults = [*(fault.name for fault in self.faults if fault.name is not None), *self.moments]
        steps = (*STEPS, *self.steps)
        for where, part in named:
            if part.fault is not None and part.fault not in faults:
                there = f"there are {', '.join(faults)}" if faults else "none has a name"
                raise ValueError(f"{where}.fault: no fault '{part.fault}'; {there}")
            if (step := getattr(part, "step", None)) is not None and step not in steps:
                raise ValueError(f"{where}.step: {no_choice(repr(step), steps)}")

    def _check_faults(self) -> None:
        ids = {job.id for job in self.jobs}
        for index, fault in enumerate(self.faults):
            for key in ("after_queueing_of", "after_deletion_of"):
                job = getattr(fault, key)
                if job is not None and job not in ids:
                    known = ", ".join(sorted(ids))
                    raise ValueError(f"faults.{index}.{key}: no job '{job}'; there are {known}")

    def cast(self, model: str) -> Self:
        """The same with every device that is ours played by another model."""

        def recast(group: Group) -> Group:
            beside = tuple(recast(other) for other in group.beside)
            ours = {"model": model} if group.model == "reference" else {}
            return group.model_copy(update={"beside": beside, **ours})

        return self.model_copy(update={"devices": tuple(recast(group) for group in self.devices)})

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, those beside others after them."""
        return tuple(one for group in self.devices for one in (group, *group.beside))

    def deal(self, things: int) -> tuple[Group, ...]:
        """The group of each of `things` devices, dealt in turn."""
        return tuple(self.devices[index % len(self.devices)] for index in range(things))


def agents(thing: str, group: Group) -> tuple[tuple[str, Group], ...]:
    """Who lives on a thing of that group, by name: the thing's for the first, THING@NAMESPACE for those beside it."""
    beside = ((f"{thing}@{other.namespace or 'default'}", other) for other in group.beside)
    return ((thing, group), *beside)


def thing_of_agent(name: str) -> str:
    """The thing that an agent of that name lives on."""
    return name.partition("@")[0]


def thing_names(count: int) -> tuple[str, ...]:
    """Names of equal length, so that they sort as they count."""
    return tuple(thing_name(index, count) for index in range(count))


def thing_name(index: int, count: int) -> str:
    """What one of so many is called."""
    return f"thing-{index:0{len(str(max(count - 1, 0)))}}"
