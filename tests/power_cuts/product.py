"""All that is played: every moment of a deletion, every layout, namespace and policy, every instant, every survival."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from agent.abilities import Layout
from agent.documents.ours import SINGLE_STEPS, TRIAL_STEPS
from agent.recovery import PointOfNoReturn
from simulator.devices.storage import Survival
from tests.power_cuts.trouble import troubles
from tests.power_cuts.world import OFF, Cut, Next, Setting, Story, play

LAYOUTS: Final[tuple[Layout, ...]] = ("ab", "swap", "single")
NAMESPACES: Final = (None, "lab")
POLICIES: Final[tuple[PointOfNoReturn, ...]] = ("revert-until-commit", "finish-after-switch")
NEXT: Final[tuple[Next, ...]] = ("another id", "the same id", "the same id within the second")
DIFFERS_FROM: Final[dict[Layout, str]] = {"ab": "queued", "swap": "switch begins", "single": "write begins"}
"""The first moment at which an update is another one than with two slots."""
FAILING: Final = ("never", "recovering", "reporting FAILED", "reported FAILED", OFF)
"""When a job can be deleted whose work fails by itself: not at all, as that shows, while it is told, and after."""
Half: TypeAlias = Literal["odd", "even"]
FEW: Final = 10
"""So many instants, and fewer, are not worth halving."""
EARLY: Final = 8
"""Where half of the instants are played, only two of so many are before the work begins to fail, an odd and an even
one: from a cut there a device comes back to an update as any, as settings without trouble show at each instant.
"""
CUTS_AT_ONCE: Final = 250
"""So many worlds branch off before the first of them goes on, so that they do not fill the memory."""


def moments(layout: Layout) -> Iterator[str]:
    """When a job can be deleted: before it starts, in each step and between them, while reporting it, and after."""
    yield from ("queued", "claimed")
    for step in SINGLE_STEPS if layout == "single" else TRIAL_STEPS:
        yield f"{step} begins"
        if step in ("download", "write", "self-test"):
            yield f"{step} half"
        if step != "reboot":
            yield f"{step} done"
        elif layout != "single":
            yield "tried"
    yield from ("reporting", "reported", "left", OFF)


@dataclass(slots=True)
class Tally:
    """How many cuts were played, and the stories that went wrong; `instants` are the names of those before which
    the power went first. `switched`: the policy may have mattered.
    """

    setting: Setting
    cuts: int = 0
    instants: list[str] = field(default_factory=list)
    switched: bool = False
    failures: list[str] = field(default_factory=list)

    def count(self, stories: Sequence[Story]) -> None:
        """Take in how it went."""
        self.cuts += sum(len(story.cut.nth) for story in stories)
        for story in stories:
            self.switched = self.switched or story.switched
            if problems := story.problems + story.violated:
                where = ", then ".join(f"{nth} ({name})" for nth, name in story.lost_at)
                survives = f"; of the journal survives {story.cut.survives}" if story.cut.nth else ""
                self.failures.append(f"{self.setting}: cut before {where or 'nothing'}{survives}: {problems}")


def exhaust(setting: Setting, *, twice: bool = False, since_deletion: bool = False, half: Half | None = None) -> Tally:
    """Cut the power at one instant after another, until there is none left.

    `twice`: once more at every instant of the recovery from each of these cuts. `since_deletion`: leave out the cuts
    before the job is deleted, from which a device comes back to what it was about (which other settings show). `half`:
    at the instants of odd numbers only, or at those of even ones, unless there are only FEW; see EARLY.
    """
    tally = Tally(setting)
    (whole,) = _played(tally, [Cut()])
    first = whole.deleted_at if since_deletion else 0
    last = whole.taken_at or whole.instants
    early = 0 if half is None else whole.troubled_at
    instants = [nth for nth in range(first + 1, last + 1) if nth > early or nth % EARLY < 2]
    is_whole = half is None or len(instants) <= FEW
    stories = _played(tally, [Cut((nth,)) for nth in instants if is_whole or nth % 2 == (half == "odd")])
    tally.instants = [name for story in stories for _, name in story.lost_at]
    survivals: tuple[Survival, ...] = ("half", "all")
    stories += _played(
        tally,
        [replace(story.cut, survives=each) for each in survivals for story in stories if each in story.survivals],
    )
    if twice:
        _played(tally, [again for story in stories for again in _once_more(story)])
    return tally


def _once_more(story: Story) -> Iterator[Cut]:
    """At every instant of its recovery."""
    (nth,) = story.cut.nth
    return (replace(story.cut, nth=(nth, again)) for again in range(nth + 1, _recovered(story) + 1))


def _recovered(story: Story) -> int:
    """How many instants until the device had recovered from its first cut: took the next job, or ended."""
    return story.taken_at or story.instants


def _played(tally: Tally, cuts: Sequence[Cut]) -> list[Story]:
    stories: list[Story] = []
    for at in range(0, len(cuts), CUTS_AT_ONCE):
        told = play(tally.setting, cuts[at : at + CUTS_AT_ONCE])
        tally.count(told)
        stories += told
    return stories


def exhaust_policies(setting: Setting, *, twice: bool = False, since_deletion: bool = False) -> Iterator[Tally]:
    """With the first policy; with the other too, unless the job never got as far as the policy speaks of."""
    tally = exhaust(setting, twice=twice, since_deletion=since_deletion)
    yield tally
    if tally.switched:
        other = replace(setting, policy="finish-after-switch")
        yield exhaust(other, twice=twice, since_deletion=since_deletion)


def deal_policies(setting: Setting, *, since_deletion: bool = False) -> Iterator[Tally]:
    """Every instant once: the odd ones with the first policy, the even ones with the other, if that may matter.

    Up to the switch both do the same, and after it one takes back what the other keeps, at the same instants.
    """
    tally = exhaust(setting, since_deletion=since_deletion, half="odd")
    yield tally
    other = replace(setting, policy="finish-after-switch") if tally.switched else setting
    yield exhaust(other, since_deletion=since_deletion, half="even")


def settings(layout: Layout, namespace: str | None) -> Iterator[Setting]:
    """Every moment of a deletion, and every kind of a next job; then the same for every way to fail."""
    for moment in moments(layout):
        for then in NEXT:
            yield Setting(moment, layout, namespace, then=then)
    for trouble in troubles(layout):
        yield Setting("never", layout, namespace, trouble=trouble)
        for moment in FAILING[1:]:
            for then in NEXT[:2]:
                yield Setting(moment, layout, namespace, then=then, trouble=trouble)


def failing_in_the_suite() -> Iterator[Setting]:
    """Every way to fail with the only slot, every other one with the rest, dealt over them."""
    for layout in LAYOUTS:
        for index, trouble in enumerate(troubles(layout)):
            if layout == "single" or index % 4 == 2 * LAYOUTS.index(layout):
                moment = FAILING[index % len(FAILING)]
                namespace, then = NAMESPACES[(index // 4 + index) % 2], NEXT[index // 2 % 2]
                yield Setting(moment, layout, namespace, then=then, trouble=trouble)


def of_the_suite(layout: Layout) -> Iterator[Setting]:
    """Every moment, dealt over namespaces and next jobs, from the one on where a layout differs from two slots."""
    all_moments = tuple(moments(layout))
    for index, moment in enumerate(all_moments):
        if index >= all_moments.index(DIFFERS_FROM[layout]):
            yield Setting(moment, layout, NAMESPACES[index % 2], then=NEXT[index % 3])
