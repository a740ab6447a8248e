"""Which device plays what in a run, and how the run announces that to whoever judges it."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from agent.errors import InputError
from agent.names import no_such_name
from simulator.devices.models import MODELS
from simulator.engines.stand_ins import Crew
from simulator.scenario import Group, JobSpec, Place, Scenario, agents, thing_of_agent
from simulator.trace import RunStarted

STEP: Final = "step"
"""The key of statusDetails under which our own agents say at which step they are."""
LISTED: Final = "`ghostjob run --models`"


class Casting:
    """Each of `things` with its group, and the agents that live on them, each with its own; a crew has been cast.

    Raises InputError for a place that is for a model which does not exist.
    """

    def __init__(self, scenario: Scenario, things: Sequence[str] | Crew) -> None:
        self.scenario = scenario
        for index, place in enumerate(scenario.must_reach):
            if unknown := [name for name in place.models if name not in MODELS]:
                meant = no_such_name(unknown[0], MODELS, LISTED)
                raise InputError(f"must_reach.{index}.models: model {unknown[0]}: there is none; {meant}")
        self.crew = things if isinstance(things, Crew) else None
        self.things = (
            things.things if isinstance(things, Crew) else tuple(zip(things, scenario.deal(len(things)), strict=True))
        )
        self.agents = tuple(agent for thing, group in self.things for agent in agents(thing, group))
        self.jobs = frozenset(job.id for job in scenario.jobs if not job.provokes)
        """Those that are there to be taken."""

    def join(self, thing: str, group: Group) -> None:
        """A further device plays in that group, and is a target of the jobs that are made from now on."""
        self.things += ((thing, group),)
        self.agents += agents(thing, group)

    def targets(self, job: JobSpec) -> tuple[str, ...]:
        """The things that a job is for."""
        return tuple(thing_of_agent(name) for name, group in self.agents if group.group in job.to)

    def first(self, job_id: str) -> JobSpec:
        """The first job of that id."""
        return next(job for job in self.scenario.jobs if job.id == job_id)

    def targets_of(self, job_id: str) -> tuple[str, ...]:
        """The things that the first job of that id is for."""
        return self.targets(self.first(job_id))

    def announced(
        self,
        engine: str,
        seed: int,
        started_at: str | None,
        *,
        one_clock: bool,
        are_foreign: bool = False,
        tells_presence: bool = False,
        versions: Mapping[str, tuple[str, ...]] | None = None,
        groups: Mapping[str, str] | None = None,
        shards: int = 1,
    ) -> RunStarted:
        """The trace's entry that a run begins with; what is not said here is as `RunStarted` has it."""
        has_others = are_foreign or len(self.jobs) < len({job.id for job in self.scenario.jobs})
        names = tuple(name for name, _ in self.agents)
        bounds = self.scenario.bounds.model_dump(mode="json")
        places = tuple(self._place(place) for place in self.scenario.must_reach if self._is_asked(place))
        forward = tuple(name for name, group in self.agents if group.policy == "finish-after-switch")
        bold = {
            name: group.leap_deadline_seconds for name, group in self.agents if group.leap_when_unreachable == "proceed"
        }
        shared = {
            name: (thing, group.namespace)
            for thing, first in self.things
            if first.beside
            for name, group in agents(thing, first)
        }
        return RunStarted(
            self.scenario.name,
            engine,
            names,
            bounds,
            places,
            forward,
            bold,
            shared,
            seed,
            version("ghostjob"),
            started_at,
            one_clock=one_clock,
            jobs=tuple(sorted(self.jobs)) if has_others else (),
            are_foreign=are_foreign,
            step_key=self.scenario.step_key if are_foreign else STEP,
            tells_presence=tells_presence,
            versions=dict(versions or {}),
            groups=dict(groups or {}),
            stands_for={} if self.crew is None else dict(self.crew.stands_for),
            shards=shards,
        )

    def _is_asked(self, place: Place) -> bool:
        """Whether a place is for the models that play."""
        return not place.models or any(group.model in place.models for _, group in self.agents)

    def _place(self, place: Place) -> dict[str, Any]:
        """A place with its groups resolved to things."""
        groups = place.groups or self.first(place.job).to
        models = place.models or [group.model for group in self.scenario.groups]
        things = [name for name, group in self.agents if group.group in groups and group.model in models]
        words = (place.place, place.job, place.step, place.instant, place.hint, place.fault, "/".join(place.groups))
        name = " ".join(word for word in words if word)
        return place.model_dump(mode="json", exclude={"groups", "models"}, exclude_none=True) | {
            "id": name,
            "things": things,
        }
