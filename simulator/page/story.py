"""The story of a run in up to five sentences, made from what was told, and nothing else.

A table of sentence makers, each of which says one thing or nothing: the first five that say something are the story.
What they say is counted, never guessed: a step was under way if the device told that it had begun before the record was
removed, and that it ended after that.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final

from agent.values import Status
from simulator.page.axis import When
from simulator.page.brief import brief
from simulator.page.device import Device
from simulator.page.english import begun, between, count, has, listed, of, seconds
from simulator.page.happenings import Deletion
from simulator.page.losses import Loss
from simulator.trace import RunEnded
from simulator.verdict import Verdict

SENTENCES: Final = 5
DELETIONS: Final = 2
"""So many are told one by one."""
NAMED: Final = 3
"""So many things of a list are named."""
DOING: Final = {
    "download": "downloaded it",
    "write": "wrote it to flash",
    "switch": "switched the boot selector to it",
    "reboot": "rebooted into it",
    "self-test": "tested it",
    "commit": "committed it",
    "stage": "staged it",
    "validate": "validated it",
    "swap": "put it in force",
    "restart": "restarted to read it",
    "run": "ran its program",
    "fetch": "fetched its file",
}
"""What a device did with a job that it was in this step of."""


@dataclass(frozen=True)
class Material:
    """What a story is made of. `lay` puts an instant of a device on the axis, `lay_run` one of the run's."""

    devices: Sequence[Device]
    deletions: Sequence[Deletion]
    lay: Callable[[Device, When], float]
    lay_run: Callable[[When], float]
    verdict: Verdict | None = None
    ended: RunEnded | None = None

    def sentence(self, text: str) -> str:
        """With a full stop, and a capital letter unless it begins with a name."""
        return f"{text if text.partition(' ')[0].rstrip(',') in self.names else begun(text)}."

    @cached_property
    def names(self) -> frozenset[str]:
        """Of all devices."""
        return frozenset(device.name for device in self.devices)

    @cached_property
    def losses(self) -> dict[str, list[tuple[Device, Loss]]]:
        """All that devices lost, by job."""
        found: dict[str, list[tuple[Device, Loss]]] = {}
        for device in self.devices:
            for loss in device.losses.all:
                found.setdefault(loss.execution.job_id, []).append((device, loss))
        return found

    @cached_property
    def ghosts(self) -> list[tuple[Device, Loss, float | None]]:
        """What devices were at work on when its record went, and after how many seconds they found out."""
        return [
            (device, loss, detection(device, loss, self.lay))
            for device in self.devices
            for loss in device.losses.ghosts
        ]

    @cached_property
    def by_state(self) -> dict[str, list[Device]]:
        """The devices that are in each state."""
        found: dict[str, list[Device]] = {}
        for device in self.devices:
            found.setdefault(device.row.state, []).append(device)
        return found


def step_of(device: Device, loss: Loss, lay: Callable[[Device, When], float]) -> str:
    """The step that the device was in when the record was removed; empty between two, or if it tells of none."""
    removed = lay(device, loss.removed)
    for run in (loss.next, loss.run):
        if run is not None and lay(device, run.began) <= removed:
            is_over = run.ended is not None and lay(device, run.ended) < removed
            return "" if is_over else run.step
    return ""


def detection(device: Device, loss: Loss, lay: Callable[[Device, When], float]) -> float | None:
    """Seconds from the removal until the device was told; None as long as it was not."""
    return None if loss.told is None else max(lay(device, loss.told.when) - lay(device, loss.removed), 0.0)


# ── the sentences ─────────────────────────────────────────────────────────────────────────────────────────────────


def _who_was_deleted(of_it: Material) -> str | None:
    done = [each for each in of_it.deletions if not each.refused]
    if not done:
        return None
    first = [(each, _at(of_it, each), _while(of_it, each)) for each in done[:DELETIONS]]
    rest = len(done) - len(first)
    others = f"; {count(rest, 'other')} followed" if rest else ""
    (one, at, doing), *more = first
    if more and (more[0][0].words, more[0][2]) == (one.words, doing):
        (two, later, _), each = more[0], ", each" if doing else ""
        both = f"{one.job} and {two.job}" if later == at else f"{one.job} and at {later} {two.job}"
        return f"At {at} {both} were {one.words}{each}{doing}{others}."
    parts = [f"at {at} {deletion.job} was {deletion.words}{doing}" for deletion, at, doing in first]
    return f"{begun('; '.join(parts))}{others}."


def _at(of_it: Material, deletion: Deletion) -> str:
    return seconds(max(of_it.lay_run(deletion.when), 0.0))


def _while(of_it: Material, deletion: Deletion) -> str:
    """What the devices were at, whose records went by it, each by its first loss of that job from then on."""
    since = of_it.lay_run(deletion.when) - 0.001
    lost: dict[str, tuple[Device, Loss]] = {}
    for device, loss in of_it.losses.get(deletion.job, ()):
        if of_it.lay(device, loss.removed) >= since:
            lost.setdefault(device.name, (device, loss))
    if not lost:
        return ""
    if len(lost) == 1:
        ((device, loss),) = lost.values()
        return f" while {device.name} {_doing(device, loss, of_it.lay)}"
    doing = Counter(_doing(device, loss, of_it.lay) for device, loss in lost.values())
    parts = [f"{number} {what}" for what, number in doing.most_common()]
    first = doing.most_common(1)[0]
    parts[0] = f"{of(first[1], len(of_it.devices))} {first[0]}"
    return f" while {listed(parts)}"


def _doing(device: Device, loss: Loss, lay: Callable[[Device, When], float]) -> str:
    """What the device did as its record went; worked out once, when nothing can be told any more that changes it."""
    if loss.doing:
        return loss.doing
    doing = _worked_out(device, loss, lay)
    loss.doing = doing if loss.left else ""
    return doing


def _worked_out(device: Device, loss: Loss, lay: Callable[[Device, When], float]) -> str:
    state = device.state_at(lay(device, loss.removed), lay)
    if state in AWAY:
        return AWAY[state]
    if loss.status == Status.QUEUED:
        return "had it waiting"
    step = step_of(device, loss, lay)
    if not step:
        return "had it in progress"
    return DOING.get(step, f"did its step {step}")


AWAY: Final = {"off": "had no power", "offline": "had no connection"}
"""Where a device was that could not be told of it."""


def what_they_knew(of_it: Material) -> str | None:
    """How long devices took to find out; None if there was nothing to find out."""
    lost = dict.fromkeys(device.name for device, _, _ in of_it.ghosts)
    if not lost:
        return None
    unaware = dict.fromkeys(device.name for device, _, took in of_it.ghosts if took is None)
    took = [took for _, _, took in of_it.ghosts if took is not None]
    one = next(iter(lost)) if len(lost) == 1 else None
    if not took:
        if one is not None:
            return f"{one} {'was never told' if of_it.ended else 'has not been told yet'}."
        return f"None of the {len(lost)} {'was ever told' if of_it.ended else 'has been told yet'}."
    who = one or (f"{len(lost) - len(unaware)} of {len(lost)}" if unaware else "they")
    found_out = f"{who} found out {between(took)} later"
    if one is not None or not unaware:
        return of_it.sentence(found_out)
    return of_it.sentence(f"{found_out}; {len(unaware)} {'never did' if of_it.ended else 'did not yet'}")


def _what_they_did(of_it: Material) -> str | None:
    did: dict[str, set[str]] = {}
    for device, loss in chain.from_iterable(of_it.losses.values()):
        if loss.left:
            is_dropped = loss.left == "recovered" and not loss.undone
            did.setdefault("dropped" if is_dropped else loss.left, set()).add(device.name)
    if not did:
        return None
    who = of_it.devices[0].name if len(of_it.devices) == 1 else None
    parts = [
        f"{who or count(len(names), 'device')} {LEFT.get(outcome, f'ended {outcome}')}"
        for outcome, names in sorted(did.items(), key=lambda each: -len(each[1]))
    ]
    return of_it.sentence(listed(parts))


LEFT: Final = {
    "recovered": "took back what had been done",
    "dropped": "dropped it, and took nothing back",
    "kept": "kept what had been done, which could not be taken back",
    "safe": "could not recover, and waits for help",
    "succeeded": "finished and reported it, as if nothing had happened",
    "failed": "reported it failed",
    "rejected": "reported it rejected",
}
"""How a device was done with what it had lost."""


def _what_went_wrong(of_it: Material) -> str | None:
    bricked = [device.name for device in of_it.by_state.get("bricked", ())]
    crashed = [device.name for device in of_it.devices if device.crashes]
    powerless = [device.name for device in of_it.devices if device.cuts]
    parts = []
    if bricked:
        are = "is bricked and has" if len(bricked) == 1 else "are bricked and have"
        parts.append(f"{listed(bricked, NAMED)}{_of_groups(bricked, of_it)} {are} nothing left to boot from")
    if crashed:
        times = sum(device.crashes for device in of_it.devices)
        often = f" {times} times" if times > len(crashed) else ""
        parts.append(f"{listed(crashed, NAMED)}{_of_groups(crashed, of_it)} crashed{often}")
    if powerless:
        who = powerless[0] if len(powerless) == 1 else of(len(powerless), len(of_it.devices))
        parts.append(f"{who} lost {'its' if len(powerless) == 1 else 'their'} power")
    return of_it.sentence(f"{listed(parts)}") if parts else None


def _of_groups(names: Sequence[str], of_it: Material) -> str:
    """Behind names, of how many of which group they are, if some play beside others: ` (bad)`, ` (1 good, 2 bad)`."""
    groups = {device.name: device.group for device in of_it.devices if device.group}
    found = Counter(groups[name] for name in names if name in groups)
    if not found:
        return ""
    if len(found) == 1:
        return f" ({next(iter(found))})"
    return f" ({', '.join(f'{number} {group}' for group, number in sorted(found.items(), reverse=True))})"


def _what_came_next(of_it: Material) -> str | None:
    took = sorted(number for device in of_it.devices for number in device.recoveries.seconds)
    waiting = [device.name for device in of_it.devices if device.recoveries.is_waited_for]
    if not took and not waiting:
        return None
    parts = []
    if took:
        resumed = [device.name for device in of_it.devices if device.recoveries.seconds]
        who = resumed[0] if len(resumed) == 1 else of(len(resumed), len(of_it.devices))
        times = f"after {seconds(took[0])}" if len(took) == 1 else f"after {between(took)}"
        parts.append(f"{who} took the next job {times}")
    if waiting:
        what = "never took the next job" if of_it.ended else f"{has(len(waiting))} yet to take the next job"
        parts.append(f"{listed(waiting, NAMED)} {what}")
    return of_it.sentence(f"{'; '.join(parts)}")


def _what_was_broken(of_it: Material) -> str | None:
    broken = [each for each in of_it.verdict.invariants if each.violations] if of_it.verdict is not None else []
    if not broken:
        return None
    first = broken[0].violations[0]
    things = list(dict.fromkeys(each.thing for each in broken[0].violations))
    who = listed(things, NAMED) + _of_groups(things, of_it)
    more = f"; {count(len(broken) - 1, 'other invariant')} {'was' if len(broken) == 2 else 'were'} broken, too"
    return of_it.sentence(f"{who} broke {broken[0].id}: {brief(first.message)}{more if len(broken) > 1 else ''}")


MAKERS: Final[tuple[Callable[[Material], str | None], ...]] = (
    _who_was_deleted,
    what_they_knew,
    _what_went_wrong,
    _what_they_did,
    _what_came_next,
    _what_was_broken,
)
"""In the order in which they are told. Of six that would say something, what came next is left out."""
NOTHING: Final = "No job was deleted."


def story(of_it: Material) -> tuple[str, ...]:
    """The sentences."""
    told = {maker: sentence for maker in MAKERS if (sentence := maker(of_it)) is not None}
    if len(told) > SENTENCES:
        told.pop(_what_came_next, None)
    if _who_was_deleted not in told and of_it.ended is not None:
        return (NOTHING, *told.values())[:SENTENCES]
    return tuple(told.values())[:SENTENCES]
