"""Who plays the devices of a scenario: a fleet of ours, or somebody else's, of whom only the cloud tells.

               who is there                        at rest
OwnFleet       DeviceConnected, their own account  each device says so
Foreign        the client of that name connected,  no execution has been removed for as long as a device may take
               or asked for something              to find out; what it does until then is seen
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

from agent.device_events import DeviceConnected
from agent.errors import InputError
from simulator.devices.device import SimulatedDevice
from simulator.devices.holds import Hold
from simulator.engines.casting import Casting
from simulator.engines.fleet import Connections, Fleet
from simulator.pace import Pace
from simulator.scenario import Scenario
from simulator.trace import ClientConnected, Entry, ExecutionRemoved, RequestReceived, Sink, device_source


class OwnFleet:
    """Simulated devices in this process."""

    def __init__(self, casting: Casting, connections: Connections, seed: int, sink: Sink) -> None:
        self._casting = casting
        self._connections = connections
        self._seed = seed
        self._sink = sink
        self._connected: set[str] = set()
        self._restless: SimulatedDevice | None = None
        self.fleet: Fleet | None = None

    async def enter(self, stack: AsyncExitStack, holds: tuple[Hold, ...]) -> None:
        """Switch them on, until the stack ends."""
        casting = self._casting
        self.fleet = Fleet(
            casting.agents, self._connections, self._seed, self._sink, scenario=casting.scenario, holds=holds
        )
        await stack.enter_async_context(self.fleet)

    def feed(self, entry: Entry) -> bool:
        """Take note of one entry; whether somebody has come by it."""
        if type(entry.event) is not DeviceConnected:
            return False
        self._connected.add(entry.source)
        return True

    @property
    def are_there(self) -> bool:
        """Whether each has been connected."""
        return len(self._connected) == len(self._casting.agents)

    def away(self) -> list[str]:
        """Who has not."""
        return [name for name, _ in self._casting.agents if device_source(name) not in self._connected]

    def all_rest(self) -> bool:
        """Whether every device rests; the one that did not when this was last asked is asked first."""
        if self._restless is None or self._restless.rests:
            self._restless = next((device for device in self._devices if not device.rests), None)
        return self._restless is None

    def restless(self) -> list[str]:
        """Whose hardware or agent is not at rest."""
        return [device.thing for device in self._devices if not device.rests]

    @property
    def _devices(self) -> tuple[SimulatedDevice, ...]:
        assert self.fleet is not None, "there are devices by now"
        return self.fleet.devices


class Foreign:
    """Devices that are not ours: they connect by themselves, with their thing's name for a client id, or ask over HTTP.

    Of any other client the verdict would know nothing. `changed` is told when all may rest.

    Raises InputError for a scenario that does to them what can be done to our own only, and if there is none of them or
    one twice: a run without devices would show nothing, and pass.
    """

    def __init__(self, casting: Casting, changed: Callable[[], None]) -> None:
        _check(casting.scenario)
        named = Counter(thing for thing, _ in casting.things).most_common(1)
        if not named:
            raise InputError("devices: there is none; name the things that play")
        if named[0][1] > 1:
            raise InputError(f"devices: {named[0][0]} stands there twice; name each once")
        self._away = dict.fromkeys(name for name, _ in casting.agents)
        self._settling_seconds = casting.scenario.bounds.detection_seconds
        self._changed = changed
        self._settled_at = 0.0
        self._pace = Pace()

    async def enter(self, stack: AsyncExitStack, holds: tuple[Hold, ...]) -> None:
        """They come when they come."""

    def feed(self, entry: Entry) -> bool:
        """Take note of one entry; whether somebody has come by it."""
        match entry.event:
            case ClientConnected(thing=name) | RequestReceived(thing=name, client=None) if name in self._away:
                del self._away[name]
                return True
            case ExecutionRemoved():
                self._settled_at = self._pace.now() + self._settling_seconds
                self._pace.call_later(self._settling_seconds, self._changed)
            case _:
                pass
        return False

    @property
    def are_there(self) -> bool:
        """Whether the cloud has seen each."""
        return not self._away

    def away(self) -> list[str]:
        """Whom it has not seen."""
        return list(self._away)

    def all_rest(self) -> bool:
        """Whether what a device goes on to do after a deletion would have been seen by now."""
        return self._pace.now() >= self._settled_at

    def restless(self) -> list[str]:
        """Nobody knows who."""
        return []


Players: TypeAlias = OwnFleet | Foreign


def _check(scenario: Scenario) -> None:
    ours = "is for ghostjob's own devices, and those that play are not"
    for index, deletion in enumerate(scenario.deletions):
        if deletion.hold:
            raise InputError(f"deletions.{index}.hold: {ours}: who is in a step cannot be held there; leave it out")
    for name in ("power_cuts", "outages"):
        if getattr(scenario, name):
            raise InputError(f"{name}: {ours}; leave it out")
