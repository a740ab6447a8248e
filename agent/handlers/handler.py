"""Between the workbench and what it works with: a handler does the steps of one or more actions on a real machine.

Handlers are plug-ins. A package offers one under the name of the action that it does:

    [project.entry-points."ghostjob.handlers"]
    write = "my_board:Flash"            # Flash(context) is called once, whatever number of actions name it
    calibrate = "my_board:Calibrate"    # an action of its own, which documents name as an operation or a handler

Ours are there in the same way, and give way to those of another package.

The agent may be killed at any instant, and begins the interrupted step again when it is back. So `do` finds its way
from wherever an earlier attempt stood, and `undo` takes back what was done, be it whole, half or nothing; both may be
cancelled at every await. What must be known then, a handler writes into `task.aside`, a directory of the execution's
own that lasts until its end is on record.
"""

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.abilities import Layout
from agent.causes import Cause
from agent.errors import GhostjobError
from agent.plan import Step
from agent.values import ExecutionKey, details_text


class StepError(GhostjobError):
    """The step cannot be done; the message stands in the report as the reason, and the cause beside it."""

    def __init__(self, reason: str, cause: Cause = Cause.STEP_FAILED) -> None:
        super().__init__(reason)
        self.cause = cause


class NotBegunError(StepError):
    """The step is not begun, and nothing was touched: what was done before can still be taken back."""


class UnknownOperationError(NotBegunError):
    """Nobody here knows what the document asks for, so that the job can still be rejected if this is its first step."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, Cause.UNKNOWN_OPERATION)


class StaleDocumentError(GhostjobError):
    """What the document told holds no more, such as a presigned URL that expired: ask for it again, and go on."""


@dataclass(frozen=True, slots=True)
class Context:
    """What handlers are given of the machine. Times are seconds; an empty command stands for nothing to be done.

    Files that a document names lie below `root`, the scripts that it may start in `scripts`. `state` is ours.
    `restart_agent` makes the agent replace itself; that is what `reboot` does if it is empty.
    """

    thing: str
    state: Path
    root: Path
    scripts: Path
    version: str = "factory"
    """What the machine runs before the first update."""
    restart: tuple[str, ...] = ()
    reboot: tuple[str, ...] = ()
    self_test: tuple[str, ...] = ()
    longest_file_bytes: int = 1 << 30
    run_seconds: float = 600.0
    run_memory_bytes: int = 1 << 30
    """The data of each process of a program that a document names."""
    run_output_bytes: int = 64 << 20
    """What any program may write to stdout, or to stderr, before it is ended."""
    check_seconds: float = 10.0
    check_memory_bytes: int = 256 << 20
    """What it may take to see whether a configuration file can be read."""
    grace_seconds: float = 5.0
    """Between SIGTERM and SIGKILL."""
    restart_agent: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class StepTask:
    """One step to do or to undo; `index` is its place in the plan.

    `progress` takes percents, and `waiting` why the step does not get on at the moment, both as often as is liked: they
    are told in the log and to the service as often as is good for these.
    """

    execution: ExecutionKey
    index: int
    step: Step
    version: str
    aside: Path
    progress: Callable[[int], None] = lambda percent: None
    waiting: Callable[[Cause, str], None] = lambda cause, reason: None

    def arg(self, name: str, default: str = "") -> str:
        """What the document says of `name`."""
        return dict(self.step.args).get(name, default)


class Handler(Protocol):
    """Does steps. Subclasses need not say what they have nothing to say about."""

    async def do(self, task: StepTask) -> str:
        """Do the step; what is returned is told in the report.

        Raises StepError, UnknownOperationError, StaleDocumentError, OSError.
        """

    async def undo(self, task: StepTask) -> None:
        """Take the step back. Raises StepError, OSError."""

    reversible: bool = True
    """Whether `undo` can take it back; for actions of plug-ins only, the others' plans know.

    One that cannot is begun again only by an agent that remembers it; if the journal is lost, the job fails.
    """

    def pending(self, asides: Sequence[Path]) -> tuple[str, ...]:
        """In words, what is half done of the executions that `asides` belong to: nothing of it may be left at rest."""
        return ()

    async def settle(self, aside: Path) -> None:
        """The end of the execution is on record: drop what was kept, except for `aside` itself, which goes next."""


class Firmware(Handler, Protocol):
    """Does `write`, `switch`, `self-test` and `commit`, and knows what runs. `layouts` are those that it can be."""

    layouts: frozenset[Layout]

    def booted(self, rebooted: bool) -> tuple[str, bool]:
        """What runs, and whether it is on trial; called once, when the agent begins."""

    def revert(self) -> bool:
        """See to it that the next boot falls back, if what runs is on trial; says whether that boot is yet to come."""

    def sweep(self) -> None:
        """Nothing is in hand as the agent begins: drop what nobody will finish, but not what runs, be it on trial."""

    @property
    def unproven(self) -> bool:
        """Whether there is an image that was written and never committed, be it on trial.

        Who cannot say so does not tell firmware that fell back from firmware that was committed, if the versions agree.
        """
        return False

    @property
    def bootable(self) -> bool:
        """Whether the machine would come up again if it were switched off now."""


def reason_of(error: OSError) -> str:
    """Why the disk or the network would not, for people."""
    words = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up", errno.EFBIG: "file too large"}
    return words.get(error.errno or 0) or error.strerror or str(error)


def say(words: str) -> str:
    """Words as one line that fits into statusDetails."""
    return details_text(" ".join(words.split()))
