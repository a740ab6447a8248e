"""The service without any wire: jobs core, device API, registry and control plane, and the clock that drives them.

The local cloud puts listeners around it, the virtual one nothing but function calls.
"""

import asyncio
import uuid
from collections.abc import Callable

from simulator.cloud.api import Account, ControlPlane
from simulator.cloud.device_api import DeviceApi, Keeper
from simulator.cloud.faults import Faults
from simulator.cloud.jobs import Jobs, JobsSettings, Outcome
from simulator.cloud.registry import Registry
from simulator.trace import CloudEvent


class CloudCore:
    """`clock` gives epoch seconds; `publish` carries an outcome's hints to whoever listens, after `keeper` has it."""

    def __init__(
        self,
        settings: JobsSettings,
        clock: Callable[[], float],
        publish: Callable[[Outcome], None],
        observe: Callable[[CloudEvent], None] | None = None,
        faults: Faults | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        keeper: Keeper | None = None,
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._keeper = keeper
        self._tick: asyncio.TimerHandle | None = None
        self.jobs = Jobs(settings)
        self.registry = Registry(new_id)
        self.device_api = DeviceApi(self.jobs, clock, observe, faults, keeper)

    def control_plane(self, account: Account) -> ControlPlane:
        """The REST operations on this service."""
        return ControlPlane(self.jobs, self.registry, account, self._clock, self._carry)

    def close(self) -> None:
        """Nothing more is done when it is due."""
        if self._tick is not None:
            self._tick.cancel()

    def _carry(self, outcome: Outcome) -> None:
        """Trace and keep a command's changes, publish its hints, and set the clock for what it left to be done."""
        self.device_api.record(outcome)
        if self._keeper is not None and outcome.changes:
            self._keeper.keep(outcome.changes)
        self._publish(outcome)
        self._set_tick()

    def _set_tick(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
        due = self.jobs.next_due()
        if due is not None:
            self._tick = asyncio.get_running_loop().call_later(max(0.0, due - self._clock()), self._do_due)

    def _do_due(self) -> None:
        self._tick = None
        self._carry(self.jobs.tick(self._clock()))
