"""A fleet: simulated devices on one event loop, each with its hardware, its journal, its agent and its connection."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from agent.abilities import Abilities
from agent.core import DevicePolicy
from agent.correlation import Correlated, Correlation, correlated
from agent.jitter import Jitter
from agent.runner import Runner, Transport
from simulator.devices.device import Chip, SimulatedDevice, Wiring, carried_out
from simulator.devices.holds import Hold
from simulator.devices.models import model_named
from simulator.devices.models.model import Model
from simulator.devices.rig.steps import power_on
from simulator.devices.rig.values import Make
from simulator.engines import memoised_rigs
from simulator.engines.comings import Comings
from simulator.engines.memoised_messages import MemoisedMessages
from simulator.engines.memoised_steps import memoised
from simulator.engines.stand_ins import Lot
from simulator.engines.turned_away import Gate, TurnedAway
from simulator.pace import Pace
from simulator.scenario import Differences, Group, Outage, PowerCut, Scenario, Timings, thing_of_agent
from simulator.trace import Recorder, Sink, device_source


class Connections(Protocol):
    """What gives devices their connections, and their time."""

    def clock(self) -> float:
        """Seconds, precise at every call."""

    @property
    def running_time(self) -> Callable[[], float] | None:
        """What agents' timers run by: seconds in which the process ran; None for the loop's own time."""

    def transport(self, thing: str, group: Group) -> Transport:
        """A connection for one boot of one device."""


class Fleet:
    """Devices that start and stop together, by name (see `scenario.agents`); `sink` gets their trace entries.

    `chip` gives the flash of a device that is to outlive the process. Raises InputError if one cannot be read.
    """

    def __init__(
        self,
        things: Sequence[tuple[str, Group]],
        connections: Connections,
        seed: int,
        sink: Sink,
        *,
        scenario: Scenario | None = None,
        timings: Timings | None = None,
        holds: tuple[Hold, ...] = (),
        lots: Mapping[str, Lot] | None = None,
        policy: DevicePolicy | None = None,
        chip: Callable[[str], Chip] | None = None,
    ) -> None:
        self._connections = connections
        self._seed = seed
        self._policy = policy or DevicePolicy()
        planned: tuple[PowerCut, ...] = scenario.power_cuts if scenario else ()
        cuts = tuple(cut for cut in planned if cut.fault is None)
        outages: tuple[Outage, ...] = scenario.outages if scenario else ()
        self._sink = sink
        self._models: dict[str, Model] = {group.model: model_named(group.model) for _, group in things}
        self._lots = lots or {}
        self._timings = timings or (scenario.hardware if scenario else Timings())
        are_alike = len({id(self._lot(thing).timings) for thing, _ in things}) == 1
        carry_out = memoised_rigs.carried_out if are_alike else carried_out
        pace = Pace(connections.running_time)
        self._wiring = Wiring(cuts, outages, self._agent, holds, pace, chip, carry_out)
        self._makes: dict[tuple[str, int], Make] = {}
        self._policies: dict[Group, DevicePolicy] = {}
        self._read = MemoisedMessages()
        self.devices = tuple(self._device(thing, group, self._wiring) for thing, group in things)
        differences = scenario.differences if scenario else Differences()
        self._comings = Comings(differences, seed, self._wiring.pace)

    def join(self, thing: str, group: Group) -> None:
        """Switch a further device on, of a model that is among theirs; nothing that was planned befalls it."""
        wiring = replace(self._wiring, cuts=(), outages=(), holds=())
        device = self._device(thing, group, wiring)
        self.devices += (device,)
        device.do(power_on)

    def _device(self, thing: str, group: Group, wiring: Wiring) -> SimulatedDevice:
        observe = Recorder(device_source(thing), self._connections.clock, self._sink)
        return SimulatedDevice(thing, group, self._make(group.model, self._lot(thing).timings), wiring, observe)

    def _make(self, model: str, timings: Timings) -> Make:
        """One object for all that are made alike; timings that are shared are one object, too."""
        make = self._makes.get((model, id(timings)))
        if make is None:
            make = self._makes[model, id(timings)] = Make(timings, self._models[model].guarded)
        return make

    def _lot(self, name: str) -> Lot:
        """What was drawn for the device that an agent lives on."""
        lot = self._lots.get(thing_of_agent(name))
        return Lot(thing_of_agent(name), self._timings) if lot is None else lot

    async def __aenter__(self) -> "Fleet":
        for device in self.devices:
            device.do(power_on)
            self._comings.begin(device, self._lot(device.thing))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._comings.end()
        await asyncio.gather(*(device.end() for device in self.devices))

    def _agent(self, device: SimulatedDevice) -> Runner[Any]:
        """What runs on a device from one boot to the next."""
        model = self._models[device.group.model]
        policy = self._policy_of(device.group)
        at = thing_of_agent(device.thing)
        chance = self._lot(at).chance + device.thing[len(at) :]
        rng = Jitter(f"{self._seed}/{chance}/{device.boots}")
        core = memoised(model.step)
        transport = self._connections.transport(device.thing, device.group)
        runner: Callable[..., Runner[Any]] = partial(TurnedAway, core) if isinstance(transport, Gate) else Runner
        return runner(
            thing=thing_of_agent(device.thing),
            machine=Correlated(model.start(policy), self._correlation_of(device.group, device.boots)),
            step=memoised(correlated(core)),
            transport=transport,
            workbench=device,
            rng=rng,
            observe=device.observe,
            remember=device.remember,
            time=self._wiring.pace,
            read=self._read,
        )

    def _policy_of(self, group: Group) -> DevicePolicy:
        policy = self._policies.get(group)
        if policy is None:
            policy = self._policies[group] = replace(
                self._policy,
                namespace_id=group.namespace,
                reports=group.reports,
                point_of_no_return=group.policy,
                abilities=Abilities(group.layout),
                leap_when_unreachable=group.leap_when_unreachable,
                leap_deadline=group.leap_deadline_seconds,
            )
        return policy

    def _correlation_of(self, group: Group, boots: int) -> Correlation:
        """The same for all devices of a group: their tokens need to differ between boots, not between devices."""
        number = int(Jitter(f"{self._seed}/{group.group}/{boots}").random() * 2**32)
        return Correlation(f"{number:08x}-", Abilities(group.layout))
