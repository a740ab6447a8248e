"""What is a rule of safety: by name of function, never by line.

A rule decides what the device does: which deed, which request, what is believed, what is put on record. That is all of
the core's functions that deal with an event, or are called by one that does, and the table of what to do with half-done
work. None is what tells people of it (`Tell`, reasons, the words of a phase), how long a wait is (time is not in this
world, but in the virtual engine's), and what the words of an answer that cannot be read lead to (`naming`: no service
of this world sends one).
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple

MODULES: Final = (
    "agent.recovery",
    "agent.core.taking",
    "agent.core.working",
    "agent.core.doubting",
    "agent.core.recovering",
    "agent.core.restarting",
    "agent.core.told",
    "agent.core.turn",
    "agent.core.machine",
    "agent.core.state",
    "agent.core.record",
)
TABLE: Final = "TABLE"
LOOKS_UP: Final = "remedy_for"
NO_RULE: Final = frozenset(
    {
        # the words for people
        "_unwritten",
        "unreadable",
        "phase_name",
        "Turn.tell",
        "Turn.tell_learned",
        # how long
        "Turn.timer",
        "Turn.backoff",
        "Turn.jittered",
        "Turn.hint_wait",
        "Turn.counted",
        # what cannot be read
        "on_claim_unreadable",
        "Turn.take_unreadable",
        # the power goes before the agent knows it
        "on_journal_failed",
        "on_finish_withheld",
        # whose numbers and names they are
        "start",
        "Turn.policy",
        "poll",
        # who starts the agent asks
        "Record.has_work",
    }
)
"""Functions that decide nothing here."""


class Place(NamedTuple):
    """A function of a module, or its table (`name` is `TABLE`), with its syntax tree in that of the module."""

    module: ModuleType
    name: str
    tree: ast.AST

    @property
    def function(self) -> str:
        """The full name of the function that reads it: its own, or of the table, the one that looks things up there."""
        return f"{self.module.__name__}.{LOOKS_UP if self.name == TABLE else self.name}"


def places() -> Iterator[Place]:
    """All of them, in the order of the modules and of their lines."""
    for name in MODULES:
        module = import_module(name)
        yield from (Place(module, *each) for each in _parts(parsed(module)) if each[0] not in NO_RULE)


@cache
def source(module: ModuleType) -> str:
    """Its text."""
    return inspect.getsource(module)


def parsed(module: ModuleType) -> ast.Module:
    """Its syntax tree, which the caller may change."""
    return ast.parse(source(module))


def _parts(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name):
                yield name, node
            case ast.ClassDef(name=owner, body=body):
                yield from ((f"{owner}.{each.name}", each) for each in body if isinstance(each, ast.FunctionDef))
            case ast.AnnAssign(target=ast.Name(id=name)) if name == TABLE:
                yield name, node
            case _:
                pass


def function_of(place: Place) -> FunctionType:
    """The function itself, be it a property's; of the table, the one that looks things up there."""
    found: Any = place.module
    for name in (LOOKS_UP if place.name == TABLE else place.name).split("."):
        found = inspect.getattr_static(found, name)
    return found.fget if isinstance(found, property) else found  # type: ignore[no-any-return]
