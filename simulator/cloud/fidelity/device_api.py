"""The device API over MQTT: requests, answers, error codes."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim

CLAIMS: Final[tuple[Claim, ...]] = ()
