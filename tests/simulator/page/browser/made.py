"""Pages' data made by hand, one for each thing that a page can have to show, so that what a person sees does not hang
on what a scenario happens to do. All of it is the same every time.
"""

from typing import Any

from simulator.page.contained import ContainedPicture
from tests.simulator.page.browser.parts import (
    DELETED,
    INVARIANTS,
    Json,
    entries,
    flash_history,
    found,
    invariant,
    lane,
    span,
    thing,
    with_power_cut,
)


def page(names: list[str], **more: Any) -> Json:
    """A run that passed, of devices of these names, but for what is said."""
    lanes = {name: lane(name, DELETED + 0.15 + 0.05 * n) for n, name in enumerate(names)}
    usual: Json = {
        "format": 1,
        "kind": "run",
        "title": "delete-in-write",
        "about": "force delete in mid-write, with two slots and with a swap bootloader",
        "state": "passed",
        "sentence": f"All {len(names)} devices noticed that fw was gone, took it back, and went on to the next job.",
        "story": [
            f"At 1.2 s fw was force-deleted while {len(names)} devices were writing it.",
            "Each of them heard of it within 10 ms, and none believed it before it had asked.",
            "The slowest knew for certain after 0.25 s.",
            "All took back what they had written, and none was ever without something to boot from.",
            "At 3.4 s all of them had done fw-next.",
        ],
        "now": 3.6,
        "is_over": True,
        "axis_note": "All times are by one clock.",
        "facts": [["engine", "virtual"], ["devices", str(len(names))], ["seed", "0"], ["version", "0.1.0"]],
        "things": [thing(name) for name in names],
        "counts": {"idle": len(names)},
        "lines": [
            {"at": 0.05, "kind": "created", "text": "fw created", "job": "fw", "events": ["cloud#8"]},
            {"at": DELETED, "kind": "deletion", "text": "fw force-deleted", "job": "fw", "events": ["cloud#19"]},
            {"at": 1.23, "kind": "created", "text": "fw-next created", "job": "fw-next", "events": ["cloud#29"]},
            {"at": 1.3, "kind": "deleted", "text": "fw is gone", "job": "fw", "events": ["cloud#21"]},
        ],
        "lanes": lanes,
        "flash": {name: flash_history() for name in names},
        "invariants": [invariant(*each) for each in INVARIANTS],
        "reached": [
            {
                "id": "deleted-in-step fw write",
                "devices": len(names),
                "of": len(names),
                "about": "the job went while it was written",
            }
        ],
        "matrix": None,
        "times": {
            "detection": [0.15 + 0.05 * n for n in range(len(names))],
            "recovery": [0.6 + 0.05 * n for n in range(len(names))],
            "bound": 2.0,
        },
        "crowd": None,
        "entries": entries(lanes),
        "controls": None,
    }
    return {**usual, **more}


def passed() -> Json:
    """Six devices, one of which lost its power meanwhile."""
    whole = page([f"thing-{n}" for n in range(6)])
    whole["lanes"]["thing-3"] = with_power_cut(whole["lanes"]["thing-3"])
    return whole


def failed() -> Json:
    """Three devices, one of which is a brick afterwards."""
    whole = page(["thing-0", "thing-1", "thing-2"], state="failed")
    whole["sentence"] = "bootable was violated by thing-1 on job fw: there is nothing whole to boot from."
    broken = whole["lanes"]["thing-1"]
    kept = [each for each in broken["spans"] if each["start"] < 1.4]
    broken["spans"] = [
        *kept,
        span("hardware", 1.6, None, "bricked", "nothing whole is left to boot from", events=["device/thing-1#14"]),
    ]
    broken["marks"] = [each for each in broken["marks"] if each["at"] < 1.6]
    whole["flash"]["thing-1"] = flash_history(bricked=True)
    whole["things"][1] = thing(
        "thing-1", state="bricked", bricked=True, bootable=False, online=False, version="", violated=["bootable"]
    )
    violation = [found("thing-1", "there is nothing whole to boot from")]
    whole["invariants"] = [
        invariant(*INVARIANTS[0], "violated", violations=violation),
        *whole["invariants"][1:3],
        invariant(*INVARIANTS[3], "not-exercised"),
    ]
    return whole


def inconclusive() -> Json:
    doubt = {
        **found("thing-0", "the run ended before its bound"),
        "diagram": {"participants": [], "arrows": [], "mermaid": ""},
    }
    whole = page(["thing-0", "thing-1"], state="inconclusive")
    whole["sentence"] = (
        "It is not known whether thing-0 would have gone on: the run ended first, and nobody was deleted in a reboot."
    )
    whole["invariants"] = [*whole["invariants"][:3], invariant(*INVARIANTS[3], "undecided", doubts=[doubt])]
    whole["reached"].append(
        {"id": "deleted-while-rebooting fw", "devices": 0, "of": 2, "about": "the job went during the reboot"}
    )
    return whole


def ended() -> Json:
    """A cloud that was stopped: nobody judges it."""
    return page(["thing-0"], kind="cloud", state="ended", sentence="The cloud has ended.", invariants=[], reached=[])


def undrawn() -> Json:
    """A page that stopped by a fault of ghostjob's own, for who comes later: there is nothing but that."""
    picture = ContainedPicture("main", "", "run")
    with picture.contained():
        raise KeyError("fw-3")
    return picture.whole().model_dump(mode="json", by_alias=True)


def waiting() -> Json:
    return {
        "format": 1,
        "kind": "cloud",
        "title": "cloud",
        "about": "a local AWS IoT",
        "state": "waiting",
        "sentence": "Waiting for the first device to connect.",
    }


def offered(**more: Any) -> Json:
    """What may be pressed while ten devices run."""
    usual: Json = {
        "jobs": [
            {"job": "fw", "namespace": None, "may": ["force-delete", "cancel"]},
            {"job": "lab-fw", "namespace": "lab", "may": ["create-again"]},
        ],
        "things": [{"thing": f"thing-{n}", "may": ["cut-power", "cut-network"]} for n in range(4)],
        "also": ["add-device", "create-job", "pause", "slow", "end"],
        "paused_at": "",
        "slow": 1.0,
        "asks": {
            "force-delete": "Delete it under the devices that are executing it?",
            "cut-power": "Cut the power now?",
        },
    }
    return {**usual, **more}


def running() -> Json:
    """In the middle of it, with buttons."""
    whole = page([f"thing-{n}" for n in range(4)], state="running", is_over=False, now=1.3, controls=offered())
    whole["sentence"] = "Two of four devices do not know yet that fw is gone."
    whole["story"] = whole["story"][:2]
    for each in whole["lanes"].values():
        spans = [one for one in each["spans"] if one["start"] < 1.3]
        each["spans"] = [{**one, "end": None if (one["end"] or 9) > 1.3 else one["end"]} for one in spans]
        each["marks"] = [one for one in each["marks"] if one["at"] < 1.3]
    whole["things"] = [
        thing(f"thing-{n}", state="suspect", job="fw", step="write", knows="a hint that fw is gone", version="1.0")
        for n in range(4)
    ]
    whole["flash"] = {name: [one for one in history if one["at"] < 1.3] for name, history in whole["flash"].items()}
    return whole


def paused() -> Json:
    whole = running()
    return {**whole, "controls": offered(also=["go"], paused_at="thing-3 is erasing slot B", slow=20.0)}


def versus(*more: str) -> Json:
    """A good one, or more, and a bad one under the same deletion."""
    whole = failed()
    names = ["thing-0", "thing-1", *more]
    groups = {name: "bad" if name == "thing-1" else "good" for name in names}
    whole["things"] = [{**each, "group": groups[each["thing"]]} for each in whole["things"] if each["thing"] in groups]
    whole["lanes"] = {name: whole["lanes"][name] for name in names}
    whole["flash"] = {name: whole["flash"][name] for name in names}
    whole["counts"] = {"idle": 1, "bricked": 1}
    return whole


def certified() -> Json:
    """A matrix in which each outcome occurs; one cell has not been played."""
    points = ["before-start", "in-download", "in-write", "before-leap", "after-leap", "while-rebooting"]
    conditions = ["plain", "offline", "power-cut", "re-created"]
    outcomes = ["passed", "passed", "failed", "inconclusive", "passed", "not-applicable", "pending"]
    cells = [
        {
            "id": f"{point}/{condition}",
            "point": point,
            "condition": condition,
            "outcome": outcomes[(row * 3 + column) % 7],
            "why": "" if (row * 3 + column) % 7 < 2 else "pump-7 went on writing for 12 s after it had been told",
            "seconds": 12.5,
            "invariants": [["bootable", "held"], ["stops-in-time", "violated"], ["alive", "undecided"]],
            "shows": "whether it stops",
        }
        for row, point in enumerate(points)
        for column, condition in enumerate(conditions)
        if (row, column) != (0, 3)
    ]
    matrix = {"points": points, "conditions": conditions, "cells": cells}
    return page(
        ["pump-7"],
        kind="certify",
        state="failed",
        title="pump-7",
        about="certify",
        flash={},
        matrix=matrix,
        sentence="pump-7 does not stop when its job is deleted in-write, plain.",
    )


def fleet(devices: int = 1000) -> Json:
    """A thousand devices, twenty of which have lanes."""
    bins = [n * 0.1 for n in range(120)]
    gone = [min(devices, max(0, int((at - 3) * 400))) for at in bins]
    back = [min(devices, max(0, int((at - 5) * 250))) for at in bins]
    states = {
        "executing": [
            devices - each if at < 3.1 else max(0, devices - each - 3) for at, each in zip(bins, gone, strict=True)
        ],
        "recovering": [a - b for a, b in zip(gone, back, strict=True)],
        "idle": back,
        "bricked": [0 if at < 4 else 3 for at in bins],
    }
    heat = [[0 if at < 3 + row / 40 else 1 if at < 5 + row / 25 else 2 for at in bins] for row in range(97)]
    stuck = [[0 if at < 4 else 3 for at in bins]] * 3
    crowd = {
        "bins": bins,
        "states": states,
        "requests": [200 if 3 < at < 8 else 20 for at in bins],
        "heat": {"rows": [f"thing-{n * 10} and 9 more" for n in range(100)], "cells": [*heat, *stuck]},
    }
    whole = page([f"thing-{n}" for n in range(20)], flash={}, crowd=crowd, counts={"idle": devices - 3, "bricked": 3})
    counts = [int(200 / (1 + (n - 6) ** 2)) for n in range(30)]
    histogram = {"edges": [n * 0.2 for n in range(31)], "counts": counts}
    return {**whole, "times": {"detection": histogram, "recovery": histogram, "bound": 5.0}}


def namespaces() -> Json:
    """Two devices with jobs in namespaces of their own."""
    whole = page(["thing-0", "thing-1"])
    spans = whole["lanes"]["thing-1"]["spans"]
    whole["lanes"]["thing-1"]["spans"] = [
        {**each, "namespace": "lab", "job": each["job"] and f"lab-{each['job']}"} for each in spans
    ]
    marks = whole["lanes"]["thing-1"]["marks"]
    whole["lanes"]["thing-1"]["marks"] = [{**each, "namespace": "lab", "job": f"lab-{each['job']}"} for each in marks]
    return whole


def every_kind() -> Json:
    """A device whose lane has a bar of every kind, long enough to be written on."""
    kinds = {
        "cloud": ["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "CANCELED", "REMOVED"],
        "agent": ["idle", "starting", "executing", "reporting", "suspect", "recovering", "trial", "safe"],
        "hardware": ["step", "undo", "boot", "off", "bricked", "new-kind"],
    }
    spans = [span(track, n, n + 1, kind, kind) for track, all_of in kinds.items() for n, kind in enumerate(all_of)]
    lines = ["deletion", "deleted", "cancel", "created", "fault", "ended"]
    whole = page(["thing-0"], now=8.0, flash={})
    whole["lines"] = [{"at": n, "kind": kind, "text": kind, "job": "", "events": []} for n, kind in enumerate(lines)]
    whole["lanes"] = {"thing-0": {"spans": spans, "marks": [], "dropped": 0}}
    return whole
