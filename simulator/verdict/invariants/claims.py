"""What a device says that it has done of an execution, and how far it got: to hold the one against the other."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from agent.values import ExecutionKey
from simulator.verdict.findings import Finding

STEP: Final = "step"
"""The key of statusDetails under which our own agents, and whoever follows them, say at which step they are."""
STEPS: Final = 64
"""So many steps of an execution are remembered."""


class Claim(NamedTuple):
    """A report of success, or a note, that can be held against what was done; it counts once it is accepted.

    `unless_shared`: an execution of which the finding is one only if no other has its identity.
    """

    token: str
    finding: Finding | None
    is_taken: bool = False
    unless_shared: ExecutionKey | None = None


class TakenWork(NamedTuple):
    """An execution that was taken: what `ran` then, whether a step ever began, and those announced that have not.

    `told`: those that were announced, or told of at their beginning, and have begun since the device booted: whoever
    lost the answer to that may say it again. `restarts` may befall a device before it does them. `is_again`: it was
    taken up once more, by a device that did not know it; `is_other`: with another document, so that what was done
    before may have been done for another execution.
    """

    ran: str | None
    digest: str = ""
    has_begun: bool = False
    announced: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    is_again: bool = False
    is_other: bool = False

    def begins(self, step: str) -> "TakenWork":
        """With a step begun."""
        if step not in self.announced:
            return self._replace(has_begun=True)
        left = tuple(each for each in self.announced if each != step)
        return self._replace(has_begun=True, announced=left)._knows(step)

    def announces(self, step: str, *, runs: bool) -> "TakenWork":
        """With a step told of that is to begin, if it neither `runs` nor has begun."""
        if runs or step in self.told:
            return self._knows(step)
        if step in self.restarts:
            return self._replace(has_begun=True)
        return self if step in self.announced else self._replace(announced=(*self.announced, step)[-STEPS:])

    def _knows(self, step: str) -> "TakenWork":
        return self if step in self.told else self._replace(told=(*self.told, step)[-STEPS:])


def announces(details: Mapping[str, str]) -> bool:
    """Whether that tells of a step before it begins, as our own agents do of one that is begun once only."""
    return STEP in details and details.get("progress") == "0"


def may_be_of_another(claim: Claim) -> Finding | None:
    """What is found, where another execution may have the identity of the one that it is about."""
    found = claim.finding
    return found and Finding(
        "undecided", found.job, f"{found.message}; two executions share this identity", found.events
    )
