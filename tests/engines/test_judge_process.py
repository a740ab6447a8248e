"""A judge in a process of its own: what it finds is what the one here finds, however its play ends."""

import asyncio
import os
import signal
from collections.abc import Iterable
from io import StringIO
from itertools import chain, groupby

import pytest
from rich.console import Console

from agent.errors import InputError
from simulator.engines.judge_process import UNTOLD, JudgeProcess
from simulator.engines.judged import JudgedPlay
from simulator.engines.judging import JudgingHere
from simulator.engines.live import LiveVenue
from simulator.engines.play_time import PlayTime
from simulator.engines.virtual import judged
from simulator.processes import ProcessLostError
from simulator.report.recent import Recent
from simulator.report.summary import print_summary
from simulator.scenario import load
from simulator.trace import CLOUD, Entry, JobDeletionBegan, RunStarted
from simulator.trace.packed import Frames, Pack, pack, unpack
from simulator.verdict import Judge, Verdict
from tests.within import within


@pytest.fixture(scope="module")
def ghosts() -> list[Entry]:
    """The trace of devices that work on although they were told, and of some that do not."""
    scenario, entries = load("main"), list[Entry]()
    bad = scenario.devices[0].model_copy(update={"model": "recovers-without-undoing"})
    judged(scenario.model_copy(update={"devices": (bad, *scenario.devices[1:])}), 8, 1, sink=entries.append)
    return entries


def shown(verdict: Verdict, recent: Recent) -> str:
    console = Console(file=StringIO(), width=120)
    print_summary(verdict, console, recent.entries_of)
    return console.file.getvalue()


async def told(entries: Iterable[Entry], recent: Recent) -> Verdict:
    async with JudgeProcess(recent.feed) as elsewhere:
        for entry in entries:
            elsewhere.feed(entry)
        return await elsewhere.verdict()


async def test_it_finds_what_a_judge_here_finds_and_shows_what_is_around_that(ghosts: list[Entry]):
    here, elsewhere, judge = Recent(), Recent(), Judge()
    for entry in ghosts:
        judge.feed(entry)
        here.feed(entry)
    verdict = await told(ghosts, elsewhere)
    assert verdict == judge.verdict()
    assert verdict.outcome == "failed"
    assert shown(verdict, elsewhere) == shown(verdict, here) != shown(verdict, Recent())


async def test_what_comes_in_packs_is_told_in_its_turn(ghosts: list[Entry], monkeypatch: pytest.MonkeyPatch):
    written = bytearray()
    monkeypatch.setattr(JudgeProcess, "_write", lambda _, raw: written.extend(raw))
    judge, all_of_them = JudgeProcess(), [entry for entry in ghosts if type(entry.event) not in UNTOLD]
    for is_clouds, several in groupby(all_of_them, lambda entry: entry.source == CLOUD):
        if is_clouds:
            (frame,) = Frames().feed(pack(list(several)))
            judge.feed_all(Pack(frame))
        else:
            for entry in several:
                judge.feed(entry)
    judge._flush()
    assert list(chain.from_iterable(map(unpack, Frames().feed(bytes(written))))) == all_of_them


async def test_it_tells_at_any_time_what_would_be_violated(ghosts: list[Entry]):
    half = ghosts[: len(ghosts) // 2]
    last = next(entry for entry in reversed(half) if entry.source == CLOUD)
    judge = Judge()
    async with JudgeProcess() as elsewhere:
        for entry in half:
            elsewhere.feed(entry)
            judge.feed(entry)
        ask = (last.n + 1, last.at + 100)
        assert await elsewhere.violated(*ask) == await JudgingHere(judge).violated(*ask)
        assert (await elsewhere.verdict()).outcome == judge.verdict().outcome, "that it was asked changes nothing"


async def test_without_a_run_there_is_nothing_to_judge_there_either():
    async with JudgeProcess() as elsewhere:
        assert not elsewhere.has_begun
        with pytest.raises(InputError, match=r"no run\.started entry"):
            await elsewhere.verdict()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_who_is_interrupted_with_the_whole_group_of_processes_still_has_its_verdict(
    ghosts: list[Entry], end: signal.Signals
):
    async with JudgeProcess() as elsewhere:
        for entry in ghosts:
            elsewhere.feed(entry)
        await elsewhere.verdict()
        os.kill(elsewhere._process.pid, end)
        assert (await elsewhere.verdict()).outcome == "failed"


LOST = r"the process that judges ended before the run did \(killed by signal 9\), so there is no verdict"


async def test_a_judge_that_is_killed_is_told_to_whoever_asks_it(ghosts: list[Entry]):
    async def ask() -> None:
        async with JudgeProcess() as elsewhere:
            elsewhere._process.kill()
            for entry in ghosts:
                elsewhere.feed(entry)
            await elsewhere.verdict()

    with pytest.raises(ProcessLostError, match=LOST):
        await within(ask(), 60)


async def test_nobody_plays_on_without_a_judge(ghosts: list[Entry]):
    async def play() -> None:
        async with JudgeProcess() as elsewhere:
            elsewhere._process.kill()
            while True:
                for entry in ghosts:
                    elsewhere.feed(entry)
                await asyncio.sleep(0)

    with pytest.raises(ProcessLostError, match=LOST):
        await within(play(), 60)


def test_a_play_that_is_judged_elsewhere_has_the_verdict_of_its_trace():
    scenario, entries, judge = load("main"), list[Entry](), Judge()

    async def play() -> Verdict:
        async with JudgeProcess() as elsewhere:
            with JudgedPlay(
                scenario, LiveVenue(scenario, 1), 4, seed=1, also=(entries.append,), judging=elsewhere
            ) as run:
                return (await run.result()).verdict

    verdict = asyncio.run(play())
    for entry in entries:
        judge.feed(entry)
    assert verdict == judge.verdict()
    assert verdict.outcome == "passed"


@pytest.mark.parametrize("slow", [1.0, 1.5], ids=["as the machine goes", "slower"])
def test_so_has_one_of_which_few_entries_are_looked_at(slow: float):
    scenario, shown = load("main"), list[Entry]()
    venue, heeded = LiveVenue(scenario, 1, PlayTime(slow)), frozenset({RunStarted, JobDeletionBegan})

    async def play() -> Verdict:
        async with JudgeProcess() as elsewhere:
            with JudgedPlay(scenario, venue, 4, seed=1, also=(shown.append,), heeded=heeded, judging=elsewhere) as run:
                return (await run.result()).verdict

    verdict = asyncio.run(play())
    assert verdict.outcome == "passed"
    assert verdict.recovered == 4
    assert [type(entry.event) for entry in shown] == [RunStarted, JobDeletionBegan, JobDeletionBegan]
