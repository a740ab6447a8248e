"""The service without any wire: jobs core, device API, registry and control plane, and the clock that drives them.

The local cloud puts listeners around it, the virtual one nothing but function calls.

What takes long, such as the deletion of a big job or a new query of a dynamic group, is done in slices between which
others have their turn. A slice is bounded by time, publications included, because what an execution costs depends on
who listens.

Two clocks drive it. Everybody is told the time of day, which may jump; what lasts, such as a deletion or a timer, lasts
as long by the steady clock. The core knows one time, and is told when the time of day has jumped (`ClockMoved`).
A machine that was suspended looks the same: for what lasts, no time has passed there.
"""

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from agent.log import get_logger
from agent.values import Request
from simulator.cloud.api import Backing, ControlPlane, Membership
from simulator.cloud.api.membership import STEP
from simulator.cloud.arns import AccountRegion
from simulator.cloud.contained import contained
from simulator.cloud.device_api.network import Network
from simulator.cloud.device_api.service import AnsweredRequest, DeviceApi, Keeper
from simulator.cloud.jobs import JobChanged, Jobs, JobsSettings, Outcome, TransactionFailed
from simulator.cloud.jobs.commands import ClockMoved
from simulator.cloud.pace import Pace
from simulator.cloud.registry import Registry
from simulator.trace import CloudEvent

if TYPE_CHECKING:
    from simulator.cloud.store import Remembered

PIECE: Final = 4
"""So many executions between two looks at the clock."""
AFTER_A_FAULT_SECONDS: Final = 1.0
"""The pause after a slice that did not come to its end: the next one is tried, and not at once for ever."""
MOVED_SECONDS: Final = 0.5
"""By how much the time of day must differ from what the steady clock has it to have jumped; times are told in seconds.

A clock that is put right slowly gets there in a quarter of an hour, and is a jump then.
"""
LOOK_SECONDS: Final = 10.0
"""How long at most nobody looks at the time of day while something is due: where it jumps ahead, schedules begin."""
UNKNOWN: Final = float("-inf")
"""When the tick is due while it is not known yet."""
_log = get_logger("ghostjob.cloud")


class CloudCore:
    """`clock` gives epoch seconds; `publish` carries an outcome's hints to whoever listens, after `keeper` has it.

    `steady` gives seconds that never jump; None where `clock` does not either. `account` is whose service it is.
    `pace` is that of what takes long, for which others wait; None where nobody waits, as in virtual time.
    `is_behind`: whether what was published has not gone out yet, so that nothing that takes long may publish more.
    `remembered`: what was kept by an earlier one; `resume` goes on with what that left to be done.
    """

    def __init__(
        self,
        settings: JobsSettings,
        clock: Callable[[], float],
        publish: Callable[[Outcome], None],
        observe: Callable[[CloudEvent], None] | None = None,
        network: Network | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        keeper: Keeper | None = None,
        pace: Pace | None = None,
        remembered: "Remembered | None" = None,
        steady: Callable[[], float] | None = None,
        account: AccountRegion | None = None,
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._ahead = 0.0 if steady is None else clock() - steady()
        self._account = account or AccountRegion()
        self._publish = publish
        self._pace = pace
        self._is_behind = is_behind
        self._tick: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._after_a_fault = 0.0
        self.jobs = Jobs(settings)
        self.registry = Registry(new_id)
        if remembered is not None:
            self.jobs = Jobs.restored(settings, remembered.jobs, remembered.executions, clock(), remembered.news)
            self._tell_begun_anew()
            for kind, record in remembered.registry:
                self.registry.restore(kind, record)
        if keeper is not None:
            self.registry.watch(keeper.keep_registry)
            self.jobs.keep = keeper.keep
        arn = self._account.arn
        self.device_api = DeviceApi(
            self.jobs, self.now, observe, network, keeper, changed=self._set_tick, new_id=new_id, arn=arn
        )
        self._membership = Membership(self.jobs, self.registry, arn, self.now, self._tell)
        self._members_at = 0.0
        self._is_by_hand = False

    def backing(self) -> Backing:
        """What the REST operations work on."""
        return Backing(self.jobs, self.registry, self._account, self.now, self._carry)

    def control_plane(self) -> ControlPlane:
        """The REST operations on this service."""
        return ControlPlane(self.backing())

    def answer(self, thing: str, request: Request, dup: bool = False, late_seconds: float = 0.0) -> AnsweredRequest:
        """Answer a device that does not ask over MQTT; the hints of what comes of it are published all the same."""
        told = self.device_api.ask(thing, request, dup, None, late_seconds)
        contained("publishing", self._publish, Outcome(told.answer, told.changes, told.hints, told.events))
        return told

    def knows(self, thing: str) -> bool:
        """Whether there is such a thing; one that was deleted counts for as long as it has executions."""
        return self.registry.things.get(thing) is not None or self.jobs.has_executions(thing)

    def resume(self) -> None:
        """Go on with what is under way, and do what became due meanwhile."""
        self._membership.resume()
        self._set_tick()

    def go_by_hand(self, clock: Callable[[], float]) -> None:
        """From now on `clock` gives the time, and what is due is done by `do_due` alone."""
        self.close()
        self._clock, self._steady, self._tick, self._is_by_hand = clock, None, None, True

    def stand_still(self) -> None:
        """From now on what is due is done by `do_due` alone, until it is to go on by itself again."""
        self.close()
        self._tick, self._due, self._is_by_hand = None, UNKNOWN, True

    def go_on(self) -> None:
        """Do what is due by itself, and what became so meanwhile."""
        self._is_by_hand = False
        self._set_tick()

    def do_due(self, at: float, executions: int | None = None) -> None:
        """Do what is due by then, in epoch seconds: so many executions, None for all."""
        self._tell(self.jobs.tick(at, executions))

    def close(self) -> None:
        """Nothing more is done when it is due."""
        if self._tick is not None:
            self._tick.cancel()

    def now(self) -> float:
        """Epoch seconds. What lasts is told here if they have jumped."""
        wall = self._clock()
        if self._steady is not None and abs(wall - self._steady() - self._ahead) >= MOVED_SECONDS:
            self._look_at_both_clocks()
            wall = self._clock()
        return wall

    def _look_at_both_clocks(self) -> None:
        assert self._steady is not None, "there are two"
        while True:
            before, ahead = self._steady(), self._clock()
            ahead -= before
            if self._steady() - before < MOVED_SECONDS / 2:  # or this process did not run in between
                break
        moved, self._ahead = ahead - self._ahead, ahead
        if abs(moved) < MOVED_SECONDS:
            return
        _log.warning("clock.moved", seconds=round(moved, 3), why="what lasts goes on lasting as long as it would have")
        self.jobs.do(ClockMoved(moved), self._clock())
        self._due, self._members_at = UNKNOWN, 0.0
        self._set_tick()

    def _tell_begun_anew(self) -> None:
        if self.jobs.begun_anew:
            why = "the time of day is before that of the records, or more than a week after: what lasts begins anew"
            _log.warning("clock.disbelieved", records=self.jobs.begun_anew, why=why, hint="is the clock right?")

    def _carry(self, outcome: Outcome) -> None:
        """Trace what a command changed, publish its hints, and set the clock for what it left to be done."""
        self._tell(outcome)
        contained("setting the clock", self._set_tick)

    def _tell(self, outcome: Outcome) -> None:
        for failure in outcome.failures:
            self._tell_failure(failure)
        contained("tracing", self.device_api.record, outcome)
        for change in outcome.changes:
            if type(change) is JobChanged and change.job is None and change.before is not None:
                contained("dropping tags", self.registry.tags.drop, f"job/{change.before.job_id}")
        contained("publishing", self._publish, outcome)

    def _tell_failure(self, failure: TransactionFailed) -> None:
        _log.error(
            "transaction.failed",
            job_id=failure.job_id,
            thing=failure.thing,
            account=self._account.account_id,
            region=self._account.region,
            again_in_seconds=failure.pause_seconds,
            exc_info=failure.error,
        )

    def _next_due(self) -> float | None:
        """When there is something to do, 0 if at once; None if nothing waits."""
        due = self.jobs.next_due()
        if self._membership.is_under_way:
            return self._members_at if due is None else min(due, self._members_at)
        return due

    def _find_members(self) -> None:
        if self._membership.is_under_way and self._members_at <= (now := self.now()):
            is_done = contained("finding members", self._membership.go_on, STEP)
            self._members_at = 0.0 if is_done else now + AFTER_A_FAULT_SECONDS

    def _set_tick(self) -> None:
        due = self._next_due()
        if due == self._due or self._is_by_hand:
            return
        wait = None if due is None else self._wait(due)
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        self._due = due
        if wait is not None:
            self._tick = asyncio.get_running_loop().call_later(wait, self._do_due)

    def _wait(self, due: float) -> float:
        """Seconds until the next slice."""
        pause = 0.0 if self._pace is None else self._pace.pause_seconds
        wait = max(pause, self._after_a_fault, due - self._clock())
        wait = wait if self._steady is None else min(wait, LOOK_SECONDS)
        if self._pace is not None:
            self._pace.want(wait)
        return wait

    def _do_due(self) -> None:
        # Set again before anything is done, and for the right time after it.
        self._tick, self._due = asyncio.get_running_loop().call_later(AFTER_A_FAULT_SECONDS, self._do_due), UNKNOWN
        is_done = contained("what is due", self._do_a_slice)
        self._after_a_fault = 0.0 if is_done else AFTER_A_FAULT_SECONDS
        contained("setting the clock", self._set_tick)

    def _do_a_slice(self) -> None:
        if self._is_behind():
            return
        pace = self._pace
        if pace is None:
            while self._membership.is_under_way and self._members_at <= self.now():
                self._find_members()
            self._tell(self.jobs.tick(self.now()))
            return
        pace.begin()
        while (due := self._next_due()) is not None and due <= (now := self.now()):
            self._find_members()
            self._tell(self.jobs.tick(now, PIECE))
            if pace.is_spent():
                break
        pace.end()
