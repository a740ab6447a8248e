"""A device on the desk that is sampled, what it may do there, and the stories that are told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.values import ExecutionKey
from simulator.trace import (
    CLOUD,
    ENGINE,
    PROBE,
    Entry,
    ExecutionChanged,
    PowerCutOff,
    PowerRestored,
    ProbeSampled,
    ProcessEnded,
)
from tests.simulator.verdict.stories.scenes import RNF
from tests.simulator.verdict.tale import BOUNDS, FW, THING, Tale, from_the_wire

OLD, NEW = "1.0", "2.0"
LAST = ExecutionKey(None, "last", 1, 300)
VERSIONS = {"fw": (NEW,), "next": (OLD,), "last": (NEW,)}
READY = BOUNDS.ready_seconds + 1
LATE = BOUNDS.ready_seconds + BOUNDS.detection_seconds + 1
DEAD = BOUNDS.silence_seconds + 1


class Bench(Tale):
    """A device on the desk, that is sampled: cloud, engine and probe have one clock."""

    def __init__(self) -> None:
        super().__init__()
        self._clocks[PROBE] = self._clocks[ENGINE] = self._clocks[CLOUD]
        self.entries[0] = self.entries[0]._replace(at=self._clocks[ENGINE])
        self.told_at_the_start(versions=VERSIONS)
        self.sees(OLD)
        self.connect()

    def probe(self, alive: bool | None, version: str | None = None, took: float = 0.05, **more: Any) -> None:
        self.wait(took)
        self._write(PROBE, ProbeSampled(THING, "cmd:it", alive, version, seconds=took, **more))

    def sees(self, version: str, seconds: float = 0.0) -> None:
        """It runs a version, and after some time still does."""
        self.probe(True, version)
        if seconds:
            self.wait(seconds)
            self.probe(True, version)

    def is_dead(self, seconds: float) -> None:
        self.probe(False)
        self.wait(seconds)
        self.probe(False)

    def cuts_power(self) -> None:
        self._write(ENGINE, PowerCutOff(THING, "reported download"))

    def restores_power(self) -> None:
        self._write(ENGINE, PowerRestored(THING))

    def crash(self, why: str) -> None:
        self._write(ENGINE, ProcessEnded(THING, why, crashed=True))

    def starts(self, key: ExecutionKey = FW) -> None:
        self.queue(key)
        self.take(key)
        self.say(key, "download")

    def succeeds(self, key: ExecutionKey, **details: str) -> None:
        token = self.send("update", key, status="SUCCEEDED", expected_version=2)
        self.arrive(token)
        self.cloud(ExecutionChanged(THING, key, "SUCCEEDED", 3, "device", details or None))
        self.answer(token)

    def fails(self, key: ExecutionKey, **details: str) -> None:
        token = self.send("update", key, status="FAILED", expected_version=2)
        self.arrive(token)
        self.cloud(ExecutionChanged(THING, key, "FAILED", 3, "device", details or None))
        self.answer(token)

    def works_through(self, key: ExecutionKey, version: str) -> None:
        """As a careful device does: try the version, report, keep it."""
        self.starts(key)
        self.disconnect()
        self.probe(False)
        self.wait(0.3)
        self.connect()
        self.sees(version, 0.2)
        self.succeeds(key)
        self.sees(version)

    def is_deleted(self, key: ExecutionKey = FW) -> None:
        """In progress; by its next report it is told."""
        self.remove(key)
        self.say(key, "write", code=RNF)


@dataclass(frozen=True)
class Story:
    invariant: str
    outcome: str
    tell: Callable[[Bench], None]

    def told(self) -> list[Entry]:
        bench = Bench()
        self.tell(bench)
        bench.end()
        return from_the_wire(bench.entries)


STORIES: list[Story] = []
RIGHT: list[Callable[[Bench], None]] = []


def story(invariant: str, outcome: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    def add(tell: Callable[[Bench], None]) -> Callable[[Bench], None]:
        STORIES.append(Story(invariant, outcome, tell))
        return tell

    return add


def right(tell: Callable[[Bench], None]) -> Callable[[Bench], None]:
    RIGHT.append(tell)
    return tell
