"""What is generated: one line changed each time, for a while, and nothing else."""

import ast
from typing import Any

import pytest

from agent.core import start, step
from agent.core.events import Connected
from agent.core.state import DevicePolicy
from agent.recovery import Reached, Remedy, remedy_for
from agent.values import Status
from tests.explore.mutations.changes import KINDS, changed, changes
from tests.explore.mutations.places import MODULES
from tests.explore.mutations.switched import mutations, switched

ALL = {each.name: each for each in mutations()}

CONDITIONS = """
def rule(turn, work):
    if work.done and turn.connected:
        turn.begin(work)
        return
    turn.tell(work)
    turn.to(replace(work, begun=work.done + 1, why="x"))
"""


def made_of(text: str, names: dict[str, Any]) -> dict[str, str]:
    """The lines that are there instead, by kind and words."""
    before, found = ast.unparse(ast.parse(text)).splitlines(), dict[str, str]()
    for change in changes(ast.parse(text), names):
        tree = ast.parse(text)
        changed(tree, [change], names)
        after = ast.unparse(ast.fix_missing_locations(tree)).splitlines()
        found[f"{change.kind}: {change.how}"] = "; ".join(line.strip() for line in after if line not in before)
    return found


def test_conditions_deeds_and_fields_are_switched_off_and_words_are_not():
    assert made_of(CONDITIONS, {}) == {
        "not: `work.done and turn.connected` is its opposite": "if not (work.done and turn.connected):",
        "drops operand: `work.done` is dropped from an `and`": "if turn.connected and turn.connected:",
        "drops operand: `turn.connected` is dropped from an `and`": "if work.done and work.done:",
        "drops deed: no `turn.begin(work)`": "pass",
        "drops return: no early `return`": "pass",
        "drops deed: no `turn.to(replace(work, begun=work.done + 1, why='x'))`": "pass",
        "drops field: no `begun=work.done + 1`": "turn.to(replace(work, why='x'))",
        "off by one: `work.done` for `work.done + 1`": "turn.to(replace(work, begun=work.done + 0, why='x'))",
    }


@pytest.mark.parametrize(
    ("text", "kind", "after"),
    [
        ("if count < limit: f()", "at bound", "if count <= limit:"),
        ("found = Status.QUEUED", "other", "found = Status.IN_PROGRESS"),
        ("ask(key, with_document=True)", "flips", "ask(key, with_document=False)"),
        ("match a:\n case 1 if b: c\n case _: d", "drops guard", "case 1 if True:"),
    ],
)
def test_a_distinction_is_made_otherwise(text: str, kind: str, after: str):
    found = made_of(text, {"Status": Status})
    assert [line for how, line in found.items() if how.startswith(f"{kind}:")] == [after]


def test_a_case_can_be_missing():
    assert "case 1" not in str(made_of("match a:\n case 1: b\n case _: c", {})["drops case: no case `1`"])


def test_every_kind_is_made_of_our_agent_and_every_module_has_some():
    assert {each.change.kind for each in ALL.values()} == set(KINDS)
    assert {each.place.module.__name__ for each in ALL.values()} == set(MODULES)


def test_a_name_says_which_and_the_line_is_that_which_is_changed():
    assert len(ALL) == len(mutations()) > 900
    mutation = ALL["working._alive: `told.key == work.key` is dropped from an `and`"]
    assert (mutation.file, mutation.line) == ("core/working.py", "and told.key == work.key")


def test_the_agent_is_another_for_a_while():
    machine = start(DevicePolicy())
    before = step(machine, Connected())
    forgets = next(each for name, each in ALL.items() if name.startswith("machine._concerns: no `turn.machine"))
    with switched(forgets):
        meanwhile = step(machine, Connected())
    assert before[0].connected
    assert not meanwhile[0].connected
    assert step(machine, Connected()) == before


def test_the_table_is_another_for_a_while():
    def decided() -> Remedy:
        return remedy_for("gone", Reached.STAGED, restarted=False, policy="revert-until-commit")

    name = 'recovery.TABLE: no row "what is staged can be taken back, half a step too"'
    assert decided() is Remedy.UNDO
    with switched(ALL[name]), pytest.raises(AssertionError):
        decided()
    assert decided() is Remedy.UNDO
