"""The device gateway: MQTT as AWS IoT Core speaks it."""

from typing import Final

from simulator.cloud.fidelity.claim import Claim

CLAIMS: Final[tuple[Claim, ...]] = ()
