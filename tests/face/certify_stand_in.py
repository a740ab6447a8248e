"""In the place of `ghostjob certify`: it speaks the same protocol, and plays nothing.

How the device fares is the first word of its command. What it was asked, and how it ended, it writes to a file.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

WRONG: Final = "report-in-flight/answer-lost"
CELLS: Final = {WRONG: (), "before-start/calm": (), "off-line/power-cut": ("power",), "re-created/late": ()}
OUTCOMES: Final = {
    "bad": ("failed", "it works on a job that is gone"),
    "doubtful": ("inconclusive", "the deletion came too late"),
}
OFFER: Final = {"thing": "pump-7", "port": 41883, "mqtt_port": None, "topics": ["$aws/a", "$aws/b"]}
VIOLATION: Final = {"thing": "pump-7", "job": "fw-3", "message": "fw-3 is gone", "events": ["gateway#36"]}
VIOLATED: Final = {"id": "no-ghost-work", "outcome": "violated", "opportunities": 1, "violations": [VIOLATION]}
TEXT: Final = "$aws/things/pump-7/jobs/fw-3/update: IN_PROGRESS"
EVIDENCE: Final = {"id": "gateway#36", "at": 12.5, "text": TEXT, "pointed_at": True}


def log(**what: object) -> None:
    with Path(os.environ["STAND_IN_LOG"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({**what, "pid": os.getpid()}) + "\n")


def say(event: str, **what: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **what}) + "\n")
    sys.stdout.flush()


def row(cell: str) -> dict[str, Any]:
    point, _, condition = cell.partition("/")
    shows = f"that a device survives {point} when {condition}"
    return {"id": cell, "point": point, "condition": condition, "shows": shows}


def listed() -> list[dict[str, Any]]:
    quick = set(CELLS) - {"re-created/late"}
    return [{**row(cell), "needs": needs, "quick": cell in quick, "default": True} for cell, needs in CELLS.items()]


def result(cell: str, device: str) -> dict[str, Any]:
    outcome, why = OUTCOMES.get(device, ("passed", "")) if cell == WRONG else ("passed", "")
    if CELLS[cell]:
        outcome, why = "not-applicable", "its power cannot be cut"
    is_bricked = device == "bricks" and cell == WRONG
    return {
        **row(cell),
        "outcome": outcome,
        "why": why,
        "seconds": 1.5,
        "device_seconds": 1.25,
        "invariants": [{**VIOLATED, "doubts": []}] if outcome == "failed" else [],
        "evidence": [EVIDENCE] if outcome == "failed" else [],
        "probes": [{"probe": "cmd:v", "samples": 2, "alive": 2, "unknown": 0, "versions": ["A"], "why": ""}],
        "afterwards": {"left": "bricked", "why": "nobody answers"} if is_bricked else {"left": "ready", "why": ""},
        "directory": f"cells/{cell}" if outcome == "failed" else None,
        "of a later version": True,
    }


def end(results: list[dict[str, Any]], why: str = "") -> None:
    bad = [each["id"] for each in results if each["outcome"] == "failed"]
    outcome = "failed" if bad else "inconclusive" if why else "passed"
    say("certificate", certificate={**CERTIFICATE, "outcome": outcome, "why": why or f"bad: {bad}", "cells": results})
    log(ended=why or outcome)
    if "--allow-aws" in sys.argv:
        say("left", commands=["aws iot delete-thing --thing-name pump-7"])
        log(removed=True)
    sys.exit({"passed": 0, "failed": 1, "inconclusive": 3}[outcome])


CERTIFICATE: Final = {
    "schema_version": 1,
    "version": "0.1.0",
    "thing": "pump-7",
    "namespace_id": None,
    "started_at": "2026-01-01T00:00:00+00:00",
    "seconds": 4.0,
    "device_share": 0.75,
    "learned": {"carrier": "mqtt"},
    "probes": ["cmd:v"],
    "not_seen": {"bootable": "it needs a probe"},
    "bricked": None,
    "not_met": {"why": "as an example", "failed": False, "evidence": []},
    "padding": "more than a pipe takes" * 10_000,
}


def session(arguments: list[str]) -> None:
    device = arguments[arguments.index("--") + 1] if "--" in arguments else "good"
    log(argv=arguments, cwd=str(Path.cwd()))
    if device == "misplaced":
        sys.stderr.write("ghostjob: --probe: there is no such file\n")
        sys.exit(2)
    say("desk.ready", offer=OFFER)
    say("device.seen", says="connected, has not subscribed to notify nor asked")
    if device == "absent":
        say("device.missing", why="nobody connected in 60 s; is the port right?")
        end([], "the device never came")
    if device == "crashes":
        sys.stderr.write("a fault of ours\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    say("learned", learned={})
    say("cells", cells=[row(cell) for cell in CELLS], seconds=9.0)
    play(device)


def play(device: str) -> None:
    results: list[dict[str, Any]] = []
    for cell in iter(sys.stdin.readline, ""):
        say("cell.began", id=cell.strip())
        if device == "interrupts":  # whoever asked, as Ctrl-C would; and goes on for long
            os.kill(os.getppid(), signal.SIGINT)
            sys.stdin.read()
            log(ended="and was not interrupted")
        results.append(result(cell.strip(), device))
        say("cell.ended", result=results[-1])
    if device == "cannot-write":
        sys.exit("ghostjob: --out: no space left on device")
    end(results)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["certify", "--list", "--json"]:
            log(listed=True)
            sys.stdout.write(json.dumps({"cells": listed()}))
        case ["certify", "--json", "--cells-from-stdin", *rest]:
            try:
                session(rest)
            except KeyboardInterrupt:
                end([], "interrupted")
        case _:
            sys.exit(f"{arguments}: no stand-in for that")


main(sys.argv[1:])
