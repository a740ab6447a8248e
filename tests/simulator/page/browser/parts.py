"""Parts of which pages are made by hand: lanes, flash, entries, invariants with what breaks them."""

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
        torn = slot("slot A", "", "####<" + "." * 11, state="partial")
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
