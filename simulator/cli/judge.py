"""`ghostjob judge`: the process that judges a play of another (see `simulator.engines.judge_process`)."""

import gc
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from agent.errors import InputError
from simulator.cli.listing import tell_fault
from simulator.engines.judge_process import Question
from simulator.engines.judging import violated_if_it_ended
from simulator.report.contained import ContainedRecent
from simulator.trace import Entry, write_line
from simulator.trace.packed import Frames, entries_of, unpack, value_of
from simulator.verdict import Judge, Verdict

PIECE_BYTES = 1 << 18


@click.command(hidden=True)
def judge() -> int:
    """Judge what comes on standard input, for the process of ghostjob's that started this, until it closes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # it is that process that decides, and it wants a verdict even then
    gc.disable()  # what it holds are values without cycles, and many: to look for those takes a tenth of its time
    judge, frames, kept = Judge(), Frames(), list[bytes]()
    while data := os.read(0, PIECE_BYTES):
        for frame in frames.feed(data):
            told = value_of(frame)
            if isinstance(told, tuple):
                sys.stdout.write(json.dumps(_answer(Question(*told), judge, kept)) + "\n")
                sys.stdout.flush()
                continue
            kept.append(frame)
            for entry in entries_of(told):
                judge.feed(entry)
    return 0


def _answer(question: Question, judge: Judge, kept: Sequence[bytes]) -> dict[str, Any]:
    try:
        if question.what == "violated":
            return {"violated": sorted(violated_if_it_ended(judge, question.cloud_n, question.cloud_at))}
        verdict = judge.verdict()
    except InputError as error:
        return {"input_error": str(error)}
    return {"verdict": verdict.model_dump(mode="json"), "around": list(map(write_line, _around(verdict, kept)))}


def _around(verdict: Verdict, kept: Sequence[bytes]) -> Iterator[Entry]:
    """What was told last of the devices of which something was found.

    Of most runs nothing is: so frames are kept as they came, which takes a fifth of what their entries do.
    """
    found = (each for invariant in verdict.invariants for each in (*invariant.violations, *invariant.doubts))
    things = dict.fromkeys(each.thing for each in found)
    if not things:
        return
    recent = ContainedRecent(tell_fault)
    for frame in kept:
        for entry in unpack(frame):
            recent.feed(entry)
    for thing in things:
        yield from recent.entries_of(thing)
