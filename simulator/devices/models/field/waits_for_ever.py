"""An OTA agent that waits for ever for an answer that was lost.

Source: aws/amazon-freertos issue 875: the request for the next job had left, MQTT had acknowledged it, the answer never
came, and no timer of the agent's own was there to notice. Whatever else comes in meanwhile waits behind that answer.

So after one lost or refused answer it leaves every job where it is (no-lost-job) until it reconnects or restarts. The
rest is what every OTA agent breaks.
"""

from dataclasses import dataclass
from typing import Final

from agent.values import Answer, Describe, Hint, NextChanged, Rejected
from simulator.devices.models.asker import Question
from simulator.devices.models.field.agent import Memory, stepping
from simulator.devices.models.field.ota_agent import BREAKS, OtaAgent
from simulator.devices.models.model import Model


@dataclass(frozen=True, slots=True)
class WaitingMemory(Memory):
    """`unread` is the newest notification that came while it waited."""

    unread: NextChanged | None = None


class WaitsForEver(OtaAgent[WaitingMemory]):
    """Amazon FreeRTOS in 2019."""

    def on_connected(self) -> None:
        """What came before counts no more."""
        self.set(unread=None)
        OtaAgent.on_connected(self)

    def on_hint(self, hint: Hint) -> None:
        """Not what it waits for, if it waits."""
        asked = self.state.asked
        if asked is None or not isinstance(asked.question, Describe):
            OtaAgent.on_hint(self, hint)
        elif isinstance(hint, NextChanged):
            self.set(unread=hint)

    def on_told(self, asked: Question, answer: Answer) -> None:
        """The answer, and then what waited behind it."""
        unread = self.state.unread
        self.set(unread=None)
        OtaAgent.on_told(self, asked, answer)
        if unread is not None:
            self.on_hint(unread)

    def on_lost(self, asked: Question) -> None:
        """There is no timer that could notice."""

    def on_refused_for_now(self, asked: Question, answer: Rejected) -> None:
        """No job document, so it waits on."""


MODEL: Final = Model(stepping(WaitsForEver), WaitingMemory, BREAKS | {"no-lost-job"})
