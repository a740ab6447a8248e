"""Who breaks what, as Markdown, from plays of every shipped scenario: `python -m tests.docs models` writes it."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from simulator.devices.models import MODELS
from simulator.scenario import shipped
from simulator.verdict import INVARIANTS
from tests.docs.marks import DIRECTORY, parts
from tests.simulator.devices.models.playing import broken_by, judged_blindly

BAD: Final = tuple(name for name, model in MODELS.items() if model.breaks)
DEALT: Final = 16
"""The suite plays every bad model in one of so many scenarios, each in others than its neighbours."""


def of_the_suite(model: str) -> list[str]:
    """The scenarios in which the suite plays a bad model: where the page shows what it breaks, and some more."""
    named, turn = set(named_for(model).values()), BAD.index(model)
    return [name for index, name in enumerate(shipped()) if name in named or (index + turn) % DEALT == 0]


def named_for(model: str) -> dict[str, str]:
    """By invariant, the scenario that the page names to show that a model breaks it."""
    (row,) = re.findall(rf"^\| `{model}` \| (.*) \|$", printed(), re.MULTILINE)
    return dict(re.findall(r"`([a-z-]+)` \(([a-z-]+)", row))


def printed_escaping(invariant: str) -> set[str]:
    """Who passes without this invariant, as the page has it."""
    rows = printed().partition("| without this invariant")[2]
    (row,) = re.findall(rf"^\| `{invariant}` \| (.*) \|$", rows, re.MULTILINE)
    return set(re.findall(r"`([a-z-]+)`", row))


def printed() -> str:
    """The table as it stands on its page."""
    return parts((DIRECTORY / "models.md").read_text("utf-8"))["models"]


def table() -> str:
    """What each known-bad model violates and where, and who is caught by one invariant alone."""
    return "\n".join((*_by_model(), "", *_by_invariant())) + "\n"


def _by_model() -> Iterator[str]:
    yield "| model | violates, and where |"
    yield "| - | - |"
    yield f"| {_names([name for name, model in MODELS.items() if not model.breaks])} | nothing |"
    for name in BAD:
        yield f"| `{name}` | {', '.join(_shown(name))} |"


def _shown(name: str) -> Iterator[str]:
    """Each invariant that it names, with a scenario that shows it."""
    shown = broken_by(name, shipped())
    for invariant in (each.id for each in INVARIANTS if each.id in MODELS[name].breaks):
        where = [scenario for scenario, broken in shown.items() if invariant in broken]
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield f"`{invariant}` ({where[0] if where else 'nowhere'}{more})"


def _by_invariant() -> Iterator[str]:
    yield "| without this invariant | these bad devices pass |"
    yield "| - | - |"
    for invariant in INVARIANTS:
        yield f"| `{invariant.id}` | {_names([name for name in alone(invariant.id) if escapes(name, shipped())])} |"


def alone(invariant: str) -> list[str]:
    """The bad models that break this invariant and nothing else."""
    return [name for name in BAD if MODELS[name].breaks == {invariant}]


def escapes(model: str, scenarios: Iterable[str]) -> bool:
    """Whether a bad model passes these scenarios once what it breaks is not looked for."""
    return all(judged_blindly(scenario, model).succeeded for scenario in scenarios)


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
