"""Who breaks what, as Markdown, from plays of every shipped scenario.

python -m tests.simulator.devices.models.table            print it
python -m tests.simulator.devices.models.table --write    put it between the marks in the file that has them
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from agent.log import configure
from simulator.devices.models import MODELS
from simulator.scenario import shipped
from simulator.verdict import INVARIANTS
from tests.simulator.devices.models.playing import broken_by, judged_blindly

ROOT = Path(__file__).parents[4]
BEGIN, END = "<!-- models -->", "<!-- /models -->"


def table() -> str:
    """What each known-bad model violates and where, and who is caught by one invariant alone."""
    return "\n".join((*_by_model(), "", *_by_invariant())) + "\n"


def _by_model() -> Iterator[str]:
    yield f"| model | violates, and where in the {len(shipped())} shipped scenarios |"
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


def marked_file() -> Path:
    """The one file that holds the table."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("simulator/**/*.md")]
    (marked,) = [page for page in pages if BEGIN in page.read_text("utf-8")]
    return marked


def block(page: str) -> str:
    """What stands between the marks."""
    return page.partition(f"{BEGIN}\n")[2].partition(END)[0]


def main() -> None:
    """Print or write."""
    configure("text", "critical")
    if "--write" not in sys.argv[1:]:
        sys.stdout.write(table())
        return
    path = marked_file()
    page = path.read_text("utf-8")
    path.write_text(page.replace(f"{BEGIN}\n{block(page)}{END}", f"{BEGIN}\n{table()}{END}"), "utf-8")


if __name__ == "__main__":
    main()
