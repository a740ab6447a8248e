"""A network that holds messages and goes dead, without any wire: time is moved by hand, jobs by their changes."""

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.values import ExecutionKey, JobDocument, Status
from simulator.cloud.device_api import holding
from simulator.cloud.device_api.fault_injection import About
from simulator.cloud.device_api.network import Network
from simulator.cloud.jobs import (
    Change,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    Job,
    JobChanged,
    JobExecution,
    JobStatus,
    NewJob,
)
from simulator.cloud.mqtt import Peer
from simulator.cloud.settings.service import Fault
from simulator.trace import CloudEvent, FaultOver, FaultStruck

LONG = 3600.0


@dataclass
class Clock:
    """Calls what is due when its time has come."""

    now: float = 0.0
    _due: list[Any] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def later(self, seconds: float, act: Any) -> None:
        heappush(self._due, (self.now + seconds, next(self._numbers), act))

    def move(self, seconds: float) -> None:
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, act = heappop(self._due)
            act()
        self.now = until


class World:
    """A network, what was let through, and what was traced."""

    def __init__(self, *faults: Fault) -> None:
        self.clock = Clock()
        self.events: list[CloudEvent] = []
        self.arrived: list[tuple[str, str, Any, float | None]] = []
        """Thing, kind, what, and for how long it was held."""
        self.network = Network(faults, "0", lambda: self.clock.now, self.clock.later, self.events.append)

    def send(
        self, what: Any, kind: Any = "update", about: About | None = None, thing: str = "t", size: int = 0
    ) -> bool:
        def arrive(delays: tuple[float, ...], held: float | None) -> None:
            self.arrived.extend((thing, kind, what, held) for _ in delays)

        return self.network.carry(thing, kind, About("fw") if about is None else about, size, arrive)

    def learn(self, *changes: Change) -> None:
        self.network.learn(changes)
        self.clock.move(0.0)

    @property
    def whats(self) -> list[Any]:
        return [what for _, _, what, _ in self.arrived]


JOB = Job(NewJob("fw", ("t",), JobDocument("{}")), JobStatus.IN_PROGRESS, 0.0, 0.0)
EXECUTION = JobExecution("t", ExecutionKey(None, "fw", 1, 0), 1, Status.QUEUED, 1, 0.0, 0.0)
CREATED = JobChanged(None, JOB)
BEGAN = JobChanged(JOB, replace(JOB, status=JobStatus.DELETION_IN_PROGRESS))
GONE = JobChanged(JOB, None)
QUEUED = ExecutionQueued(EXECUTION)
REMOVED = ExecutionRemoved(EXECUTION)


def became(status: Status) -> Change:
    return ExecutionChanged(EXECUTION, replace(EXECUTION, status=status), "service")


# ── what a hold waits for ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("until", "change", "goes"),
    [
        ("deletion-began", BEGAN, True),
        ("deletion-began", REMOVED, True),
        ("deletion-began", GONE, True),
        ("deletion-began", became(Status.CANCELED), True),
        ("deletion-began", became(Status.SUCCEEDED), False),
        ("removed", BEGAN, False),
        ("removed", REMOVED, True),
        ("removed", GONE, True),
        ("removed", became(Status.CANCELED), False),
        ("ended", BEGAN, False),
        ("ended", became(Status.CANCELED), True),
        ("ended", became(Status.FAILED), True),
        ("ended", became(Status.IN_PROGRESS), False),
        ("ended", REMOVED, True),
        ("gone", REMOVED, False),
        ("gone", GONE, True),
        ("gone", QUEUED, False),
    ],
)
def test_what_lets_go_a_message_that_is_held(until: Any, change: Change, goes: bool):
    world = World(Fault(do="hold", messages=("update",), until=until, seconds=LONG))
    assert world.send("a")
    world.clock.move(2.0)
    assert not world.arrived
    world.learn(change)
    assert world.arrived == ([("t", "update", "a", 2.0)] if goes else [])


@pytest.mark.parametrize("until", ["deletion-began", "removed", "ended", "gone"])
def test_nothing_waits_for_what_has_been_but_for_what_comes_again_under_that_id(until: Any):
    world = World(Fault(name="gap", do="hold", messages=("update",), until=until, seconds=LONG, first=1))
    world.learn(CREATED, QUEUED, BEGAN, REMOVED, GONE)
    world.send("late")
    assert (world.whats, world.events) == (["late"], [])
    world.learn(CREATED, QUEUED)
    world.send("again")
    assert world.whats == ["late"]
    world.learn(BEGAN, REMOVED, GONE)
    assert world.whats == ["late", "again"]


@pytest.mark.parametrize(
    ("about", "held"),
    [
        pytest.param(About("fw"), True, id="about the job"),
        pytest.param(About("other"), False, id="about another"),
        pytest.param(About(), True, id="about none: a list, or whichever is next"),
    ],
)
def test_the_job_of_a_hold_is_whose_fate_is_awaited(about: About, held: bool):
    world = World(Fault(do="hold", messages=("start-next",), job="fw", seconds=LONG))
    world.send("a", "start-next", about)
    assert world.whats == ([] if held else ["a"])
    world.learn(REMOVED)
    assert world.whats == ["a"]


def test_what_waits_for_another_things_execution_goes_on_waiting():
    world = World(Fault(do="hold", messages=("update",), seconds=LONG))
    world.send("a")
    world.learn(ExecutionRemoved(replace(EXECUTION, thing="other")))
    assert not world.arrived
    world.learn(REMOVED)
    assert world.whats == ["a"]


def test_a_message_that_names_no_job_is_let_go_by_its_limit_alone():
    world = World(Fault(name="gap", do="hold", messages=("start-next",), seconds=3.0))
    world.send("a", "start-next", About())
    world.learn(BEGAN, REMOVED, GONE)
    world.clock.move(2.9)
    assert not world.arrived
    world.clock.move(0.1)
    assert world.arrived == [("t", "start-next", "a", 3.0)]
    assert world.events[-1] == FaultOver("t", "gap", "limit")


def test_copies_and_delays_come_after_the_hold():
    faults = [Fault(do=do, messages=("update",), seconds=LONG) for do in ("hold", "duplicate")]
    world = World(*faults)
    world.send("a")
    assert not world.arrived
    world.learn(REMOVED)
    assert world.whats == ["a", "a"]


def test_one_that_is_let_go_behind_one_that_is_not_waits_for_it():
    first = Fault(name="one", do="hold", messages=("update",), nth=1, until="gone", seconds=LONG)
    second = Fault(name="two", do="hold", messages=("update",), nth=2, until="removed", seconds=LONG)
    world = World(first, second)
    for what in ("a", "b", "c"):
        world.send(what)
    world.learn(REMOVED)
    assert not world.arrived
    world.learn(GONE)
    assert world.whats == ["a", "b", "c"]
    assert [event for event in world.events if isinstance(event, FaultOver)] == [
        FaultOver("t", "one", "done"),
        FaultOver("t", "two", "done"),
    ]


def test_the_event_that_lets_go_is_told_and_published_first():
    world = World(Fault(do="hold", messages=("update",), seconds=LONG))
    world.send("a")
    world.network.learn([REMOVED])
    world.send("b")
    assert not world.arrived, "in a turn of its own, and in order"
    world.clock.move(0.0)
    assert world.whats == ["a", "b"]


def test_what_is_let_go_may_have_the_next_wait():
    world = World(Fault(do="hold", messages=("update",), seconds=LONG, first=2))

    def again(delays: tuple[float, ...], held: float | None) -> None:
        world.network.learn([QUEUED])
        world.send("b")

    world.network.carry("t", "update", About("fw"), 0, again)
    world.send("c", about=About("other"))
    world.learn(REMOVED)
    assert not world.arrived
    world.learn(ExecutionRemoved(replace(EXECUTION, key=replace(EXECUTION.key, job_id="other"))))
    assert world.whats == ["c", "b"]


def test_who_cannot_be_let_go_keeps_nobody_else():
    world = World(Fault(do="hold", messages=("update",), nth=1, seconds=LONG))
    world.network.carry("t", "update", About("fw"), 0, lambda delays, held: 1 / 0)
    world.send("b")
    world.learn(REMOVED)
    assert world.whats == ["b"]


@pytest.mark.parametrize(
    ("bounds", "size", "fits"),
    [
        pytest.param({"MOST_OF_A_THING": 3}, 0, 3, id="messages of a thing"),
        pytest.param({"MOST_BYTES_OF_A_THING": 10_000}, 2000, 4, id="bytes of a thing"),
        pytest.param({"MOST": 2}, 0, 2, id="messages"),
        pytest.param({"MOST_BYTES": 10_000}, 4000, 2, id="bytes"),
    ],
)
def test_what_is_held_is_bounded_and_goes_then(bounds: dict[str, int], size: int, fits: int, monkeypatch: Any):
    for name, most in bounds.items():
        monkeypatch.setattr(holding, name, most)
    world = World(Fault(name="gap", do="hold", messages=("update", "describe"), nth=1, seconds=LONG))
    for number in range(fits):
        world.send(number, size=size)
    assert not world.arrived
    world.send(fits, size=size)
    assert world.whats == list(range(fits + 1))
    assert world.events[-1] == FaultOver("t", "gap", "full")
    world.clock.move(2 * LONG)
    assert world.network._holds._total.messages == world.network._holds._total.size == 0
    holds = world.network._holds
    assert (holds._queues, holds._waiting, holds._weights) == ({}, {}, {})


# ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────────

KINDS = ("update", "describe", "notify-next")
THINGS = ("t", "other")
sends = st.tuples(st.just("send"), st.sampled_from(THINGS), st.sampled_from(KINDS), st.sampled_from(("fw", None)))
happens = st.tuples(st.just("happens"), st.sampled_from((BEGAN, REMOVED, GONE, CREATED, QUEUED)))
waits = st.tuples(st.just("waits"), st.sampled_from((0.0, 0.4, 1.0, 5.0)))
holds = st.builds(
    Fault,
    name=st.sampled_from(("one", "two")),
    do=st.just("hold"),
    messages=st.sets(st.sampled_from(KINDS), min_size=1).map(sorted).map(tuple),
    job=st.sampled_from(("fw", None)),
    nth=st.sampled_from((None, 1, 2, 4)),
    until=st.sampled_from(("deletion-began", "removed", "ended", "gone")),
    seconds=st.sampled_from((0.5, 3.0, LONG)),
)


@given(st.lists(holds, max_size=4), st.lists(sends | happens | waits, max_size=40))
def test_messages_of_one_kind_arrive_once_each_and_in_the_order_in_which_they_were_sent(faults, deeds):
    world, sent = World(*faults), list[tuple[str, str, int]]()
    for deed in deeds:
        match deed:
            case "send", thing, kind, job:
                sent.append((thing, kind, len(sent)))
                world.send(sent[-1][2], kind, About(job), thing)
            case "happens", change:
                world.network.learn([change])
            case _, seconds:
                world.clock.move(seconds)
    world.network.retire()
    came = [(thing, kind, what) for thing, kind, what, _ in world.arrived]
    for stream in itertools.product(THINGS, KINDS):
        assert [each for each in came if each[:2] == stream] == [each for each in sent if each[:2] == stream]
    struck = Counter((event.thing, event.fault) for event in world.events if isinstance(event, FaultStruck))
    assert struck == Counter((event.thing, event.fault) for event in world.events if isinstance(event, FaultOver))
    world.clock.move(2 * LONG)
    assert len(world.arrived) == len(sent)


# ── a dead network ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_network_that_is_cut_loses_the_message_and_comes_back():
    world = World(Fault(name="gap", do="cut", messages=("update",), nth=2, seconds=5.0))
    cuts: list[str] = []
    reopened: list[float] = []
    world.network.cut = lambda thing, belongs: cuts.append(thing) or [Peer("t"), Peer("t-2")]
    world.network.reopened = lambda: reopened.append(world.clock.now)
    assert world.send("a")
    assert not world.send("b")
    assert (world.whats, cuts) == (["a"], ["t"])
    dead = {name: world.network.is_dead_for(Peer(name)) for name in ("t", "t-2", "other")}
    assert dead == {"t": True, "t-2": True, "other": False}
    world.clock.move(4.0)
    assert (world.network.silent_for("t"), world.network.silent_for("other")) == (1.0, 0.0)
    world.clock.move(1.0)
    assert (world.network.silent_for("t"), world.network.is_dead_for(Peer("t")), reopened) == (0.0, False, [5.0])
    assert world.events == [FaultStruck("t", "gap", "cut", "update", "fw"), FaultOver("t", "gap", "done")]


def test_a_network_that_is_cut_again_comes_back_after_the_second_time():
    world = World(Fault(name="gap", do="cut", messages=("update",), seconds=5.0))
    world.send("a")
    world.clock.move(3.0)
    world.send("b")
    world.clock.move(3.0)
    assert world.network.silent_for("t") == 2.0
    world.clock.move(2.0)
    assert not world.network.silent_for("t")
    assert [event for event in world.events if isinstance(event, FaultOver)] == [FaultOver("t", "gap", "done")]


@pytest.mark.parametrize(
    ("peer", "belongs"),
    [
        pytest.param(Peer("t"), True, id="its client id"),
        pytest.param(Peer("x", "5f"), True, id="its certificate"),
        pytest.param(Peer("x", "aa"), False, id="another certificate"),
        pytest.param(Peer("asks"), True, id="who asked for it"),
        pytest.param(Peer("x", "", ("$aws/things/t/jobs/notify",)), True, id="who listens to its jobs"),
        pytest.param(Peer("x", "", ("$aws/things/+/jobs/notify", "#")), False, id="who listens to everybody's"),
        pytest.param(Peer("t2", "", ("$aws/things/t2/jobs/notify",)), False, id="whose name begins like that"),
    ],
)
def test_who_belongs_to_a_thing(peer: Peer, belongs: bool):
    world = World(Fault(do="cut", messages=("update",), seconds=5.0))
    world.network.thing_of = {"5f": "t", "aa": "other"}.get
    asked: list[bool] = []
    world.network.cut = lambda thing, is_its: asked.append(is_its(peer)) or []
    world.network.carry_topic("$aws/things/t/jobs/get", b"", lambda *_: None, "asks")
    world.send("a")
    assert asked == [belongs]


def test_what_comes_of_a_message_that_others_let_go_is_not_held_again():
    world = World(Fault(do="hold", messages=("update", "update-answer"), seconds=LONG))
    world.network.carry("t", "update", About("fw"), 0, lambda delays, held: world.send("answer", "update-answer"))
    world.network.retire()
    assert world.whats == ["answer"]


def test_others_count_from_now_on_and_nothing_is_left_of_these():
    hold = Fault(name="gap", do="hold", messages=("update",), seconds=LONG)
    cut = Fault(name="off", do="cut", messages=("describe",), seconds=LONG)
    world = World(hold, cut)
    world.send("a")
    world.send("b", "describe")
    world.network.retire()
    assert (world.whats, world.network.silent_for("t")) == (["a"], 0.0)
    assert world.events[-2:] == [FaultOver("t", "gap", "replaced"), FaultOver("t", "off", "replaced")]
    world.clock.move(2 * LONG)
    assert len(world.events) == 4
