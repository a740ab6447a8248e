"""A mutation, and the agent with it for a while: its function has other code, or its table other rows. Nothing on disk.

The function stays the same object, so whoever calls it, by whatever name, calls what was made of it.
"""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any, Final, NamedTuple

from tests.explore.mutations.changes import Change, changed, changes
from tests.explore.mutations.places import Place, function_of, parsed, places, source

TABLE: Final = "TABLE"


class Mutation(NamedTuple):
    """One change of one place. `name` tells it from all others, and stays as long as the line does."""

    name: str
    place: Place
    change: Change

    @property
    def file(self) -> str:
        """Where, as people say it."""
        return self.place.module.__name__.removeprefix("agent.").replace(".", "/") + ".py"

    @property
    def line(self) -> str:
        """The line's text."""
        return source(self.place.module).splitlines()[self.change.line - 1].strip()


def mutations() -> tuple[Mutation, ...]:
    """All of them."""
    found: dict[str, Mutation] = {}
    for place in places():
        for change in changes(place.tree, vars(place.module)):
            base = f"{place.module.__name__.split('.')[-1]}.{place.name}: {change.how}"
            name, number = base, 1
            while name in found:
                number += 1
                name = f"{base} ({number})"
            found[name] = Mutation(name, place, change)
    return tuple(found.values())


@contextmanager
def switched(mutation: Mutation) -> Iterator[None]:
    """Our agent with that, until the end of it; not for several threads."""
    place, _ = mutation.place, mutation.change
    if place.name == TABLE:
        before: Any = vars(place.module)[TABLE]
        setattr(place.module, TABLE, _table(mutation))
        try:
            yield
        finally:
            setattr(place.module, TABLE, before)
    else:
        function = function_of(place)
        code = function.__code__
        function.__code__ = _code(mutation)
        try:
            yield
        finally:
            function.__code__ = code


def _mutated(mutation: Mutation) -> tuple[ast.Module, ast.AST]:
    """The module's tree with the change, and the place in it."""
    module = mutation.place.module
    tree = parsed(module)
    place = next(node for node in ast.walk(tree) if _is_at(node, mutation.place.tree))
    changed(place, mutation.change, vars(module))
    ast.fix_missing_locations(tree)
    return tree, place


def _is_at(node: ast.AST, other: ast.AST) -> bool:
    here, there = getattr(node, "lineno", None), getattr(other, "lineno", None)
    return type(node) is type(other) and here == there and here is not None


def _code(mutation: Mutation) -> CodeType:
    tree, _ = _mutated(mutation)
    whole = compile(tree, f"{mutation.place.module.__file__} ({mutation.change.how})", "exec")
    return next(code for code in _codes(whole) if code.co_qualname == mutation.place.name)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _table(mutation: Mutation) -> Any:
    _, place = _mutated(mutation)
    assert isinstance(place, ast.AnnAssign)
    assert place.value is not None
    names = dict(vars(mutation.place.module))
    return eval(compile(ast.Expression(place.value), "the table", "eval"), names)
