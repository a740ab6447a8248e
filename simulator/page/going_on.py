"""What is going on, in one sentence, while nothing is decided: what devices do not know yet, else what they do."""

from collections.abc import Callable, Sequence
from typing import Final

from simulator.page.english import does, has, listed, of
from simulator.page.story import Material


def going_on(of_it: Material) -> str:
    """One sentence while nothing is decided."""
    if not of_it.devices:
        return "No device has come by yet."
    return of_it.sentence(_unaware(of_it) or _in_a_state(of_it) or _at_work(of_it))


def _unaware(of_it: Material) -> str | None:
    unaware = [(device, loss) for device, loss, took in of_it.ghosts if took is None]
    if not unaware:
        return None
    jobs = list(dict.fromkeys(loss.execution.job_id for _, loss in unaware))
    names = list(dict.fromkeys(device.name for device, _ in unaware))
    what = f"yet that {listed(jobs)} {'is' if len(jobs) == 1 else 'are'} gone"
    if len(names) == len(of_it.devices) > 1:
        return f"no device knows {what}"
    return f"{_who(names, of_it)} {does(len(names))} not know {what}"


def _in_a_state(of_it: Material) -> str | None:
    for state, what in GOING_ON:
        if devices := of_it.by_state.get(state):
            return f"{_who([device.name for device in devices], of_it)} {what(len(devices))}"
    return None


def _at_work(of_it: Material) -> str:
    jobs: dict[str, list[str]] = {}
    for device in of_it.devices:
        jobs.setdefault(device.row.job, []).append(device.name)
    idle = jobs.pop("", [])
    if not jobs:
        return f"{_who(idle, of_it)} {'waits' if len(idle) == 1 else 'wait'} for a job"
    (job, names), *others = sorted(jobs.items(), key=lambda each: -len(each[1]))
    first = f"{_who(names, of_it)} {'works' if len(names) == 1 else 'work'} on {job}"
    return listed([first, *(f"{len(names)} on {job}" for job, names in others)])


def _who(names: Sequence[str], of_it: Material) -> str:
    return names[0] if len(names) == 1 else of(len(names), len(of_it.devices))


GOING_ON: Final[tuple[tuple[str, Callable[[int], str]], ...]] = (
    (
        "bricked",
        lambda number: f"{'is bricked and has' if number == 1 else 'are bricked and have'} nothing left to boot from",
    ),
    ("crashed", lambda number: f"{has(number)} crashed"),
    ("safe", lambda number: f"{'waits' if number == 1 else 'wait'} for help"),
    ("off", lambda number: f"{has(number)} no power"),
    ("recovering", lambda number: f"{'takes' if number == 1 else 'take'} back what was done"),
    ("suspect", lambda number: f"{'asks' if number == 1 else 'ask'} whether the job is still there"),
    ("offline", lambda number: f"{'is' if number == 1 else 'are'} off line"),
)
"""What is told first of the states that devices are in."""
