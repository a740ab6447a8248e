"""Whoever presses the button in a play: at the instant of the scenario's first deletion, one action in place of all."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Literal, Protocol, assert_never

from agent.device_events import DeviceConnected
from agent.values import ExecutionKey
from simulator.controller.controller import ControllerCommand
from simulator.controller.hand import Refused
from simulator.engines.cues import Cue
from simulator.engines.steering import Means, Steering
from simulator.engines.venue import Venue
from simulator.forecast.action import Action, Cancel, Delete, Wait, Waves
from simulator.pace import Pace
from simulator.scenario import Intervention
from simulator.trace import Entry, JobDeleted, device_source

WHY: Final = "what if"
LOOKS_EVERY_SECONDS: Final = 0.25
LINGERS_SECONDS: Final = 1.0


class SteeredVenue(Venue, Means, Protocol):
    """Where a scenario is played that is steered."""


class Pressing(Steering):
    """Does `action` to `jobs`, once; `pressed` is told just before.

    `away`: how long each of these things stays away, from when it was first connected. `scale` is how many of the
    fleet's executions each stands for.
    """

    def __init__(
        self,
        means: Means,
        action: Action,
        jobs: Sequence[str],
        pressed: Callable[[], None],
        *,
        away: Mapping[str, float],
        scale: float,
    ) -> None:
        super().__init__(means)
        self._action = action
        self._names = tuple(jobs)
        self._pressed = pressed
        self._away = dict(away)
        self._scale = scale
        self._is_pressed = False
        self._going: set[str] = set()
        """Jobs whose deletion is under way."""

    def see(self, entry: Entry) -> Callable[[], None] | None:
        """Take note of an entry of any kind; what is to be done once it has been dealt with."""
        match entry.event:
            case DeviceConnected():
                thing = entry.source.removeprefix(device_source(""))
                if (seconds := self._away.pop(thing, 0.0)) > 0:
                    return lambda: self.cut_network(thing, seconds)
            case JobDeleted(job_id=job_id):
                self._going.discard(job_id)
            case _:
                pass
        return None

    @property
    def must_go_on(self) -> bool:
        """Not before what is deleted is gone."""
        return bool(self._going) or super().must_go_on

    async def before(self, cue: Cue, pace: Pace) -> bool:
        """Press at the first deletion that is due, in place of it and of all others."""
        if isinstance(cue.what, Intervention):
            return True
        if not self._is_pressed:
            self._is_pressed = True
            self._pressed()
            for each in self._ensemble.cues.all:
                if each.holding is not None:
                    each.holding.end()  # whoever was held for the instant goes on, whatever is done
            await self._act(pace)
            await self._last_requests(pace)
        return False

    async def _last_requests(self, pace: Pace) -> None:
        """Wait until all is over, and for what devices ask then: the play would end in the instant before."""
        all_ = self._ensemble
        while all_.stage.open or not all_.players.all_rest():
            await pace.sleep(LOOKS_EVERY_SECONDS)
        await pace.sleep(LINGERS_SECONDS)

    async def _act(self, pace: Pace) -> None:
        match self._action:
            case Wait():
                pass
            case Cancel(force=force):
                await self._ask("cancel-job", force)
            case Delete():
                await self._ask("delete-job", True)
            case Waves():
                await self._in_waves(self._action, pace)
                await self._ask("delete-job", True)
            case _:
                assert_never(self._action)

    async def _ask(self, do: Literal["cancel-job", "delete-job"], force: bool) -> None:
        all_ = self._ensemble
        for name in self._names:
            if do == "delete-job":
                self._going.add(name)
            command = ControllerCommand(do, name, force, all_.casting.first(name).namespace)
            try:
                await all_.controller.carry_out(command, why=WHY)
            except Refused:  # it is over by itself, and there is nothing to cancel
                self._going.discard(name)

    async def _in_waves(self, waves: Waves, pace: Pace) -> None:
        all_, began, number = self._ensemble, pace.now(), 0
        for thing, key in tuple(all_.stage.open):
            if key.job_id not in self._names:
                continue
            due = began + waves.due(number * self._scale)
            if due > pace.now():
                await pace.sleep(due - pace.now())
            if (thing, key) in all_.stage.open:
                await self._take(thing, key)
                number += 1

    async def _take(self, thing: str, key: ExecutionKey) -> None:
        with suppress(Refused):  # it ended meanwhile
            await self._ensemble.hand.delete_execution(
                thing, key.job_id, number=key.execution_number, force=True, namespace_id=key.namespace_id
            )
