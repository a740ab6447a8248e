"""An OTA agent that waits for ever for an answer that was lost.

Source: aws/amazon-freertos issue 875: the request for the next job had left, MQTT had acknowledged it, the answer never
came, and no timer of the agent's own was there to notice. Whatever else comes in meanwhile is not what it waits for.

So after one lost or refused answer it leaves every job where it is (no-lost-job) until it reconnects or restarts. The
rest is what every OTA agent breaks.
"""

from typing import Final

from agent.core.state import Asked
from agent.values import Describe, Hint, Rejected
from simulator.devices.models.field.device import Memory, stepping
from simulator.devices.models.field.ota_agent import BREAKS, OtaAgent
from simulator.devices.models.model import Model


class WaitsForEver(OtaAgent[Memory]):
    """Amazon FreeRTOS in 2019."""

    def on_hint(self, hint: Hint) -> None:
        """Not what it waits for, if it waits."""
        asked = self.memory.asked
        if asked is None or not isinstance(asked.question, Describe):
            OtaAgent.on_hint(self, hint)

    def on_lost(self, asked: Asked) -> None:
        """There is no timer that could notice."""

    def on_refused_for_now(self, asked: Asked, answer: Rejected) -> None:
        """No job document, so it waits on."""


MODEL: Final = Model(stepping(WaitsForEver), Memory, BREAKS | {"no-lost-job"})
