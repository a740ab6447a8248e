"""`ghostjob judge`: the process that judges a play of another (see `simulator.engines.judge_process`)."""

import json
import os
import signal
import sys
from typing import Any

import click

from agent.errors import InputError
from simulator.cli.listing import tell_fault
from simulator.cli.options import spare_imports
from simulator.engines.judge_process import Question
from simulator.engines.judging import violated_if_it_ended
from simulator.report.contained import ContainedRecent
from simulator.trace import write_line
from simulator.trace.packed import Frames, unpack
from simulator.verdict import Judge, Verdict

PIECE_BYTES = 1 << 18


@click.command(hidden=True)
def judge() -> int:
    """Judge what comes on standard input, for the process of ghostjob's that started this, until it closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it is that process that decides, and it wants a verdict even then
    spare_imports()
    judge, recent, frames = Judge(), ContainedRecent(tell_fault), Frames()
    while data := os.read(0, PIECE_BYTES):
        for told in frames.feed(data):
            if isinstance(told, tuple):
                sys.stdout.write(json.dumps(_answer(Question(*told), judge, recent)) + "\n")
                sys.stdout.flush()
                continue
            for entry in unpack(told):
                judge.feed(entry)
                recent.feed(entry)
    return 0


def _answer(question: Question, judge: Judge, recent: ContainedRecent) -> dict[str, Any]:
    try:
        if question.what == "violated":
            return {"violated": sorted(violated_if_it_ended(judge, question.cloud_n, question.cloud_at))}
        verdict = judge.verdict()
    except InputError as error:
        return {"input_error": str(error)}
    around = [write_line(entry) for thing in _found(verdict) for entry in recent.entries_of(thing)]
    return {"verdict": verdict.model_dump(mode="json"), "around": around}


def _found(verdict: Verdict) -> dict[str, None]:
    """The devices of which something was found."""
    found = (each for invariant in verdict.invariants for each in (*invariant.violations, *invariant.doubts))
    return dict.fromkeys(each.thing for each in found)
