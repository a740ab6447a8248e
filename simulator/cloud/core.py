"""The service without any wire: jobs core, device API, registry and control plane, and the clock that drives them.

The local cloud puts listeners around it, the virtual one nothing but function calls.

What takes long, such as the deletion of a big job, is done in slices between which others have their turn. A slice is
bounded by time, publications included, because what an execution costs depends on who listens.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.values import Request
from simulator.cloud.api import Account, CertificateAuthority, ControlPlane
from simulator.cloud.device_api import Answered, DeviceApi, Keeper
from simulator.cloud.faults import Faults
from simulator.cloud.http_settings import HttpSettings
from simulator.cloud.jobs import JobChanged, Jobs, JobsSettings, Outcome
from simulator.cloud.registry import Registry
from simulator.trace import CloudEvent

if TYPE_CHECKING:
    from simulator.cloud.store import Remembered

SLICE_SECONDS: Final = 0.0002
PAUSE_SECONDS: Final = 0.001
"""The least time after a slice, so that what takes long leaves most of a core to others; less is nothing to uvloop."""
PAUSE_FOR_A_SLICE: Final = 4.0
"""So many times as long as the slice before is the pause, if that is more.

Where other processes want the core as well, a slice lasts longer than it computes.
"""
PIECE: Final = 4
"""So many executions between two looks at the clock."""


class CloudCore:
    """`clock` gives epoch seconds; `publish` carries an outcome's hints to whoever listens, after `keeper` has it.

    `slice_seconds`: how long others may have to wait for what takes long; None where nobody waits, as in virtual time.
    `is_behind`: whether what was published has not gone out yet, so that nothing that takes long may publish more.
    `remembered`: what was kept by an earlier one; `resume` goes on with what that left to be done.
    """

    def __init__(
        self,
        settings: JobsSettings,
        clock: Callable[[], float],
        publish: Callable[[Outcome], None],
        observe: Callable[[CloudEvent], None] | None = None,
        faults: Faults | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        keeper: Keeper | None = None,
        slice_seconds: float | None = None,
        remembered: "Remembered | None" = None,
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._keeper = keeper
        self._slice_seconds = slice_seconds
        self._is_behind = is_behind
        self._tick: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._pause_seconds = PAUSE_SECONDS
        self.jobs = Jobs(settings)
        self.registry = Registry(new_id)
        if remembered is not None:
            self.jobs = Jobs.restored(settings, remembered.jobs, remembered.executions, clock())
            for kind, record in remembered.registry:
                self.registry.restore(kind, record)
        if keeper is not None:
            self.registry.watch(keeper.keep_registry)
        self.device_api = DeviceApi(self.jobs, clock, observe, faults, keeper, changed=self._set_tick, new_id=new_id)

    def control_plane(
        self,
        account: Account,
        settings: HttpSettings | None = None,
        authority: CertificateAuthority | None = None,
        files: Path | None = None,
    ) -> ControlPlane:
        """The REST operations on this service."""
        self.device_api.arn = account.arn
        return ControlPlane(
            self.jobs,
            self.registry,
            account,
            self._clock,
            self._carry,
            settings=settings,
            authority=authority,
            files=files,
        )

    def answer(self, thing: str, request: Request, dup: bool = False, late_seconds: float = 0.0) -> Answered:
        """Answer a device that does not ask over MQTT; the hints of what comes of it are published all the same."""
        told = self.device_api.ask(thing, request, dup, None, late_seconds)
        if self._keeper is not None and told.changes:
            self._keeper.keep(told.changes)
        self._publish(Outcome(told.answer, told.changes, told.hints, told.events))
        return told

    def knows(self, thing: str) -> bool:
        """Whether there is such a thing; one that was deleted counts for as long as it has executions."""
        return self.registry.things.get(thing) is not None or bool(self.jobs.executions_of_thing(thing))

    def resume(self) -> None:
        """Go on with what is under way, and do what became due meanwhile."""
        self._set_tick()

    def close(self) -> None:
        """Nothing more is done when it is due."""
        if self._tick is not None:
            self._tick.cancel()

    def _carry(self, outcome: Outcome) -> None:
        """Trace and keep a command's changes, publish its hints, and set the clock for what it left to be done."""
        self._tell(outcome)
        self._set_tick()

    def _tell(self, outcome: Outcome) -> None:
        self.device_api.record(outcome)
        if self._keeper is not None and outcome.changes:
            self._keeper.keep(outcome.changes)
        for change in outcome.changes:
            if type(change) is JobChanged and change.job is None and change.before is not None:
                self.registry.tags.drop(f"job/{change.before.job_id}")
        self._publish(outcome)

    def _set_tick(self) -> None:
        due = self.jobs.next_due()
        if due == self._due:
            return
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        self._due = due
        if due is not None:
            wait = max(self._pause_seconds if self._slice_seconds else 0.0, due - self._clock())
            self._tick = asyncio.get_running_loop().call_later(wait, self._do_due)

    def _do_due(self) -> None:
        self._tick = self._due = None
        if self._is_behind():
            self._set_tick()
        elif self._slice_seconds is None:
            self._carry(self.jobs.tick(self._clock()))
        else:
            self._do_a_slice(self._slice_seconds)

    def _do_a_slice(self, seconds: float) -> None:
        began = time.perf_counter()
        while (due := self.jobs.next_due()) is not None and due <= (now := self._clock()):
            self._tell(self.jobs.tick(now, PIECE))
            if time.perf_counter() - began >= seconds:
                break
        self._pause_seconds = max(PAUSE_SECONDS, PAUSE_FOR_A_SLICE * (time.perf_counter() - began))
        self._set_tick()
