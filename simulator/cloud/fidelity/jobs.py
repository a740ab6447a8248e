"""Jobs and executions: states, timers, rollouts, aborts, retries, schedules."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim

CLAIMS: Final[tuple[Claim, ...]] = ()
