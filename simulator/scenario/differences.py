"""How the devices of a fleet differ from one another: what is drawn for each."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from simulator.scenario.parts import Part
from simulator.scenario.spread import Spread

TimingName: TypeAlias = Literal["download", "write", "switch", "reboot", "boot", "self_test", "commit", "other", "undo"]


class Connection(Part):
    """A network that comes and goes; both are drawn anew each time."""

    up_seconds: Spread
    """From one coming to the next going."""
    away_seconds: Spread
    """From there until it is back."""


class DutyCycle(Part):
    """A device that is reachable for a while at regular intervals, and otherwise sleeps with its network off.

    Both are drawn once for a device, and so is where in its interval it is at the beginning. Each is there for a moment
    then, so that the run can begin.
    """

    every_seconds: Spread
    """From one waking to the next."""
    awake_seconds: Spread
    """How long it stays awake."""


class Reboots(Part):
    """Power that goes by itself, whatever the device is at; both are drawn anew each time."""

    every_seconds: Spread
    """From having power to losing it."""
    off_seconds: Spread
    """How long it stays away."""


class Differences(Part):
    """What is drawn for each device, by the seed; what is not named here, all devices have alike.

    Of N devices of a group each number has N values, the middles of N equal parts of its distribution, dealt by chance.
    """

    hardware: dict[TimingName, Spread] = Field(default_factory=dict)
    """How long steps take, in seconds, instead of the scenario's `hardware`."""
    megabits_per_second: Spread | None = None
    """How fast an image comes; with `image_megabytes`, that makes the seconds of `download`."""
    image_megabytes: Annotated[float, Field(gt=0)] | None = None
    """How large it is."""
    connection: Connection | None = None
    """A network that comes and goes."""
    duty_cycle: DutyCycle | None = None
    """Devices that sleep."""
    reboots: Reboots | None = None
    """Power that goes by itself."""

    @model_validator(mode="after")
    def _is_one_download(self) -> Self:
        if (self.megabits_per_second is None) != (self.image_megabytes is None):
            raise ValueError("megabits_per_second, image_megabytes: one needs the other")
        if self.megabits_per_second is not None and "download" in self.hardware:
            raise ValueError("hardware.download: megabits_per_second says how long it takes")
        return self
