"""What all parts of one broker share: its settings, the time, what stands behind it, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from simulator.cloud.mqtt.commit_barrier import CommitBarrier
from simulator.cloud.mqtt.limits import GatewaySettings
from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.reserved_topics import ReservedTopics
from simulator.cloud.mqtt.scheduler import Scheduler
from simulator.cloud.mqtt.session import Session
from simulator.cloud.notices.refusals import Notice, Tell, tell_nobody
from simulator.cloud.notices.strangers import Strangers

Lateness: TypeAlias = Callable[[str, bytes], tuple[float, ...]]
"""What a scenario wants of the network: for a message on a reserved topic, how late each copy of it arrives.

Of an answer, the payload given is that of its request.
"""


@dataclass(slots=True, eq=False)
class BrokerContext:
    """`now` is the time as of the last thing that came in, in seconds of the clock that is given to the broker."""

    service: ReservedTopics
    settings: GatewaySettings
    scheduler: Scheduler
    lateness: Lateness | None = None
    tell: Tell = tell_nobody
    """What clients did not get."""
    now: float = 0.0
    commits: CommitBarrier = field(default_factory=CommitBarrier)
    strangers: Strangers = field(default_factory=Strangers)
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

    def carry(self, topic: str, payload: bytes, act: Callable[[float, bool], None]) -> None:
        """Do what a message on a reserved topic brings about: at once, or as the faults of the network have it.

        `act` is told how late it is, and whether this copy is not the first.
        """
        for number, late in enumerate((0.0,) if self.lateness is None else self.lateness(topic, payload)):
            if late:
                self.scheduler.at(self.now + late, partial(act, late, number > 0))
            else:
                act(late, number > 0)
