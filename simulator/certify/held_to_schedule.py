"""A device under test is held to a schedule: each packet waits at the gateway until it is its turn.

    packets         let go, lost, doubled or overtaken at their turn; what the schedule does not know passes at once
    the job         made, deleted and made again, and the power cut, by the play, when a moment says so
    the deletion    goes on when it is its turn, since the service stands still meanwhile
    the connection  is cut at its turn; that the device is back is awaited
    all else        the device's steps and timers cannot be held: what they lead to is awaited

A device may ask and report otherwise than the explorer's: a question for work is one, whichever it is; packets of which
the schedule does not know pass; and choices that nobody pays for are passed over if what comes is what a later one of
them is about. Where a packet does not come, or one that ends the job is not in its place, the two part: nothing is held
any more, and the play goes on to its end.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from itertools import islice
from typing import Final

from simulator.certify.draft import HOLD_SECONDS, PATIENCE_SECONDS
from simulator.certify.offer import is_client_of
from simulator.certify.turns import HELD, OVER, Role, Turn, Turns, role
from simulator.cloud.device_api.fault_injection import ANSWERS, ON_TIME, About
from simulator.cloud.local import LocalCloud
from simulator.cloud.mqtt import Travel
from simulator.cloud.settings.service import MessageKind
from simulator.engines.conductor.packets import REQUESTS, ConductedNetwork, Packet, Wire, swap
from simulator.engines.conductor.sight import PartedError
from simulator.engines.explore.setup import FW, OTHER, Seat
from simulator.scenario import Scenario
from simulator.trace import (
    ClientConnected,
    ClientDisconnected,
    CloudEvent,
    DeletionAccepted,
    Entry,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    FaultStruck,
    JobDeleted,
    PowerCutOff,
    PowerRestored,
    Recorder,
    Sink,
)

SOURCE: Final = "schedule"
"""Of the trace's entries."""
APART_SECONDS: Final = 1.0
"""Queue times count seconds: an id that is used again so much later is known to be another's."""
AWAY_SECONDS: Final = 3600.0
"""The network stays away until it is its turn to be back; so long at most."""
ANY_ANSWER: Final = frozenset(ANSWERS.values())
ENDS: Final = frozenset({"SUCCEEDED", "FAILED", "REJECTED"})
WAITED_FOR: Final = (DeletionAccepted, ExecutionChanged, ExecutionQueued, ExecutionRemoved, JobDeleted, PowerCutOff)
SOON_SECONDS: Final = 60.0
"""A deletion goes on sooner than that."""
FREE: Final = frozenset({"arrive", "deliver", "work", "timer", "reboot", "undo reboot"})
"""Choices that a device may do without: nobody pays for them, and nothing but itself is changed by them."""
MOST_BESIDES: Final = 16
"""So many packets in a row may pass of which the schedule does not know."""


class HeldToSchedule:
    """Of one play of `scenario`, with the device that is that thing of `cloud`. `tell` gets the entries of its moments.

    `usual_seconds` is what the device needs for whatever it does when nothing is lost.
    """

    def __init__(
        self, turns: Turns, scenario: Scenario, thing: str, cloud: LocalCloud, tell: Sink, usual_seconds: float
    ) -> None:
        namespace = scenario.devices[0].namespace
        self._turns = turns.all if namespace is not None else tuple(turns.but("notify-documented"))
        self._thing = thing
        self._cloud = cloud
        self._usual_seconds, self._gap_seconds = usual_seconds, scenario.bounds.uninterruptible_seconds
        self._is_patient = turns.lose_something
        self._record = Recorder(SOURCE, time.monotonic, tell).record
        self._job_ids = {FW: scenario.jobs[0].id, OTHER: next((job.id for job in scenario.jobs if job.provokes), "")}
        self._apart_seconds = 0.0 if turns.setup.same_second else APART_SECONDS
        self._changed = asyncio.Event()
        self.wire = Wire(time.monotonic, self._changed.set, answers_who_left=False)
        self._network = DeskNetwork(
            Seat(thing, thing, namespace), self.wire, hears_all=turns.setup.hears == "everything", observe=self._record
        )
        self._clients: set[str] = set()
        self._is_off = False
        self._seen: list[Entry] = []
        """What somebody may wait for, since the choice that is played was begun."""
        self._queued_at = 0.0
        self._besides: list[MessageKind] = []
        """Answers that are still to come to questions which the schedule does not know."""
        self._at = 0
        """The choice that is played, by its place among `_turns`."""
        self._unasked: set[int] = set()
        """Answers to questions that this device does not put."""
        self.passed_over, self.besides = 0, 0
        """So many choices were, since this device does other things; and so many of its packets were in no choice."""
        self.parted: str | None = None
        """Where the device went another way, once it did."""
        self.is_over = False
        self._task: asyncio.Task[None] | None = None

    @property
    def told(self) -> str:
        """How far the device was held to it, for people."""
        if self.parted is not None:
            return self.parted
        passed = f", but for {self.passed_over} that are not its own" if self.passed_over else ""
        besides = f"; {self.besides} of its packets are in none of them" if self.besides else ""
        return f"was held to all {self._turns[-1].number} choices of the schedule{passed}{besides}"

    # ── the play around it ────────────────────────────────────────────────────────────────────────────────────

    def begin(self, stack: AsyncExitStack, standing: Iterable[Entry]) -> None:
        """Hold packets from now on, until the stack ends at the latest. `standing` tells who is connected."""
        for entry in standing:
            self.feed(entry)
        self._cloud.have_carried_by(self._network)
        self._cloud.core.stand_still()
        stack.callback(self._let_all_go)
        self._task = asyncio.get_running_loop().create_task(self._play())
        stack.push_async_callback(self._stop)

    def feed(self, entry: Entry) -> None:
        """Take note of one entry of the play."""
        match entry.event:
            case ClientConnected(thing=client) if is_client_of(self._thing, client):
                self._clients.add(client)
                self.wire.is_linked = True
            case ClientDisconnected(thing=client) if client in self._clients:
                self._clients.discard(client)
                if not self._clients:
                    self.wire.lose_link()
            case ExecutionQueued(execution=key) if key.job_id == self._job_ids[FW]:
                self._queued_at = entry.at
            case PowerCutOff() | PowerRestored():
                self._is_off = isinstance(entry.event, PowerCutOff)
            case _:
                pass
        if isinstance(entry.event, WAITED_FOR):
            self._seen.append(entry)
        self._changed.set()

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _play(self) -> None:
        try:
            await self._until(lambda: self._has_seen(ExecutionQueued, FW), f"job {self._job_ids[FW]} queued")
            while self._at < len(self._turns):
                if self._at not in self._unasked:
                    await self._take(self._turns[self._at])
                self._at += 1
            self._strike(HELD)
        except PartedError as parted:
            turn = self._turns[self._at]
            what = f"choice {turn.number} of {self._turns[-1].number}, '{turn.choice}'"
            self.parted = f"it could not be held to the schedule: {what}: {parted}"
        finally:
            self._let_all_go()

    def _let_all_go(self) -> None:
        """Nothing is held any more."""
        if self.is_over:
            return
        self.is_over = self._network.passes = True
        self._network.back(self._thing)
        while self.wire.up:
            self.wire.let_up()
        while self.wire.down:
            self.wire.let_down()
        self._cloud.core.go_on()
        self._strike(OVER)

    # ── a choice ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _take(self, turn: Turn) -> None:
        """Have a choice happen, or a later one in its place."""
        if turn.kind is not None and self._is_asked_in_idleness(turn):
            await self._take_if_asked(turn)
        elif turn.kind is not None:
            turn = await self._take_packet(turn, self._patience())
        else:
            await self._take_other(turn)
        if turn.cuts_power:
            await self._cut_power(turn)

    async def _take_other(self, turn: Turn) -> None:
        choice = turn.choice
        self._seen.clear()
        if choice.do in ("create", "create again", "delete", "cancel", "delete execution"):
            await self._take_order(turn)
        elif choice.do in ("records go", "job gone"):
            await self._take_due(choice.do)
        elif choice.do == "disconnect":
            self._network.cut_off(self._thing, AWAY_SECONDS, turn.moment)
            self.wire.lose_link()
        elif choice.do == "connect":
            self._network.back(self._thing)
            await self._until(lambda: self.wire.is_linked, "that the device connects", PATIENCE_SECONDS)
        elif choice.do == "power on":
            await self._until(lambda: not self._is_off, "the power back", PATIENCE_SECONDS)

    async def _cut_power(self, turn: Turn) -> None:
        self._strike(turn.moment)
        await self._until(lambda: self._has_seen(PowerCutOff), "the power cut", PATIENCE_SECONDS)
        self.wire.lose_link()

    async def _take_order(self, turn: Turn) -> None:
        """Have the play do it, which waits for the moment."""
        do, job = turn.choice.do, turn.choice.what
        if (do, job) == ("create", FW):
            return
        if do == "create again":
            await asyncio.sleep(max(0.0, self._queued_at + self._apart_seconds - time.monotonic()))
        self._strike(turn.moment)
        job_id = self._job_ids.get(job)
        done = {
            "create": ExecutionQueued,
            "create again": ExecutionQueued,
            "delete": DeletionAccepted,
            "cancel": ExecutionChanged,
            "delete execution": ExecutionRemoved,
        }[do]
        await self._until(lambda: self._has_seen(done, job if job_id else None), f"'{turn.choice}' done")

    async def _take_due(self, what: str) -> None:
        """The next part of a deletion, as soon as it is seen that there is one to do."""
        core, wanted = self._cloud.core, ExecutionRemoved if what == "records go" else JobDeleted
        while not self._has_seen(wanted):
            due = core.jobs.next_due()
            if due is None or due > core.now() + SOON_SECONDS:
                raise PartedError(what, "no deletion that goes on")
            core.do_due(max(core.now(), due))

    # ── a packet ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _take_packet(self, turn: Turn, patience_seconds: float) -> Turn:
        """Wait for what it is about; the turn that was taken, which may be a later one."""
        wanted, passed = f"the packet {turn.kind}", 0
        while True:
            await self._until(lambda: bool(self._way(turn)), wanted, patience_seconds)
            first = self._way(turn)[0]
            meant = (each for each in self._that_may_come(turn) if is_meant(each, first))
            taken = next(meant, turn if may_stand_for(turn, first) else None)
            if taken is not None:
                break
            if (first.about.status in ENDS and first.kind == "update") or passed == MOST_BESIDES:
                raise PartedError(wanted, f"{first.kind} {first.about.status or ''}".rstrip())
            self._let_pass(first, turn.goes_up)
            passed += 1
        if taken.choice.do == "delay":
            await self._until(lambda: len(self._way(taken)) > 1, f"another packet after {taken.kind}", patience_seconds)
        before, self._at = self._at, self._turns.index(taken)
        self.passed_over += self._at - before
        self._do(taken)
        return taken

    def _is_asked_in_idleness(self, turn: Turn) -> bool:
        """Whether somebody asks again only because he has nothing to do: whoever listens need not."""
        before = self._turns[self._at - 1].choice if self._at else None
        return turn.choice.do == "arrive" and before is not None and (before.do, before.what) == ("timer", "ask-again")

    async def _take_if_asked(self, turn: Turn) -> None:
        try:
            await self._take_packet(turn, HOLD_SECONDS)
        except PartedError:
            if self.wire.up:
                raise
            answers = (at for at in range(self._at, len(self._turns)) if self._turns[at].kind in ANY_ANSWER)
            self._unasked.update(islice(answers, 1))
            self.passed_over += 2

    def _that_may_come(self, turn: Turn) -> Iterator[Turn]:
        """That turn, and those the same way that come before anybody does anything that is paid for."""
        if turn.choice.do not in FREE:
            yield turn
            return
        for each in self._turns[self._at :]:
            if each.kind is not None and each.goes_up == turn.goes_up:
                yield each
            if each.choice.do not in FREE or each.cuts_power:
                return

    def _do(self, turn: Turn) -> None:
        packets = self._way(turn)
        match turn.choice.do:
            case "lose":
                packets.pop(0)
            case "delay":
                swap(packets)
            case do if turn.goes_up:
                self.wire.let_up(twice=do.endswith("twice"))
            case do:
                self.wire.let_down(twice=do.endswith("twice"))

    def _way(self, turn: Turn) -> list[Packet]:
        return self.wire.up if turn.goes_up else self.wire.down

    def _let_pass(self, packet: Packet, goes_up: bool) -> None:
        """Let one go of which the schedule does not know, and the answer to it as soon as that stands first."""
        self.besides += 1
        if goes_up:
            if packet.kind in REQUESTS:
                self._besides.append(ANSWERS[packet.kind])
            self.wire.let_up()
        else:
            self.wire.let_down()

    def _let_answers_pass(self) -> None:
        """Before notifications that are held, as on a network that keeps the order of each topic alone."""
        down = self.wire.down
        for packet in [each for each in down if each.kind in self._besides]:
            if packet.kind in self._besides:
                self._besides.remove(packet.kind)
                down.remove(packet)
                down.insert(0, packet)
                self.wire.let_down()

    def _patience(self) -> float:
        """For how long nothing may come: longer where a timer of the device's own must run out first."""
        before = self._turns[self._at - 1].choice.do if self._at else ""
        if self._is_patient and before in ("timer", "lose", "connect"):
            return PATIENCE_SECONDS + self._usual_seconds
        is_held_up = self.wire.up or self.wire.down
        return HOLD_SECONDS + self._gap_seconds if is_held_up else self._usual_seconds

    # ── what is seen ──────────────────────────────────────────────────────────────────────────────────────────

    def _has_seen(self, event: type, job: str | None = None) -> bool:
        """Whether such an event has come since the choice was begun, of that job."""
        job_id = None if job is None else self._job_ids.get(job)
        return any(isinstance(each.event, event) and job_id in (None, _job_of(each)) for each in self._seen)

    async def _until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for it. Raises PartedError. Second by second: one in which this process did not run is one."""
        for _ in range(max(1, round(seconds))):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while True:
                        self._let_answers_pass()
                        if holds():
                            return
                        self._changed.clear()
                        await self._changed.wait()
        raise PartedError(what, f"nothing of it within {seconds:.0f} s{self._there()}")

    def _there(self) -> str:
        held = [packet.kind for packet in (*self.wire.up, *self.wire.down)]
        return f", but {', '.join(held)}" if held else ""

    def _strike(self, moment: str) -> None:
        self._record(FaultStruck(self._thing, moment, "seen", "schedule"))


def is_meant(turn: Turn, packet: Packet) -> bool:
    """Whether that is the packet of a turn: of its kind, or another question for work.

    Answers come in the order of their questions, so that any is meant.
    """
    assert turn.kind is not None, "of a packet"
    if turn.kind in REQUESTS:
        return role_of(packet) == turn.role and (turn.status is None or packet.about.status == turn.status)
    return turn.kind == packet.kind or {turn.kind, packet.kind} <= ANY_ANSWER


def may_stand_for(turn: Turn, packet: Packet) -> bool:
    """Whether it asks for the same, in other words: a report on the way is answered with whether the job stands."""
    return (turn.role, role_of(packet)) == ("question", "report") and packet.about.status == "IN_PROGRESS"


def role_of(packet: Packet) -> Role:
    """What a request is for."""
    return role(packet.kind, packet.about.job_id)


def _job_of(entry: Entry) -> str | None:
    execution = getattr(entry.event, "execution", None)
    return getattr(entry.event, "job_id", None) if execution is None else str(execution.job_id)


class DeskNetwork(ConductedNetwork):
    """Holds what goes from and to the device; what is published while it is away its session keeps, or nobody."""

    def __init__(self, seat: Seat, wire: Wire, *, hears_all: bool, observe: Callable[[CloudEvent], object]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__({seat: wire}, time.monotonic, loop.call_later, hears_all=hears_all, observe=observe)
        self._wire = wire
        self.passes = False
        """Whether nothing is held any more."""

    def carry(self, thing: str, kind: MessageKind, about: About, size: int, travel: Travel) -> bool:
        """Hold it, or let it pass."""
        if self.passes or (kind not in REQUESTS and not self._wire.is_linked):
            travel(ON_TIME, None)
            return True
        return super().carry(thing, kind, about, size, travel)
