"""The control plane: operations, their fields, errors and statuses."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim

CLAIMS: Final[tuple[Claim, ...]] = ()
