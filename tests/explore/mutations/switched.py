"""A mutation, and the agent with it, or with several, for a while. Nothing on disk.

A function has other code, or the table other rows. It stays the same object, so whoever calls it, by whatever name,
calls what was made of it.
"""

import ast
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from tests.explore.mutations.changes import Change, changed, changes
from tests.explore.mutations.places import TABLE, Place, function_of, parsed, places, source


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
def switched(*mutations: Mutation) -> Iterator[None]:
    """Our agent with these, until the end of it; not for several threads."""
    with ExitStack() as stack:
        for place in {each.place.module.__name__ + each.place.name: each.place for each in mutations}.values():
            those = [each for each in mutations if each.place.module is place.module and each.place.name == place.name]
            stack.enter_context(_table_with(those) if place.name == TABLE else _function_with(those))
        yield


@contextmanager
def _table_with(mutations: Sequence[Mutation]) -> Iterator[None]:
    module = mutations[0].place.module
    before: Any = vars(module)[TABLE]
    setattr(module, TABLE, _table(mutations))
    try:
        yield
    finally:
        setattr(module, TABLE, before)


@contextmanager
def _function_with(mutations: Sequence[Mutation]) -> Iterator[None]:
    function = function_of(mutations[0].place)
    code = function.__code__
    function.__code__ = _code(tuple(mutations))
    try:
        yield
    finally:
        function.__code__ = code


def _mutated(mutations: Sequence[Mutation]) -> tuple[ast.Module, ast.AST]:
    """The module's tree with these changes of one place, and the place in it."""
    module = mutations[0].place.module
    tree = parsed(module)
    place = next(node for node in ast.walk(tree) if _is_at(node, mutations[0].place.tree))
    changed(place, [each.change for each in mutations], vars(module))
    ast.fix_missing_locations(tree)
    return tree, place


def _is_at(node: ast.AST, other: ast.AST) -> bool:
    here, there = getattr(node, "lineno", None), getattr(other, "lineno", None)
    return type(node) is type(other) and here == there and here is not None


@lru_cache(maxsize=16)
def _code(mutations: tuple[Mutation, ...]) -> CodeType:
    tree, _ = _mutated(mutations)
    place = mutations[0].place
    hows = "; ".join(each.change.how for each in mutations)
    whole = compile(tree, f"{place.module.__file__} ({hows})", "exec")
    return next(code for code in _codes(whole) if code.co_qualname == place.name)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _table(mutations: Sequence[Mutation]) -> Any:
    _, place = _mutated(mutations)
    assert isinstance(place, ast.AnnAssign)
    assert place.value is not None
    names = dict(vars(mutations[0].place.module))
    return eval(compile(ast.Expression(place.value), "the table", "eval"), names)
