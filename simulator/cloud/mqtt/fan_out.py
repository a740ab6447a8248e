"""Giving a message to very many without keeping the loop from others.

A publication that few hear is delivered at once. One that many hear is owed to each of them, and given to one after the
other in turns, between which others have theirs. What is owed to a session is given to it before anything newer is, so
nothing changes its order for any client: not messages, nor answers among them. What is owed of QoS 1 counts as what
waits: it is written down with its session before anybody is told that it was taken.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from simulator.cloud.mqtt.scheduler import Act, Scheduler
from simulator.cloud.mqtt.session import Message, Session

AT_ONCE: Final = 32
"""So many get a message at once, which takes a quarter of a millisecond; were there more, all of them are owed it."""
MOST_OWED: Final = 1000
"""Messages to one session; the oldest goes then, as where a queue is full. Each takes eight bytes, beside the message
itself, which is one for all."""
BEHIND: Final = 4096
"""With more owed than this in all, some 30 ms of work, whoever has more to publish waits until less is."""


class Owed(NamedTuple):
    """A message to deliver, once the commit `after` is done; `qos` is what the session is granted of it."""

    message: Message
    qos: int
    after: int


class FanOut:
    """Who is owed what; a session is that of a client, or the queue of a group. `give` gives it, `lose` tells of what
    is too much; `at_once` is how many may get a message at once."""

    def __init__(
        self,
        scheduler: Scheduler,
        give: Callable[[Session, Owed], None],
        lose: Callable[[Session, Owed], None],
        at_once: int = AT_ONCE,
    ) -> None:
        self._scheduler = scheduler
        self.at_once = at_once
        self._give = give
        self._lose = lose
        self.owed: dict[Session, list[Owed]] = {}
        """By whom it is owed to; for others to look at."""
        self._count = 0
        self.promised = 0
        """How often a message was owed to somebody: who sees it grow has published to many."""
        self._patient: deque[Act] = deque()

    @property
    def is_behind(self) -> bool:
        """Whether so much is owed that nobody should publish more."""
        return self._count > BEHIND

    def when_caught_up(self, act: Act) -> None:
        """Have `act` called once it is not behind any more."""
        self._patient.append(act)
        self._go_on()

    def owe(self, session: Session, owed: Owed) -> None:
        """Have a message given to a session when it is its turn; the oldest goes if it is owed too many."""
        mine = self.owed.setdefault(session, [])
        if len(mine) >= MOST_OWED:
            self._lose(session, mine.pop(0))
            self._count -= 1
        mine.append(owed)
        self._count += 1
        self.promised += 1
        self._go_on()

    def owe_again(self, session: Session, several: list[Owed]) -> None:
        """Have messages given that another had and gave back; there were no more before, and so none goes."""
        self.owed.setdefault(session, []).extend(several)
        self._count += len(several)
        self._go_on()

    def settle(self, session: Session) -> None:
        """Give a session what it is owed, now."""
        if session in self.owed:
            for owed in self.take(session):
                self._give(session, owed)

    def take(self, session: Session) -> list[Owed]:
        """What a session is owed; it is not any more."""
        mine = self.owed.pop(session, [])
        self._count -= len(mine)
        return mine

    def waiting(self, session: Session) -> Iterator[Message]:
        """What of QoS 1 is owed to a session, in order."""
        return (owed.message for owed in self.owed.get(session, ()) if owed.qos)

    def _go_on(self) -> None:
        if self.owed or self._patient:
            self._scheduler.soon(self._turn)

    def _turn(self) -> None:
        ends, stopwatch = self._scheduler.turn_ends(), self._scheduler.stopwatch
        try:
            while self.owed:
                self._give_until(next(iter(self.owed)), ends)
                if stopwatch() >= ends:
                    break
            while self._patient and not self.is_behind:
                self._patient.popleft()()
                if stopwatch() >= ends:
                    break
        finally:
            self._go_on()  # whatever became of this turn

    def _give_until(self, session: Session, ends: float) -> None:
        """Give a session what it is owed; what is left when the turn ends goes in another."""
        mine, given = self.take(session), 0
        try:
            for owed in mine:
                given += 1
                self._give(session, owed)
                if self._scheduler.stopwatch() >= ends:
                    break
        finally:
            if given < len(mine):
                self.owed[session] = mine[given:]
                self._count += len(mine) - given
