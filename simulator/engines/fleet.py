"""A fleet: simulated devices on one event loop, each with its core, its board and its own MQTT connection."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agent.account import DeviceEvent
from agent.core import Policy, start
from agent.core.state import Idle, Machine, Safe
from agent.jitter import Jitter
from agent.runner import Runner
from agent.topics import subscriptions
from agent.transports.paho import Endpoint, PahoFleet
from simulator.devices.models import MODELS
from simulator.devices.workbench import BoardWorkbench, Hold
from simulator.scenario import Group, Hardware
from simulator.trace import Recorder, Sink, device_source


@dataclass(slots=True)
class Device:
    """One simulated device."""

    thing: str
    group: Group
    runner: Runner[Machine]
    workbench: BoardWorkbench

    @property
    def rests(self) -> bool:
        """Whether it has nothing in hand and no question open."""
        machine = self.runner.machine
        return self.runner.crashed or isinstance(machine.phase, Idle | Safe)


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """How devices reach their cloud, and the seed of all their randomness.

    `endpoint_of` gives each thing its endpoint, since with mutual TLS each has a certificate of its own.
    """

    endpoint_of: Callable[[str], Endpoint]
    hardware: Hardware = field(default_factory=Hardware)
    seed: int = 0
    policy: Policy = field(default_factory=Policy)
    mqtt_version: int = 5


class Fleet:
    """Devices that start and stop together. `sink` gets every device's trace entries."""

    def __init__(
        self,
        things: Sequence[tuple[str, Group]],
        options: FleetOptions,
        sink: Sink,
        holds: tuple[Hold, ...] = (),
    ) -> None:
        self._options = options
        self._sink = sink
        self._holds = holds
        self._transports = PahoFleet(rng=Jitter(f"{options.seed}/connections"))
        self.devices = tuple(self._device(thing, group) for thing, group in things)

    async def __aenter__(self) -> "Fleet":
        await self._transports.start()
        for device in self.devices:
            device.runner.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for device in self.devices:
            device.workbench.close()
        await asyncio.gather(*(device.runner.stop() for device in self.devices))
        await self._transports.stop()

    def _device(self, thing: str, group: Group) -> Device:
        options = self._options
        recorder = Recorder(device_source(thing), time.monotonic, self._sink)
        rng = Jitter(f"{options.seed}/{thing}")
        policy = replace(
            options.policy,
            namespace_id=group.namespace,
            reports=group.reports,
            token_prefix=f"{int(rng.random() * 2**32):08x}-",
        )
        observe: Callable[[DeviceEvent], None] = recorder.record
        workbench = BoardWorkbench(options.hardware, observe, self._holds)
        transport = self._transports.transport(
            thing,
            options.endpoint_of(thing),
            subscriptions(thing, group.namespace),
            mqtt_version=options.mqtt_version,
        )
        runner = Runner(
            thing=thing,
            machine=start(policy),
            step=MODELS[group.model],
            transport=transport,
            workbench=workbench,
            rng=rng,
            observe=observe,
        )
        workbench.deliver = runner.feed
        return Device(thing, group, runner, workbench)
