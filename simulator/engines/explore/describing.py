"""A world and its bounds in words: who plays, what may befall it, and what no search of that world sees."""

from collections.abc import Iterator
from typing import Final

from simulator.engines.explore.choice import KINDS, Kind
from simulator.engines.explore.service import MOST_VERSIONS
from simulator.engines.explore.setup import Setup

KIND_WORDS: Final[dict[Kind, tuple[str, str]]] = {
    "delete": ("force-delete of fw", "force-deletes of fw"),
    "create-again": ("further use of the id fw", "further uses of the id fw"),
    "power-cut": ("power cut, at any instant", "power cuts, at any instants"),
    "disconnect": ("lost connection", "lost connections"),
    "lose-request": ("lost request", "lost requests"),
    "lose-answer": ("lost answer", "lost answers"),
    "lose-hint": ("lost notification", "lost notifications"),
    "duplicate": ("message that arrives twice", "messages that arrive twice"),
    "delay": ("message that is overtaken by the next", "messages that are overtaken by the next"),
    "early": ("timer that runs out early", "timers that run out early"),
    "fail": ("step that fails", "steps that fail"),
    "cancel": ("CancelJob of fw", "times CancelJob of fw"),
    "delete-execution": ("DeleteJobExecution of fw", "times DeleteJobExecution of fw"),
    "other-namespace": ("job in another namespace", "jobs in another namespace"),
    "journal-fails": ("time in which the journal cannot be written", "times in which the journal cannot be written"),
    "journal-back": ("record of the journal that cannot be read", "records of the journal that cannot be read"),
    "journal-lost": ("loss of the journal", "losses of the journal"),
}
NEVER: Final[dict[Kind, str]] = {
    "delay": "no message is overtaken by a later one: both ways they come in the order in which they were sent",
    "early": "no timer runs out while what it is for may yet come: nothing is slower than a device is patient",
    "power-cut": "the power never goes",
    "disconnect": "the connection is never lost",
    "lose-request": "no request is lost, but with its connection",
    "lose-answer": "no answer is lost, but with its connection",
    "lose-hint": "no notification is lost, but with its connection",
    "duplicate": "no message arrives twice",
    "fail": "no step fails but for what is wrong with its image",
    "journal-fails": "the journal can always be written: no disk is full",
    "journal-back": "what is in the journal can be read again: none of its records goes bad",
    "journal-lost": "the journal is never lost as a whole",
}
"""What it means that there is none of a kind, where that is easily forgotten."""


ASKS: Final = {
    "firmware": "firmware 2.0",
    "configuration": "a new configuration",
    "program": "a program",
    "restart": "a program that starts the agent again",
    "reboot": "a reboot",
}
"""What a job may ask for."""


def world_in_words(setup: Setup) -> str:
    """Who plays, in a sentence without its end."""
    where = f"namespace {setup.namespace}" if setup.namespace else "the default namespace"
    who = {
        "one": "one device",
        "two things": "two devices on two things",
        "two namespaces": "two agents on one thing, each in a namespace of its own",
    }[setup.devices]
    back = "goes forward" if setup.policy == "finish-after-switch" else "goes back"
    flaw = f", whose image is flawed ({setup.flaw})" if setup.flaw else ""
    asks, rare = ASKS[setup.asks], "".join(f"; {each}" for each in _unusual(setup))
    return (
        f"{who} of model {setup.model}, layout {setup.layout}, in {where}, which {back} after the switch and reports "
        f"{setup.reports}; one job fw, {asks}{flaw}" + ("; and another job" if setup.next else "") + rare
    )


def _unusual(setup: Setup) -> Iterator[str]:
    """What of the world is not as it mostly is, and told nowhere else."""
    if setup.leap_when_unreachable == "proceed":
        yield "where nobody answers it goes past the point of no return"
    if setup.hears == "everything":
        yield "it hears the notifications of every namespace"
    if setup.bounds.create_again and setup.again == "other document":
        yield "fw is used again for another document"
    if setup.same_second:
        yield "fw may be used again within the same second"
    if setup.while_deleting != "gone":
        yield f"a job that is being deleted is shown yet ({setup.while_deleting})"
    if setup.records_go == "at once":
        yield "a deletion takes the executions away at once"
    if not setup.head_across_namespaces:
        yield "each namespace has a queue of its own"


def bounds_in_words(setup: Setup) -> Iterator[str]:
    """What may happen, and how often at most."""
    for kind, bound in zip(KINDS, setup.bounds.budgets, strict=True):
        if bound:
            yield f"{bound} {KIND_WORDS[kind][bound > 1]}"


def left_out(setup: Setup) -> Iterator[str]:
    """What a search of this world cannot see, in sentences without their ends."""
    yield (
        "time is the order of what happens: how long anything takes, and whether somebody is slow, patient or hammers, "
        "is not looked at"
    )
    yield "the service always answers, and what it knows: it neither throttles nor fails, and its reads never lag"
    yield "a power cut leaves a record of the journal as it was or as it is, and nothing between"
    yield "settings of the device, the job and the service have one value each: another is a world of its own"
    yield f"an execution's version counts up to {MOST_VERSIONS}: what a device does by more updates is not looked at"
    if setup.sectors < 16:
        groups = "all at once" if setup.sectors == 1 else f"in {setup.sectors} groups"
        yield f"an image's 16 sectors are worked on {groups}, and nothing comes in between two of a group"
    yield from (words for kind, words in NEVER.items() if not setup.bounds.allows(kind))
    if not setup.same_second:
        yield "an id is used again a second later at the earliest, so the wire tells its incarnations apart"
