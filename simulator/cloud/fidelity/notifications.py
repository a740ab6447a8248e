"""Notifications: which change publishes which, and what they look like."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim

CLAIMS: Final[tuple[Claim, ...]] = ()
