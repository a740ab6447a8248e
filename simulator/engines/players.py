"""Who plays the devices of a scenario: a fleet of ours, or somebody else's, of whom only the cloud tells.

               who is there                        at rest
OwnFleet       DeviceConnected, their own account  each device says so
Foreign        the client of that name connected,  it has done its next job since an execution was taken from it, or
               or one asked or listens for it      had as long as it may take to find out: see `settling`
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final, Protocol, TypeAlias

from agent.device_events import DeviceConnected, DeviceCrashed, DeviceDisconnected
from agent.errors import InputError
from simulator.devices.holds import Hold
from simulator.engines.casting import Casting
from simulator.engines.fleet import Connections, Fleet
from simulator.engines.outlets import DeviceHands
from simulator.engines.settling import Settling
from simulator.pace import Pace
from simulator.scenario import Group, PlaceName, Scenario, thing_of_agent
from simulator.trace import (
    ClientConnected,
    ClientSubscribed,
    Entry,
    FaultStruck,
    RequestReceived,
    Sink,
    device_source,
)
from simulator.verdict.clients import listened_to

UNSEEN: Final[frozenset[PlaceName]] = frozenset(
    {
        "deleted-before-leap",
        "deleted-after-leap",
        "deleted-while-rebooting",
        "deleted-while-powerless",
        "power-lost-before-publishing",
        "failed-in-step",
        "rolled-back",
        "failed-unchanged",
    }
)
"""Places inside a device."""

ENDS: Final = frozenset({DeviceCrashed, DeviceDisconnected})
"""What is told of a device whose agent ends: it has crashed, or its power is off."""
OF_OWN: Final = ENDS | {DeviceConnected, FaultStruck}
"""What of our own fleet is taken note of here."""


class Simulated(Protocol):
    """A simulated device, wherever it is; each member as `simulator.devices.device.SimulatedDevice` has it."""

    @property
    def thing(self) -> str:
        """Its name."""

    @property
    def group(self) -> Group:
        """Its group."""

    @property
    def rests(self) -> bool:
        """Whether it has nothing in hand."""

    @property
    def out_of_order(self) -> str:
        """Why it does nothing any more."""

    def cut_power(self, instant: str, off_seconds: float) -> None:
        """Let the power go."""


class OwnFleet:
    """Simulated devices, in this process unless a subclass has them elsewhere.

    `one_clock`: they tell the time by the play's. `fleet` is what is in this process, once it has begun.
    """

    one_clock: bool = True

    def __init__(self, casting: Casting, connections: Connections, seed: int, sink: Sink) -> None:
        self._casting = casting
        self._connections = connections
        self._seed = seed
        self._sink = sink
        self._connected: set[str] = set()
        self._restless: Simulated | None = None
        self._cut: set[tuple[int, Simulated]] = set()
        """The power cuts that came with a fault, and on whom."""
        self._ended: set[str] = set()
        """Whose agent has come to an end at some time, by its source: nobody else can be out of order."""
        self.fleet: Fleet | None = None

    async def enter(self, stack: AsyncExitStack, holds: tuple[Hold, ...]) -> None:
        """Switch them on, until the stack ends."""
        casting = self._casting
        self.fleet = Fleet(
            casting.agents,
            self._connections,
            self._seed,
            self._sink,
            scenario=casting.scenario,
            holds=holds,
            lots={} if casting.crew is None else casting.crew.lots,
        )
        await stack.enter_async_context(self.fleet)

    def join(self, name: str, group: Group) -> None:
        """Switch a further one on."""
        assert self.fleet is not None, "there are devices by now"
        self.fleet.join(name, group)

    def feed(self, entry: Entry) -> bool:
        """Take note of one entry; whether somebody has come by it."""
        kind = type(entry.event)
        if kind is DeviceConnected:
            self._connected.add(entry.source)
            return True
        if isinstance(entry.event, FaultStruck):
            self._struck(entry.event)
        elif kind in ENDS:
            self._ended.add(entry.source)
        return False

    @property
    def are_begun(self) -> bool:
        """Whether they have been switched on."""
        return self.fleet is not None

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

    def out_of_order(self) -> dict[str, str]:
        """Who does nothing any more, whatever comes, and why."""
        if not self._ended:
            return {}
        ended = (device for device in self._devices if device_source(device.thing) in self._ended)
        return {device.thing: why for device in ended if (why := device.out_of_order)}

    def restless(self) -> list[str]:
        """Whose hardware or agent is not at rest."""
        return [device.thing for device in self._devices if not device.rests]

    def _struck(self, struck: FaultStruck) -> None:
        """A power cut may come with that: after what struck, which may be the device's own doing, has been dealt with.

        Each comes once on each device, as all cuts do.
        """
        for number, cut in enumerate(self._casting.scenario.power_cuts):
            if cut.fault != struck.fault:
                continue
            for device in self._devices:
                is_meant = not cut.groups or device.group.group in cut.groups
                if is_meant and thing_of_agent(device.thing) == struck.thing and (number, device) not in self._cut:
                    self._cut.add((number, device))
                    device.cut_power(f"fault {cut.fault}", cut.off_seconds)

    @property
    def _devices(self) -> Sequence[Simulated]:
        assert self.fleet is not None, "there are devices by now"
        return self.fleet.devices


class Foreign:
    """Devices that are not ours: they connect by themselves, by any client id, or ask over HTTP.

    One is there once a client of its name is connected, or any client has asked or listens for it. `changed` is told
    when all may rest. `hands` can do to the device what the wire cannot. `are_there`: they need not show themselves.

    Raises InputError for a scenario that does to them what can be done to our own only, and if there is none of them or
    one twice: a run without devices would show nothing, and pass.
    """

    one_clock: Final = False

    def __init__(
        self,
        casting: Casting,
        changed: Callable[[], None],
        hands: DeviceHands | None = None,
        *,
        are_there: bool = False,
    ) -> None:
        _check(casting.scenario, hands)
        named = Counter(thing for thing, _ in casting.things).most_common(1)
        if not named:
            raise InputError("devices: there is none; name the things that play")
        if named[0][1] > 1:
            raise InputError(f"devices: {named[0][0]} stands there twice; name each once")
        if hands is not None and len(casting.things) > 1:
            raise InputError("devices: whose power can be cut plays alone; name that one")
        self._away = dict.fromkeys(name for name, _ in casting.agents if not are_there)
        self._settling = Settling(casting, changed)

    def keep_to(self, pace: Pace) -> None:
        """What the waiting for them is counted by."""
        self._settling.keep_to(pace)

    async def enter(self, stack: AsyncExitStack, holds: tuple[Hold, ...]) -> None:
        """They come when they come."""

    def feed(self, entry: Entry) -> bool:
        """Take note of one entry; whether somebody has come by it."""
        self._settling.feed(entry)
        match entry.event:
            case ClientConnected(thing=name) | RequestReceived(thing=name):
                return self._has_come(name)
            case ClientSubscribed(thing=client, filters=filters):
                return max(map(self._has_come, (client, *listened_to(filters))))
            case _:
                return False

    def _has_come(self, name: str) -> bool:
        if name not in self._away:
            return False
        del self._away[name]
        return True

    @property
    def are_there(self) -> bool:
        """Whether the cloud has seen each."""
        return not self._away

    def away(self) -> list[str]:
        """Whom it has not seen."""
        return list(self._away)

    def all_rest(self) -> bool:
        """Whether what a device goes on to do after a deletion would have been seen by now."""
        return self._settling.is_over

    def restless(self) -> list[str]:
        """Who may yet do something."""
        return self._settling.restless()


Players: TypeAlias = OwnFleet | Foreign


def _check(scenario: Scenario, hands: DeviceHands | None) -> None:
    ours = "is for ghostjob's own devices, and those that play are not"
    for index, deletion in enumerate(scenario.deletions):
        if deletion.hold:
            raise InputError(f"deletions.{index}.hold: {ours}: who is in a step cannot be held there; leave it out")
    for index, cut in enumerate(scenario.power_cuts):
        if cut.instant is not None or cut.nth is not None:
            raise InputError(f"power_cuts.{index}: instants of the hardware: {ours}; name a step or a fault")
        if hands is None or not hands.can_cut_power:
            raise InputError(f"power_cuts: {ours}: nobody here can cut their power; leave it out")
    for index, place in enumerate(scenario.must_reach):
        if place.place in UNSEEN:
            raise InputError(
                f"must_reach.{index}.place: {place.place}: {ours}: the wire does not show it; leave it out"
            )
    if scenario.outages:
        raise InputError(f"outages: {ours}; leave it out, or cut their connection with a fault")
