"""What the hardware of a simulated device tells of itself, whatever agent runs on it: its flash, sector by sector."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from agent.device_events import DeviceEvent

FlashState: TypeAlias = Literal["empty", "partial", "whole", "flawed"]


@dataclass(frozen=True, slots=True)
class FlashArea:
    """A run of sectors. `holds` is the version in it, empty if there is none.

    `state`: `partial`, some of its sectors are missing; `flawed`, all are there, and something is wrong with them.
    What the characters of `cells` mean, FlashChanged says.
    """

    name: str
    holds: str
    state: FlashState
    cells: str


@dataclass(frozen=True, slots=True)
class FlashWork:
    """What the hardware does from now on to the area of that name, unless something comes between.

    First `erases` sectors are erased, from the last of so many to the first of the area; then `writes` are written, the
    last `writes` of the area, in order. Or `exchanges` of the two slots change places, the last so many, in order; then
    `area` is empty. `done` of these operations are done already; each takes `seconds`, and 0: it stands still, held.
    """

    area: str
    erases: int
    writes: int
    exchanges: int
    done: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FlashChanged:
    """The flash of a simulated device, sector by sector, whenever it does something else: no verdict reads it.

    `slots` are both of them; `incoming` what arrives: the `download` of an image, a `file`. Each has a `name`, `holds`
    (the version in it, empty if there is none), a `state` (`empty`; `partial`, sectors are missing; `whole`; `flawed`,
    something is wrong with it) and `cells`, a character for each sector: `.` erased, `#` of an image that was
    committed, `+` of a new one, `x` of no use, which is what is left of an image, or one that is never booted.

    `running` is the slot that runs, empty while nothing does; `boots` the one that would come to run if the power went
    now, empty if none would. `trial`: another image is to be tried at the next boot, or is running without being
    committed; `tries` is how often yet. `swapped` counts the sectors that have changed places, of an exchange of slots
    that is not over, and is null otherwise. `config` is the configuration in force, `staged` the one to come,
    `previous` the one to go back to.

    `work` is what goes on until the next such entry; null: nothing. First so many sectors of its `area` are erased
    (`erases`), from the last to the first, then the last so many are written (`writes`); or so many of the two slots
    change places (`exchanges`). So many are `done`, and each takes so many `seconds`; 0: it stands still.
    """

    slots: tuple[FlashArea, ...]
    running: str
    boots: str
    incoming: tuple[FlashArea, ...] = ()
    trial: Literal["", "requested", "running"] = ""
    tries: int = 0
    swapped: int | None = None
    config: str = ""
    staged: str = ""
    previous: str = ""
    files: tuple[str, ...] = ()
    work: FlashWork | None = None
    type: Literal["flash.changed"] = "flash.changed"


DeviceAccount: TypeAlias = DeviceEvent | FlashChanged
"""All that is told of a device in its own name."""
