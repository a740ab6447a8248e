"""The flash of a simulated device, in words: what stands in each slot, what is done to it, and what would boot."""

from simulator.trace import FlashArea, FlashChanged, FlashWork


def of_the_flash(event: FlashChanged) -> str:
    """What it has come to; its subject is the device."""
    areas = ", ".join(_area(area, event) for area in (*event.slots, *event.incoming))
    exchanged = "" if event.swapped is None else f", {event.swapped} sectors exchanged"
    boots = "" if event.boots else ", and nothing would boot"
    return f"has in its flash {areas}{exchanged}{boots}{_config(event)}" + (_work(event.work) if event.work else "")


def _area(area: FlashArea, event: FlashChanged) -> str:
    whole = "" if area.state == "whole" else f"{area.state} "
    held = f"{whole}{area.holds}" if area.holds else "nothing"
    trial = " on trial" if event.trial == "running" else ""
    runs = f", which runs{trial}" if area.name == event.running else ""
    boots = ", which boots next" if area.name == event.boots and not runs else ""
    return f"{area.name}: {held} [{area.cells}]{runs}{boots}"


def _config(event: FlashChanged) -> str:
    told = (("to come", event.staged), ("to go back to", event.previous))
    return "".join(f", configuration {name} {what}" for what, name in told if name)


def _work(work: FlashWork) -> str:
    what = ((work.erases, "erase"), (work.writes, "write"), (work.exchanges, "exchange"))
    doing = " and ".join(f"{verb} {number}" for number, verb in what if number)
    of = f" of {work.area}" if work.area else ""
    held = "" if work.seconds else ", and stands still"
    return f"; is to {doing} sectors{of}, {work.done} done{held}"
