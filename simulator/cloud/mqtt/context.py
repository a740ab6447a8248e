"""What all parts of one broker share: its settings, the time, what stands behind it, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from simulator.cloud.mqtt.commit_barrier import CommitBarrier
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.network import Network, Passage, Unheard
from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.reserved_topics import ReservedTopics
from simulator.cloud.mqtt.scheduler import Scheduler
from simulator.cloud.mqtt.session import Session
from simulator.cloud.notices.refusals import Notice, Tell, tell_nobody
from simulator.cloud.notices.strangers import Strangers

Arrive: TypeAlias = Callable[[Passage], object]
"""Does what a message brings about that arrives."""


@dataclass(slots=True, eq=False)
class BrokerContext:
    """`now` is the time as of the last thing that came in, in seconds of the clock that is given to the broker."""

    service: ReservedTopics
    settings: GatewaySettings
    scheduler: Scheduler
    network: Network | None = None
    """What a scenario wants of the network; None: messages arrive."""
    tell: Tell = tell_nobody
    """What clients did not get."""
    now: float = 0.0
    commits: CommitBarrier = field(default_factory=CommitBarrier)
    strangers: Strangers = field(default_factory=Strangers)
    unheard: dict[Unheard, None] = field(default_factory=dict)
    """Clients whose CONNECT was not answered, as their network is dead."""
    persistence: Persistence | None = None
    """What outlives the process is noted there; None: nothing does."""

    def has_come(self, now: float) -> None:
        """That is the time now; it never goes back."""
        if now > self.now:
            self.now = now

    @property
    def noted(self) -> int:
        """How many changes there were of what outlives the process."""
        return 0 if self.persistence is None else self.persistence.noted

    def note(self, session: Session) -> None:
        """A session changed, which matters if it lasts."""
        if self.persistence is not None:
            self.persistence.changed(session)

    def tell_lost(self, session: Session, principal: str = "", address: str = "") -> None:
        """Have told which messages a session had to give up."""
        for code, message, why in session.take_lost():
            self.tell(Notice(code, "iot:Receive", f"topic/{message.topic}", why, session.client_id, principal, address))

    def carry(
        self,
        network: Network,
        topic: str,
        payload: bytes,
        arrive: Arrive,
        client_id: str | None = None,
        answer: bytes = b"",
    ) -> None:
        """Do what a message on a reserved topic brings about, as the network has it (see `Network.carry_topic`)."""
        network.carry_topic(topic, payload, partial(self._travel, arrive), client_id, answer)

    def _travel(
        self, arrive: Arrive, delays: tuple[float, ...], held_seconds: float | None, again: bool = False
    ) -> None:
        for number, late in enumerate(delays):
            passage = Passage(late + (held_seconds or 0.0), again or number > 0, held_seconds is not None)
            if late:
                self.scheduler.at(self.now + late, partial(arrive, passage))
            else:
                arrive(passage)
