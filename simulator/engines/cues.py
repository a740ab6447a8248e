"""The scenario's cues: what triggers each deletion and update, and how it lands where the scenario wants it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Final

from agent.device_events import StepFinished, StepProgressed, StepStarted
from agent.values import ExecutionKey, Status
from simulator.controller.triggers import Observation, Trigger
from simulator.devices.holds import Hold
from simulator.devices.rig.values import HoldPoint
from simulator.engines.casting import Casting
from simulator.engines.holding import Holding
from simulator.pace import Pace
from simulator.scenario import Deletion, Intervention, JobSpec, thing_of_agent
from simulator.trace import (
    DeletionAccepted,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FaultStruck,
    JobDeleted,
    JobDeletionBegan,
    device_source,
)

NOTICED: Final = frozenset(
    {
        DeletionAccepted,
        ExecutionChanged,
        ExecutionQueued,
        ExecutionRemoved,
        FaultStruck,
        JobDeleted,
        JobDeletionBegan,
        StepFinished,
        StepProgressed,
        StepStarted,
    }
)
"""What a cue or the stage may wait for, or ends a hold: a small part of what happens."""


@dataclass(slots=True)
class Cue:
    """A deletion of the scenario, or an update, with the trigger that fires it and the hold that makes it land."""

    what: Deletion | Intervention
    trigger: Trigger
    holding: Holding | None
    is_done: bool = False
    refused: str | None = None
    """Why the service did not do it."""
    in_vain: str | None = None
    """Why nobody waits for it any more."""

    @property
    def held(self) -> tuple[str, ...]:
        """The things that are held for it now."""
        return () if self.holding is None else self.holding.hold.held

    @property
    def is_holding(self) -> bool:
        """Whether there are any."""
        return self.holding is not None and self.holding.hold.is_holding

    def give_up(self, why: str) -> None:
        """Let those go that are held for it, since it cannot come any more."""
        self.in_vain = why
        if self.holding is not None:
            self.holding.end()

    @property
    def words(self) -> str:
        """What it is, and when it is to come."""
        what, when = self.what, self.what.when
        do = f"update to {what.status}" if isinstance(what, Intervention) else what.do
        step = f"{when.step} {when.progress}%" if when.progress else when.step
        at = step or when.status or (when.fault and f"fault {when.fault}")
        return f"{do} of job {what.job} (at {at or f'{when.after_seconds:g} s'})"

    def missed(self) -> str | None:
        """Why it did not come, or nothing came of it; None if it did."""
        if self.refused is not None:
            return f"{self.words} was refused: {self.refused}"
        if self.is_done:
            return None
        return f"{self.words} never came: {self.in_vain or self.trigger.missed() or 'its instant was not seen'}"


class Cues:
    """All of a scenario's. `changed` is told when a trigger gets further."""

    def __init__(self, casting: Casting, changed: Callable[[], None]) -> None:
        self._casting = casting
        self._changed = changed
        self._step_key = casting.scenario.step_key
        what: tuple[Deletion | Intervention, ...] = (*casting.scenario.deletions, *casting.scenario.updates)
        numbers = count()
        self.all = tuple(self._cue(each, numbers) for each in what)
        self._watched = frozenset((cue.what.job, cue.what.when.step) for cue in self.all)
        """Jobs, each with the step of it that a cue waits for, None for a status: nothing else needs to be observed."""
        self._holdings = tuple(cue.holding for cue in self.all if cue.holding is not None)

    def _cue(self, what: Deletion | Intervention, numbers: Iterator[int]) -> Cue:
        when, holding = what.when, None
        if isinstance(what, Deletion) and what.hold and when.step:
            holding = Holding(what, Hold(HoldPoint(next(numbers), what.job, when.step, when.progress)))
        return Cue(what, Trigger(when, frozenset(self._casting.targets_of(what.job))), holding)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Those that devices' workbenches keep to."""
        return tuple(holding.hold for holding in self._holdings)

    def keep_to(self, pace: Pace) -> None:
        """What the length of holds is counted by."""
        for holding in self._holdings:
            holding.pace = pace

    def created(self, job: JobSpec, pace: Pace) -> None:
        """A job has been made: what is cued by the time since then is due after it."""
        for cue in self.all:
            if job is self._casting.first(cue.what.job):
                cue.trigger.created(pace.now())
                if cue.what.when.after_seconds is not None:
                    pace.call_later(cue.what.when.after_seconds, self._changed)

    def feed(self, entry: Entry) -> None:
        """Take note of one entry, of a type that is NOTICED."""
        match entry.event:
            case ExecutionChanged(thing=thing, execution=key, status=status, details=details):
                self._observe(thing, key, status, self._named(details or {}))
            case ExecutionQueued(thing=thing, execution=key):
                self._observe(thing, key, Status.QUEUED, {})
            case FaultStruck(thing=thing, fault=fault):
                self._struck(thing, fault)
            case StepStarted(execution=key, step=step):
                self._observe_step(entry.source, key, step, 0)
            case StepProgressed(execution=key, step=step, percent=percent):
                self._observe_step(entry.source, key, step, percent)
            case StepFinished(execution=key, step=step, outcome="done"):
                self._observe_step(entry.source, key, step, 100)
            case _:
                pass
        for holding in self._holdings:
            holding.feed(entry.event)

    def _named(self, details: dict[str, str]) -> dict[str, str]:
        """What an execution tells, with its step under the name that triggers know it by."""
        key = self._step_key
        return details | {"step": details[key]} if key != "step" and key in details else details

    def _observe_step(self, source: str, key: ExecutionKey, step: str, percent: int) -> None:
        """Our own hardware shows how far it is, whatever its agent reports."""
        if (key.job_id, step) not in self._watched and (key.job_id, None) not in self._watched:
            return
        thing = thing_of_agent(source.removeprefix(device_source("")))
        self._observe(thing, key, Status.IN_PROGRESS, {"step": step, "progress": str(percent)})

    def _struck(self, thing: str, fault: str) -> None:
        for cue in self.all:
            if cue.what.when.fault == fault:
                cue.trigger.struck(thing, fault)
                self._changed()

    def _observe(self, thing: str, key: ExecutionKey, status: str, details: dict[str, str]) -> None:
        for cue in self.all:
            is_told = cue.what.when.fault is not None or cue.trigger.has(thing)
            if cue.what.job == key.job_id and not is_told:
                cue.trigger.observe(Observation(thing, status, details, _incarnation(key)))
                if cue.trigger.has(thing):
                    self._changed()


@lru_cache(maxsize=1024)
def _incarnation(key: ExecutionKey) -> tuple[int, int]:
    """One object for all things."""
    return key.queued_at, key.execution_number
