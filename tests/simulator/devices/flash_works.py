"""What hardware does sector by sector, told at its beginning only: each with what its flash is after every sector."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from agent.abilities import Layout
from agent.core.events import UndoStep
from agent.plan import Step
from simulator.devices.flash import tell_flash
from simulator.devices.hardware import SECTORS, Area, Hardware, Image, factory
from simulator.devices.rig import steps
from simulator.devices.rig.values import Make, Rig, RigOutcome
from simulator.devices.sectors import worked
from simulator.trace import FlashChanged
from tests.simulator.devices.clocked import DOWNLOAD, FW, TIMINGS, step

LAYOUTS: Final[tuple[Layout, ...]] = ("ab", "swap", "single")
NEW: Final = Image("2.0")
FILE: Final = replace(DOWNLOAD, step=Step("download", "download", args=(("version", "2.0"), ("to", "a"))))


class Work(NamedTuple):
    """`told` when it begins; `after` so many sectors, the first with none, the flash looks like that."""

    name: str
    told: FlashChanged
    after: tuple[FlashChanged, ...]


def with_download(layout: Layout, sectors: int = SECTORS) -> Hardware:
    return replace(factory(layout), download=Area(NEW, sectors))


def with_spare(hardware: Hardware, area: Area) -> Hardware:
    slots = list(hardware.slots)
    slots[hardware.spare] = area
    return replace(hardware, slots=(slots[0], slots[1]))


def works() -> Iterator[Work]:
    """All of them."""
    for layout in LAYOUTS:
        there = with_download(layout)
        old = with_spare(there, Area(Image("0.9"), SECTORS, proven=True))
        half = with_spare(there, Area(NEW, 9))
        yield _work(f"{layout}: download", steps.begin(_rig(factory(layout)), DOWNLOAD))
        yield _work(f"{layout}: download, resumed", steps.begin(_rig(with_download(layout, 5)), DOWNLOAD))
        yield _work(f"{layout}: write", steps.begin(_rig(there), step("write")))
        yield _work(f"{layout}: write over an image", steps.begin(_rig(old), step("write")))
        yield _work(f"{layout}: write over half of one", steps.begin(_rig(half), step("write")))
        yield _work(f"{layout}: undo download", steps.undo(_rig(there), _undo(DOWNLOAD.step)))
        yield _work(f"{layout}: undo write", steps.undo(_rig(half), _undo(step("write").step)))
        yield _work(f"{layout}: fetch", steps.begin(_rig(factory(layout)), FILE))
        fetched = replace(factory(layout), file=Area(NEW, 3))
        yield _work(f"{layout}: undo fetch", steps.undo(_rig(fetched), _undo(FILE.step)))
    asked = replace(with_spare(with_download("swap"), Area(NEW, SECTORS)), trial="requested", tries=1)
    yield _work("swap: exchange", steps.power_on(_rig(asked)))
    yield _work("swap: exchange, resumed", steps.power_on(_rig(replace(asked, swapped=6))))


def _undo(taken_back: Step) -> UndoStep:
    return UndoStep(FW, 0, taken_back)


def _rig(hardware: Hardware) -> Rig:
    return Rig(Make(TIMINGS, guarded=False), hardware, power="up")


def _work(name: str, begun: RigOutcome) -> Work:
    run, hardware = begun.rig.run, begun.rig.hardware
    assert run is not None, name
    (told,) = (event for event in begun.tells if isinstance(event, FlashChanged))
    states = (worked(run.sector, hardware, run.image, 0, done)[0] for done in range(run.sectors + 1))
    return Work(name, told, tuple(tell_flash(state) for state in states))


WORKS: Final = tuple(works())
