"""Between two cells: the device is back where it was, or it is found out what brings it back, if anything does.

ready        it was done with the cell's last job, and runs the version that this brought
by-a-job     it did another job, undisturbed
by-restart   its process had to be started again
by-reset     it had to be reset
bricked      none of these
"""

import asyncio
from collections.abc import Callable
from typing import Final

from agent.errors import InputError
from simulator.certify.certificate import Afterwards
from simulator.certify.device import Device
from simulator.certify.means import Means
from simulator.certify.names import Names
from simulator.certify.one_play import DevicePlays, Played
from simulator.controller.hand import Refused
from simulator.scenario import Scenario

CLEARED: Final = frozenset({"ResourceNotFoundException", "InvalidStateTransitionException", "LimitExceededException"})
"""Refusals that stop nothing: it is gone, or on its way, or so many others are that it has to wait for the end."""
LIVE: Final = frozenset({"IN_PROGRESS", "SCHEDULED"})
"""States of a job of which a device may still take something."""


class Baseline:
    """`undisturbed` makes a scenario of one job that nobody disturbs.

    `waits` is told what is being tried, since each may take minutes.
    """

    def __init__(
        self,
        means: Means,
        device: Device,
        names: Names,
        plays: DevicePlays,
        undisturbed: Callable[[], Scenario],
        waits: Callable[[str], None],
    ) -> None:
        self._desk, self._sampling = means.desk, means.sampling
        self._device = device
        self._version_of = names.version_of
        self._plays = plays
        self._undisturbed = undisturbed
        self._waits = waits
        self.is_charged = False
        """Whether it is held against the device that the last of these jobs was not done."""

    def wrong(self, played: Played) -> str | None:
        """What is wrong with the device after a play; None if nothing is."""
        last = played.scenario.jobs[-1].id
        if not played.last_job_succeeded:
            return f"job {last}, with which it ends, is {played.ended.get(last, 'not taken')}"
        if self._sampling is None:
            return None
        sample, expected = self._sampling.last, self._version_of(last)
        if sample.alive is False:
            return f"the probe finds it dead: {sample.why}"
        if self._plays.runs is not None and expected is not None and sample.version != expected:
            return f"it runs {sample.version or 'an unknown version'}, and job {last} brought {expected}"
        return None

    async def bring_back(self, played: Played) -> Afterwards:
        """Leave the device as a play should find it. Raises InputError."""
        await self._clear(played.scenario)
        why = self.wrong(played)
        if why is None:
            return Afterwards(left="ready")
        self._waits(f"is not back at work: {why}; it is given another job")
        if await self._does_a_job("by-a-job"):
            return Afterwards(left="by-a-job", why=why)
        if self._device.can_restart:
            self._waits("does not do that either; it is started again, and given another job")
            try:
                await self._device.stop()
            finally:  # also who is interrupted leaves nobody's device without power
                await asyncio.shield(self._device.start())
            if await self._does_a_job("by-restart"):
                return Afterwards(left="by-restart", why=why)
        if self._device.can_reset:
            self._waits("does not do that either; it is reset, and given another job")
            await self._device.reset()
            if await self._does_a_job("by-reset"):
                return Afterwards(left="by-reset", why=why)
        return Afterwards(left="bricked", why=why)

    async def _does_a_job(self, how: str) -> bool:
        played = await self._plays.play(self._undisturbed(), f"baseline/{how}")
        await self._clear(played.scenario)
        self.is_charged = played.verdict.outcome == "failed"
        return self.wrong(played) is None

    async def _clear(self, scenario: Scenario) -> None:
        """Nothing of a play is left for the device to take."""
        hand = self._desk.hand()
        for job_id, job in {job.id: job for job in scenario.jobs}.items():
            try:
                if (await hand.describe_job(job_id))["status"] in LIVE:
                    await hand.delete_job(job_id, force=True, namespace_id=job.namespace, by=job.by)
            except Refused as refused:
                if refused.code not in CLEARED:
                    raise InputError(f"job {job_id}: cannot be cleared away: {refused}") from None
