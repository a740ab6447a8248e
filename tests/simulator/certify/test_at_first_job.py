"""What is told of a device while it is at its first job."""

import asyncio
from dataclasses import replace

import pytest

from agent.values import ExecutionKey
from simulator.certify.at_first_job import MOST_CRASHES, MOST_ENTRIES, MOST_SAID, AtFirstJob
from simulator.certify.session import _before
from simulator.trace import (
    CLOUD,
    ClientConnected,
    ClientDisconnected,
    ClientRefused,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionRemoved,
    ProcessEnded,
)

from .test_arrival import offer

KEY = ExecutionKey(None, "fw", 1, 1_700_000_000)
TAKES = ExecutionChanged("pump-7", KEY, "IN_PROGRESS", 2, by="device")
GOES = ClientDisconnected("pump-7", "CONNECTION_LOST")
COMES = ClientConnected("pump-7")
CRASHES = ProcessEnded("pump-7", "./agent ended by itself, with exit code 3", crashed=True)
REBOOTS = replace(CRASHES, why="./agent ended by itself, with exit code 0", crashed=False)
REFUSED = ClientRefused("server-not-trusted", "tls", "", "the peer's alert: unknown ca", address="127.0.0.1")


def watched(*events: Event) -> tuple[AtFirstJob, list[str]]:
    said: list[str] = []
    device = AtFirstJob(offer(), said.append)
    for number, event in enumerate(events, 1):
        device.feed(Entry(CLOUD, number, number / 10, event))
    return device, said


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((TAKES, TAKES), ["has taken its first job"]),
        ((COMES,), []),
        (
            (GOES,),
            ["is gone in the middle of its first job, and waited for: the connection breaks without a DISCONNECT"],
        ),
        ((GOES, COMES), ["is gone", "is connected again"]),
        ((ClientDisconnected("pump-7-logs", "CONNECTION_LOST"),), []),
        ((CRASHES,), ["its process has ended, and is started again: ./agent ended by itself, with exit code 3"]),
        ((replace(REFUSED, code="taken-over"),), []),
        ((REFUSED,), ["a client from 127.0.0.1 does not accept the cloud's certificate"]),
    ],
)
def test_each_turn_is_told_once(events: tuple[Event, ...], told: list[str]):
    _, said = watched(*events)
    assert len(said) == len(told)
    assert all(line.startswith(each) for line, each in zip(said, told, strict=True))


@pytest.mark.parametrize(
    ("events", "is_hopeless"),
    [
        ((CRASHES,) * (MOST_CRASHES - 1), False),
        ((CRASHES,) * MOST_CRASHES, True),
        ((REBOOTS,) * MOST_CRASHES, False),
        ((CRASHES,) * (MOST_CRASHES - 1) + (TAKES, CRASHES), False),
        ((CRASHES,) * (MOST_CRASHES - 1) + (REBOOTS, CRASHES), False),
    ],
)
def test_only_a_process_that_crashes_again_and_again_without_progress_is_given_up(
    events: tuple[Event, ...], is_hopeless: bool
):
    device, _ = watched(*events)
    assert device.is_hopeless.is_set() == is_hopeless


def test_what_goes_on_and_on_is_told_a_few_times_and_kept_within_bounds():
    device, said = watched(*(GOES, COMES) * MOST_ENTRIES)
    assert len(said) == MOST_SAID + 1
    assert said[-1] == "it goes on like that, and is waited for all the same"
    assert len(device._entries) == MOST_ENTRIES


@pytest.mark.parametrize("takes", [(), (TAKES,)], ids=["given", "taken"])
async def test_a_play_with_a_hopeless_device_is_ended_and_it_has_failed_if_it_took_the_job(takes: tuple[Event, ...]):
    device, _ = watched(*takes, *(CRASHES,) * MOST_CRASHES)
    ended = asyncio.Event()

    async def play() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert await device.unless_hopeless(play()) is None
    assert ended.is_set()
    unmet = device.unmet()
    assert unmet.failed == bool(takes)
    assert unmet.why.endswith(CRASHES.why)
    assert len(unmet.evidence) == len(takes) + MOST_CRASHES


async def test_what_a_play_comes_to_is_passed_on():
    device, _ = watched()

    async def play() -> int:
        return 7

    assert await device.unless_hopeless(play()) == 7


def test_what_we_do_to_its_job_after_the_end_is_nothing_to_learn_from():
    came, began, removed = (
        Entry(CLOUD, number, 1.0, event)
        for number, event in enumerate((COMES, TAKES, ExecutionRemoved("pump-7", KEY, "QUEUED")))
    )
    assert list(_before([came, began, removed], (began,))) == [came]
