"""Pages' data made by hand, one for each thing that a page can have to show, so that what a person sees does not hang
on what a scenario happens to do. All of it is the same every time.
"""

from typing import Any

Json = dict[str, Any]

DELETED = 1.2
"""When `fw` is force-deleted, in seconds."""
INVARIANTS = (
    ("bootable", "A device that breaks it has nothing whole to boot from, or is half changed at rest."),
    ("no-ghost-work", "A device that breaks it starts a step of an execution it has been told is gone."),
    ("stops-in-time", "A device that breaks it starts a new step long after its record was removed."),
    ("ready-in-time", "A device that breaks it is not at work on the next job within the bound."),
)


def span(track: str, start: float, end: float | None, kind: str, text: str, **more: Any) -> Json:
    return {
        "track": track,
        "start": start,
        "end": end,
        "kind": kind,
        "text": text,
        "job": "fw",
        "namespace": None,
        **more,
    }


def mark(track: str, at: float, kind: str, text: str, **more: Any) -> Json:
    return {"track": track, "at": at, "kind": kind, "text": text, "job": "fw", "namespace": None, "ok": None, **more}


def thing(name: str, **more: Any) -> Json:
    """A device that is well and idle, but for what is said."""
    usual: Json = {
        "namespace": None,
        "state": "idle",
        "job": "",
        "step": "",
        "knows": "",
        "done": 1,
        "bootable": True,
        "bricked": False,
        "version": "2.0",
        "online": True,
        "group": "",
        "violated": [],
    }
    return {"thing": name, **usual, **more}


def messages(name: str, told: float) -> list[Json]:
    """What goes to and fro: a dozen messages, one of which never arrives."""
    asked = [
        (0.1, "start-next"),
        (0.5, "update: download 50 %"),
        (0.8, "update: write 50 %"),
        (told - 0.06, "describe fw"),
    ]
    sent = [
        mark("wire", at, "to-cloud", text, ok=at != 0.8, events=[f"device/{name}#{n}"])
        for n, (at, text) in enumerate(asked, 1)
    ]
    answered = [(0.14, "accepted"), (0.54, "accepted"), (DELETED + 0.01, "notify: nothing"), (told, "ResourceNotFound")]
    heard = [
        mark("wire", at, "to-device", text, ok=True, events=[f"cloud#{n}"]) for n, (at, text) in enumerate(answered, 1)
    ]
    return sorted(sent + heard, key=lambda each: float(each["at"]))


def lane(name: str, told: float) -> Json:
    """A device that is deleted in mid-write, is told, undoes and goes on to the next job."""
    undone = told + 0.35
    spans = [
        span("cloud", 0.05, 0.12, "QUEUED", "fw QUEUED", events=["cloud#9"]),
        span("cloud", 0.12, DELETED, "IN_PROGRESS", "fw IN_PROGRESS: write 50 %", events=["cloud#10"]),
        span("agent", 0.0, 0.12, "idle", "idle", job=""),
        span("agent", 0.12, DELETED + 0.01, "executing", "executing: download begins", events=[f"device/{name}#10"]),
        span("hardware", 0.15, 0.6, "step", "download", events=[f"device/{name}#11"]),
        span("hardware", 0.6, told, "step", "write: stopped", events=[f"device/{name}#12"]),
        span("ghost", DELETED, told, "ghost", "does not know yet", events=["cloud#20"]),
        span("agent", DELETED + 0.01, told, "suspect", "suspect: hint", events=[f"device/{name}#13"]),
        span(
            "agent", told, undone, "recovering", "recovering: gone; undo in reverse order", events=[f"device/{name}#14"]
        ),
        span("hardware", told, undone, "undo", "undo write", events=[f"device/{name}#15"]),
        span("cloud", DELETED + 0.05, 3.4, "IN_PROGRESS", "fw-next IN_PROGRESS", job="fw-next", events=["cloud#30"]),
        span(
            "agent", undone, 3.4, "executing", "executing: download begins", job="fw-next", events=[f"device/{name}#16"]
        ),
        span("hardware", undone, 2.6, "step", "write", job="fw-next", events=[f"device/{name}#17"]),
        span("hardware", 2.6, 3.0, "boot", "boots 2.0", job="fw-next", events=[f"device/{name}#18"]),
        span("agent", 3.4, None, "idle", "idle", job=""),
    ]
    marks = [
        *messages(name, told),
        mark("cloud", DELETED, "removed", "the record of fw is gone", events=["cloud#20"]),
        mark("agent", told, "told", "knows that fw is gone", events=[f"device/{name}#14"]),
        mark("hardware", 3.3, "commit", "commits 2.0", job="fw-next", events=[f"device/{name}#19"]),
        mark("cloud", 3.4, "SUCCEEDED", "fw-next SUCCEEDED", job="fw-next", events=["cloud#40"]),
    ]
    return {"spans": spans, "marks": sorted(marks, key=lambda each: float(each["at"])), "dropped": 0}


def with_power_cut(whole: Json) -> Json:
    """The same, but its power goes for a while."""
    cut = [
        span("hardware", 1.0, 1.9, "off", "without power", job=""),
        span("wire", 1.0, 1.95, "offline", "off line: CONNECTION_LOST", job=""),
    ]
    spans = [
        each
        for each in whole["spans"]
        if each["start"] < 1.0 or each["start"] > 1.9 or each["track"] in {"cloud", "ghost"}
    ]
    spans = [
        {**each, "end": 1.0} if each["track"] in {"agent", "hardware"} and each["start"] < 1 else each for each in spans
    ]
    lost = [mark("hardware", 1.0, "power-lost", "power lost", job="", events=["engine#5"])]
    kept = [each for each in whole["marks"] if not 1.0 < each["at"] < 1.9 or each["track"] == "cloud"]
    return {**whole, "spans": cut + spans, "marks": sorted(kept + lost, key=lambda each: float(each["at"]))}


def slot(name: str, holds: str, cells: str, **more: Any) -> Json:
    return {"name": name, "holds": holds, "cells": cells, "boots": False, "trial": False, **more}


def flash_at(at: float, first: Json, second: Json, **more: Any) -> Json:
    usual: Json = {"running": "1.0", "bootable": True, "pending": [], "does": "", "power": True, "events": []}
    return {"at": at, "slots": [first, second], **usual, **more}


def flash_history(*, bricked: bool = False) -> list[Json]:
    """Slot B is erased, written, half taken back; of a bricked device slot A goes with it."""
    whole = slot("slot A", "1.0", "#" * 16, boots=True)
    history = [flash_at(0, whole, slot("slot B", "", "." * 16), running="1.0")]
    for n in range(1, 9):
        cells = "#" * n + ">" + "." * (15 - n)
        history.append(
            flash_at(0.6 + n * 0.07, whole, slot("slot B", "2.0", cells), does="writes slot B", pending=["slot B"])
        )
    if bricked:
        torn = slot("slot A", "", "####<" + "." * 11)
        return [
            *history,
            flash_at(
                1.6,
                torn,
                slot("slot B", "2.0", "#####" + "." * 11),
                running="",
                bootable=False,
                pending=["slot A", "slot B"],
            ),
        ]
    history.append(flash_at(1.8, whole, slot("slot B", "", "." * 16)))
    return [
        *history,
        flash_at(3.0, slot("slot A", "1.0", "#" * 16), slot("slot B", "2.0", "#" * 16, boots=True), running="2.0"),
    ]


def entry(event_id: str, at: float) -> Json:
    source = event_id.partition("#")[0]
    raw: Json = {"id": event_id, "type": "request.sent", "job_id": "fw", "details": {"step": "write", "percent": 50}}
    return {
        "at": at,
        "source": source,
        "type": "request.sent",
        "text": f"{source} tells what it does ({event_id})",
        "raw": raw,
    }


def entries(lanes: Json) -> Json:
    """One for each id that anything in the lanes names."""
    named = [each for whole in lanes.values() for each in (*whole["spans"], *whole["marks"])]
    return {
        event_id: entry(event_id, each.get("at", each.get("start", 0)))
        for each in named
        for event_id in each.get("events", [])
    }


def invariant(name: str, about: str, outcome: str = "held", **more: Any) -> Json:
    return {
        "id": name,
        "outcome": outcome,
        "opportunities": 42,
        "about": about,
        "violations": [],
        "doubts": [],
        "more": 0,
        **more,
    }


def diagram(name: str) -> Json:
    says = [
        (1.20, "operator", "cloud", "force-delete fw", True),
        (1.21, "cloud", name, "notify: nothing is listed", True),
        (1.25, name, "cloud", "describe fw", True),
        (1.31, "cloud", name, "ResourceNotFound", True),
        (1.40, name, "cloud", "update fw: write 75 %", False),
        (1.60, name, name, "is idle with slot A half done", True),
    ]
    arrows = [
        {"at": at, "from": a, "to": b, "text": text, "ok": ok, "id": f"device/{name}#{n}"}
        for n, (at, a, b, text, ok) in enumerate(says, 1)
    ]
    lines = [f"    {a}->>{b}: {text}" for _, a, b, text, _ in says]
    return {
        "participants": ["operator", "cloud", name],
        "arrows": arrows,
        "mermaid": "\n".join(["sequenceDiagram", *lines]),
    }


def found(name: str, message: str) -> Json:
    shown = [
        {"id": f"device/{name}#12", "at": 1.2, "text": "writes slot A, 50 %"},
        {"id": f"device/{name}#14", "at": 1.6, "text": "is idle, slot A half done"},
    ]
    return {"thing": name, "job": "fw", "message": message, "events": shown, "diagram": diagram(name)}


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


def versus() -> Json:
    """A good one and a bad one under the same deletion."""
    whole = failed()
    names = ["thing-0", "thing-1"]
    groups = dict(zip(names, ("good", "bad"), strict=True))
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
