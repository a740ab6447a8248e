"""Damaged journals of the agent: whatever is on the disk, it starts, says what is lost, and does nothing twice.

A device works jobs to their end, and at each of its records the file, what the service was told, and which programs
were begun are kept: there the power might have gone. The file is then damaged, and a device that finds it works on to
the end. Found is a traceback, a program that is begun again, a start from another record without a word, and a wedge.

What is cut off between two records is no damage: a file that is shorter by whole records is what a power cut leaves.
"""

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from agent.abilities import ALL_ACTIONS, Abilities
from agent.core.events import BeginStep, Booted, StepEnded
from agent.core.record import Record
from agent.device_events import DeviceCrashed
from agent.errors import GhostjobError
from agent.journal import FRAME, HEADER, Journal
from agent.log import configure
from agent.record_json import number_of, numbered, read_record, write_record
from simulator.engines.virtual_time import run_virtually
from tests.agent.offline import Bench, Device
from tests.agent.spoiling import Job, Service
from tests.agent.test_journal import Held
from tests.hostile.report import Bounds, Report

MOST_FINDINGS: Final = 20
PATIENCE_SECONDS: Final = 600
"""Of virtual time; the longest wait between two questions is 60 s."""
PAGE: Final = 512
ABLE: Final = Abilities(actions=ALL_ACTIONS | {"run", "reboot"})
DOCUMENTS: Final = (
    '{"operation":"run","command":["echo","1"]}',
    '{"operation":"configure","to":"a","content":"' + "x" * 700 + '"}',
    '{"version":"1.0","steps":['
    + ",".join(
        f'{{"action":{{"name":"s{number}","type":"runCommand","input":{{"command":"echo,{number}"}}}}}}'
        for number in range(4)
    )
    + "]}",
    '{"operation":"download","to":"a","url":"https://a/b"}',
)
DAMAGES: Final = ("flip", "flip", "flips", "cut", "page", "noise", "swap", "again", "old", "header", "zeros", "lost")
Deed = tuple[str, int]
"""A job and the index of a step."""


class Worker(Bench):
    """Hardware on which every step succeeds; `once` are the programs begun, which are never begun again."""

    def __init__(self, feed: Any, once: set[Deed]) -> None:
        super().__init__(feed)
        self.once, self.again = once, list[Deed]()

    def begin(self, effect: BeginStep) -> None:
        deed = (effect.execution.job_id, effect.index)
        if deed in self.once:
            self.again.append(deed)
        if effect.step.action == "run":
            self.once.add(deed)
        self._later(StepEnded(effect.index, "done"))


@dataclass(frozen=True, slots=True)
class Moment:
    """What there is at an instant: the file, the jobs as the service has them, what was begun that is begun once."""

    data: bytes
    jobs: tuple[Job, ...]
    once: frozenset[Deed]


class Life:
    """One device from its start on, with a journal in memory."""

    def __init__(self, moment: Moment, namespace_id: str | None) -> None:
        self.disk = Held(moment.data)
        self.journal = Journal(self.disk, number_of=number_of)
        self.service = Service(*(replace(job, details=dict(job.details)) for job in moment.jobs))
        device = Device(self.service, namespace_id, ABLE, self._remember)
        self.worker = Worker(device.runner.feed, set(moment.once))
        device.runner._workbench = self.worker
        self.device = device
        self.moments = list[Moment]()
        self._number = 0

    def recall(self) -> Record:
        """What stands in the file. Raises GhostjobError."""
        snapshot = self.journal.open()
        self._number = number_of(snapshot or b"")
        return read_record(snapshot) if snapshot is not None else Record()

    def _remember(self, record: Record) -> None:
        self._number += 1
        self.journal.append(numbered(write_record(record), self._number))
        jobs = tuple(replace(job, details=dict(job.details)) for job in self.service.jobs)
        self.moments.append(Moment(self.disk.data, jobs, frozenset(self.worker.once)))

    async def lived(self, record: Record, *, rebooted: bool) -> None:
        """To the end of the queue. Raises TimeoutError."""
        self.device.runner.start(Booted(record, rebooted=rebooted))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.service.ended.wait()
        await self.device.runner.stop()


def moments(namespace_id: str | None) -> list[Moment]:
    """Every instant of the undisturbed work on all documents."""
    jobs = tuple(Job(f"job-{number}", document) for number, document in enumerate(DOCUMENTS))
    life = Life(Moment(b"", jobs, frozenset()), namespace_id)
    life.journal.open()
    run_virtually(life.lived(Record(), rebooted=True))
    return life.moments


# ── damage ────────────────────────────────────────────────────────────────────────────────────────────────────


def damaged(data: bytes, rng: Random) -> tuple[str, bytes]:
    """What was done to a file, and what came of it."""
    how = rng.choice(DAMAGES)
    changed, at = bytearray(data), rng.randrange(len(data))
    records = list(_records(data))
    match how:
        case "flip" | "flips":
            for _ in range(1 if how == "flip" else rng.randint(2, 40)):
                changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        case "cut":
            del changed[at:]
        case "page" | "noise":
            at -= at % PAGE
            size = len(changed[at : at + PAGE])
            changed[at : at + PAGE] = bytes(size) if how == "page" else rng.randbytes(size)
        case "zeros":
            changed[at:] = bytes(len(changed) - at)
        case "header":
            changed[rng.randrange(len(HEADER))] = rng.randrange(256)
        case "swap":
            rng.shuffle(records)
            changed = bytearray(HEADER + b"".join(records))
        case "again" | "old":
            changed += rng.choice(records) if how == "again" else records[0] * rng.randint(1, 3)
        case "lost":
            del records[rng.randrange(len(records))]
            changed = bytearray(HEADER + b"".join(records))
    return how, bytes(changed)


def _records(data: bytes) -> Iterator[bytes]:
    at = len(HEADER)
    while at < len(data):
        length, _ = FRAME.unpack_from(data, at)
        yield data[at : at + FRAME.size + length]
        at += FRAME.size + length


def _is_shorter_only(data: bytes, now: bytes) -> bool:
    """Whether only whole records are missing at the end, as if they had not been written yet."""
    ends = [len(HEADER), *(len(HEADER) + sum(map(len, list(_records(data))[:n])) for n in range(len(data)))][:200]
    return data.startswith(now) and (len(now) in ends or len(now) <= len(HEADER))


# ── the attack ────────────────────────────────────────────────────────────────────────────────────────────────


async def attack(bounds: Bounds) -> Report:
    """It has a thread, because the virtual loop of a device is none of this one."""
    return await asyncio.to_thread(_attack, bounds)


def _attack(bounds: Bounds) -> Report:
    configure("text", "critical")
    report, ends, until = Report(), Counter[str](), time.monotonic() + bounds.seconds
    places = {namespace_id: moments(namespace_id) for namespace_id in (None, "lab")}
    while report.tried < bounds.count and time.monotonic() < until and len(report.findings) < MOST_FINDINGS:
        rng = Random(f"{bounds.seed}/{report.tried}")
        namespace_id = rng.choice((None, "lab"))
        moment = rng.choice(places[namespace_id])
        how, data = damaged(moment.data, rng)
        what = f"{bounds.seed}/{report.tried}, {how}"
        report.tried += 1
        try:
            ends[f"{how}: {_come_back(moment, data, namespace_id, rng)}"] += 1
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            report.findings.append(f"{what}: {type(error).__name__}: {str(error)[:300]} at {place}")
    report.figures |= {name: f"{count:,}" for name, count in sorted(ends.items())}
    report.figures["instants of an undisturbed life"] = str(sum(map(len, places.values())))
    return report


def _come_back(moment: Moment, data: bytes, namespace_id: str | None, rng: Random) -> str:
    """What a device does that finds such a file. Raises AssertionError and whatever else is found."""
    before = Life(moment, namespace_id).recall()
    life = Life(replace(moment, data=data), namespace_id)
    try:
        record = life.recall()
    except GhostjobError:
        return "refused in words"
    journal = life.journal
    said = bool(journal.damage or journal.torn_bytes or journal.misplaced or journal.is_bare)
    if record == before:
        return "nothing lost"
    assert said or not data or _is_shorter_only(moment.data, data), "another record, and not a word"
    with suppress(TimeoutError):
        run_virtually(life.lived(record, rebooted=rng.random() < 0.5))
        assert not life.worker.again, f"begun again: {life.worker.again}"
        return "worked on from an older record" if record.work or record.finished else "worked on from nothing"
    crashes = [event for event in life.device.told if isinstance(event, DeviceCrashed)]
    raise AssertionError(f"wedged: {crashes or life.device.runner.machine.machine.phase}")
