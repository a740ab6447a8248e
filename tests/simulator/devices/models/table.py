"""Who breaks what, as Markdown, from plays of every shipped scenario: `python -m tests.docs models` writes it."""

from collections.abc import Iterator

from simulator.devices.models import MODELS
from simulator.scenario import shipped
from simulator.verdict import INVARIANTS
from tests.simulator.devices.models.playing import broken_by, judged_blindly


def table() -> str:
    """What each known-bad model violates and where, and who is caught by one invariant alone."""
    return "\n".join((*_by_model(), "", *_by_invariant())) + "\n"


def _by_model() -> Iterator[str]:
    yield "| model | violates, and where |"
    yield "| - | - |"
    yield f"| {_names([name for name, model in MODELS.items() if not model.breaks])} | nothing |"
    for name in (name for name, model in MODELS.items() if model.breaks):
        yield f"| `{name}` | {', '.join(_shown(name))} |"


def _shown(name: str) -> Iterator[str]:
    """Each invariant that it names, with a scenario that shows it."""
    shown = broken_by(name)
    for invariant in (each.id for each in INVARIANTS if each.id in MODELS[name].breaks):
        where = [scenario for scenario, broken in shown.items() if invariant in broken]
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield f"`{invariant}` ({where[0] if where else 'nowhere'}{more})"


def _by_invariant() -> Iterator[str]:
    yield "| without this invariant | these bad devices pass |"
    yield "| - | - |"
    for invariant in INVARIANTS:
        yield f"| `{invariant.id}` | {_names(escaping(invariant.id))} |"


def escaping(invariant: str) -> list[str]:
    """The bad models that pass every scenario once this invariant is switched off."""
    alone = (name for name, model in MODELS.items() if model.breaks == {invariant})
    return [name for name in alone if all(judged_blindly(scenario, name).succeeded for scenario in shipped())]


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
