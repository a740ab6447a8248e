"""Topics and namespaces: what a topic means, and who hears of a namespace's jobs."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim

CLAIMS: Final[tuple[Claim, ...]] = ()
