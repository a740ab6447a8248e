"""What was done to a device that is not ours, so that it could break what it is judged by; and whether it went on.

Such a device does not tell what it was told. That it read an answer is certain only if it took it, and then asked for
something else: which of the two comes first is a race between its own threads. So is whether it reports before it hears
that its job is gone, and whether it is done with it by then. Counted by what it was told, the same device would be held
to an invariant in one play and not in the next. What was done to it is the same each time:

    taken     an execution that it had begun was removed, or its job's deletion began, or the service ended it
    overcome  one was removed, or its job's deletion began, and the device began another after that one
    struck    a message of it, or for it, was lost, doubled, refused for the moment, or its connection cut with it

The first two are in the records of executions: see `simulator.verdict.lives`. A violation needs proof that it had read
the answer, all the same. Whoever went on so often that it would be one, had he surely read it, is held to nothing: of
him it is not known.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from agent.device_events import RequestKind
from agent.values import NEXT
from simulator.trace import FaultStruck, RequestAnswered, RequestReceived
from simulator.verdict.frozen import EMPTY, Map
from simulator.verdict.heard import end_in, permanent
from simulator.verdict.limits import Limits
from simulator.verdict.seen import Seen
from simulator.verdict.state import State

Refusal: TypeAlias = Literal["gone", "over", "for-good"]
"""An answer that an execution is gone; that it is over, which its own report may have been; any that does not pass."""

REFUSED: Final = 64
"""So many requests and jobs are remembered of which something was refused."""
DISTURBS: Final = frozenset({"lose", "duplicate", "cut", "throttle", "fail"})
"""What a network does that makes a device ask again."""


class Put(NamedTuple):
    """A request about a job, whatever its token, its details and the client; None for what is left open."""

    namespace_id: str | None
    job_id: str | None
    request: RequestKind | None = None
    status: str | None = None
    expected_version: int | None = None

    @classmethod
    def of(cls, asked: RequestReceived) -> "Put":
        """What was asked."""
        return cls(asked.namespace_id, asked.job_id, asked.request, asked.status, asked.expected_version)


class Again(NamedTuple):
    """How often it was put once more, and refused once more; when first and when last, in microseconds."""

    times: int = 0
    first: int = 0
    last: int = 0

    def at(self, at: int) -> "Again":
        """And now."""
        return Again(self.times + 1, self.first if self.times else at, at)


@dataclass(slots=True, unsafe_hash=True)
class Occasions(State):
    """How often it was `struck`, how it goes on with what it was refused, and with which refusals it did too often."""

    struck: int = 0
    put: Put | None = None
    again: Map[tuple[Refusal, Put], Again] = EMPTY
    went_on: tuple[Refusal, ...] = ()

    def strikes(self, fault: FaultStruck) -> None:
        """A fault struck a message of it."""
        self.struck += fault.do in DISTURBS

    def after(self, seen: Seen[RequestReceived | RequestAnswered], limits: Limits) -> None:
        """With the next entry; an answer follows its request at once."""
        mark, event = seen
        if isinstance(event, RequestReceived):
            self.put = Put.of(event)
            return
        put, self.put = self.put, None
        if put is None or put.request is None or put.job_id in (None, NEXT):
            return
        if event.accepted:  # there is one of that name now: what was refused before it is another matter
            self.again = self.again.only(lambda which, _: which[1][:2] != put[:2])
        for refusal in _refusals(event, put.request):
            self._goes_on(refusal, put, mark.at, limits)

    def _goes_on(self, refusal: Refusal, put: Put, at: int, limits: Limits) -> None:
        """Whoever was told that a job is over goes on by any update, else by the same request."""
        which = refusal, put if refusal == "for-good" else Put(*put[:2])
        known = self.again.get(which)
        if known is None:
            self.again = self.again.put(which, Again(), REFUSED)
        elif refusal == "for-good" or put.request == "update":
            known = known.at(at)
            self.again = self.again.put(which, known)
            if refusal not in self.went_on and limits.is_proof(*known):
                self.went_on = (*self.went_on, refusal)


def _refusals(answer: RequestAnswered, request: RequestKind) -> tuple[Refusal, ...]:
    if answer.accepted or permanent(answer.code) is None:
        return ()
    match end_in(answer.code, answer.status, request):
        case "gone":
            return "for-good", "over", "gone"
        case None:
            return ("for-good",)
        case _:
            return "for-good", "over"
