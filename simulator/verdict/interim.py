"""The verdict so far, device by device: each is judged on its own, so it can be looked at while others go on.

    left = interim.begin()
    while left:
        left = interim.look()     # one device more; entries may be fed to the judge in between
    interim.verdict()

What each device is found to be is as of when it was looked at last. If nothing was fed meanwhile, that is the judge's
own verdict.
"""

from simulator.verdict.clocks import Offset
from simulator.verdict.judge import Judge
from simulator.verdict.judged import Kept
from simulator.verdict.model import Verdict


class Interim:
    """Of what `judge` is fed."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._found: dict[str, list[Kept]] = {}
        self._left: list[str] = []
        self._clock: Offset | None = None

    @property
    def has_looked(self) -> bool:
        """Whether every device has been looked at once, without which there is no verdict."""
        return bool(self._found) and len(self._found) == len(self._judge.devices)

    def begin(self) -> int:
        """A round begins: how many devices there are to be looked at; none before the run has begun."""
        self._left = list(reversed(self._judge.devices))
        self._clock = self._judge.clock()
        return len(self._left)

    def look(self) -> int:
        """Look at the next device: how many are left."""
        device = self._left.pop()
        invariants = self._judge.invariants
        clients = enumerate(self._judge.look_at(device, self._clock))
        # Of whoever else uses its name, the requests count, and not where it is.
        self._found[device] = [
            Kept.of(each, invariants, self._judge.places_of(device) if number == 0 else ()) for number, each in clients
        ]
        return len(self._left)

    def verdict(self) -> Verdict:
        """What held so far, as far as devices have been looked at. Raises InputError as `Judge.verdict` does."""
        return self._judge.verdict(self._found)
