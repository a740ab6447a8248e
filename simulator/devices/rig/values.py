"""What a rig is, and what an operation on it comes to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, Literal, NamedTuple, ParamSpec, TypeAlias

from agent.core.events import BeginStep, Event, UndoStep
from agent.device_events import BootReason
from simulator.devices.hardware import Hardware, Image
from simulator.devices.sectors import Sector
from simulator.devices.storage import Disk, Survival
from simulator.scenario import Outage, PowerCut, Timings
from simulator.trace.flash_events import DeviceAccount

P = ParamSpec("P")

# ── what there is to wait for ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Sectors:
    """The run that is under way: its next sector, and so on."""


@dataclass(frozen=True, slots=True)
class PowerOn:
    """The power comes (back): see `power_on`."""

    why: BootReason


@dataclass(frozen=True, slots=True)
class Reboot:
    """The agent's step of that name."""


@dataclass(frozen=True, slots=True)
class UndoReboot:
    """New firmware on trial goes back by way of another reboot, after which the rest is undone."""

    effect: UndoStep


Pending: TypeAlias = PowerOn | Reboot | UndoReboot


class After(NamedTuple):
    """That comes after so many seconds, unless the power goes; of sectors, each takes so long."""

    seconds: float
    what: Sectors | Pending


# ── the rig ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Make:
    """What a device is like, for good.

    If it is `guarded`, nothing that runs or would boot next is erased, whatever the agent wants; see `sectors`.
    `survives` is what a power cut that was planned leaves of what the disk has not synced.
    """

    timings: Timings = field(hash=False)
    guarded: bool = True
    survives: Survival = "nothing"


class HoldPoint(NamedTuple):
    """Stand still at `percent` of `step` of `job_id` until let go; `number` tells apart those at the same place."""

    number: int
    job_id: str
    step: str
    percent: int


@dataclass(frozen=True, slots=True)
class SlotSwap:
    """The bootloader's exchange of slots, on the way from a boot for that reason."""

    why: BootReason


class SectorRun(NamedTuple):
    """`sectors` operations in a row, called `name`, each of `seconds`, of which so many are `done`.

    `step` is the plan's step that they do, empty if none. With `pause` of them done something is to be told; `told` is
    the percentage of the step that was told last. `held` is where it stands still, None while it goes on.
    """

    work: BeginStep | UndoStep | SlotSwap
    name: str
    step: str
    sector: Sector
    image: Image
    sectors: int
    seconds: float
    done: int = 0
    pause: int = 0
    told: int = 0
    held: HoldPoint | None = None

    def percent(self, done: int) -> int:
        """How far it is with so many sectors done."""
        return 100 * done // self.sectors

    def instant(self, done: int) -> str:
        """What the sector is called after which so many are done."""
        return f"{self.name} {done}/{self.sectors}"


class Rig(NamedTuple):
    """Everything but time. `power` is `booting` while the bootloader is at work, `up` while an agent can run.

    `run` is what the flash is at, `pending` what else is to come. `cuts`, `outages` and `holds` are those that the
    scenario still has for this device. While there are cuts, `instants` counts sectors and writes, and `last_step` is
    the one that was at work last: cuts are named by them. `is_spoiled`: the journal was, and who boots will find it so,
    or came up in a recovery image for want of what it knew.
    """

    make: Make
    hardware: Hardware
    disk: Disk = Disk()
    power: Literal["off", "booting", "up"] = "off"
    run: SectorRun | None = None
    pending: tuple[Pending, ...] = ()
    cuts: tuple[PowerCut, ...] = ()
    outages: tuple[Outage, ...] = ()
    holds: tuple[HoldPoint, ...] = ()
    instants: int = 0
    last_step: str = ""
    is_spoiled: bool = False

    @property
    def is_on(self) -> bool:
        """Whether there is power."""
        return self.power != "off"


class RigOutcome(NamedTuple):
    """What an operation came to: `tells` for the account, then `event` for the agent; a Booted begins one.

    `after` is what takes time from here. `instants` is how many sectors and writes there were; `offline_seconds`: the
    network is gone for so long.
    """

    rig: Rig
    tells: tuple[DeviceAccount, ...] = ()
    event: Event | None = None
    after: After | None = None
    instants: int = 0
    offline_seconds: float = 0.0

    def then(
        self, operation: "Callable[Concatenate[Rig, P], RigOutcome]", *args: P.args, **named: P.kwargs
    ) -> "RigOutcome":
        """With another operation done after it, if there is still power."""
        if self.rig.power == "off":
            return self
        more = operation(self.rig, *args, **named)
        return RigOutcome(
            more.rig,
            self.tells + more.tells,
            more.event,
            more.after,
            self.instants + more.instants,
            more.offline_seconds or self.offline_seconds,
        )
