"""Events and quotas."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim

CLAIMS: Final[tuple[Claim, ...]] = ()
