"""One line changed, by the syntax tree: every way to switch off a condition, a deed, a distinction.

    not          a condition is its opposite              drops operand    one part of `and`, `or`
    drops guard  a case is taken without its condition    drops case       a case is not there
    drops deed   a statement is not there                 drops return     an early return is not there
    at bound     `<` for `<=`, and so on                  off by one       nothing is added, or taken away
    flips        True for False                           drops field      a field keeps what it had
    other        another member of an enumeration         drops row, fits  rows of the table: none, or for more

What only changes words for people is left out.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from enum import EnumType
from inspect import Parameter, signature
from typing import Any, Final, NamedTuple, TypeAlias

ONLY_TOLD: Final = frozenset({"tell", "tell_learned"})
"""Methods of a turn that do no more than say so."""
WORDS: Final = frozenset({"reason", "why", "cause", "said", "stdout", "waiting", "percent", "told_percent"})
"""Fields that are for people."""
AT_BOUND: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
NOT_OURS: Final = frozenset({"Cause"})
"""Enumerations that are words for people."""


class Change(NamedTuple):
    """`node` is the number of the node that it happens at, in the walk of its place's tree; `which` is what of it.

    `line` is that of the source; `how` is for people.
    """

    kind: str
    node: int
    which: int
    line: int
    how: str


Found: TypeAlias = Iterator[tuple[str, int, int, str]]
"""Kinds of change of one node, what of it, in which line, and how to call it."""


def changes(tree: ast.AST, names: dict[str, Any]) -> Iterator[Change]:
    """All of one place, in the order of its lines; `names` are those of its module."""
    found = [
        Change(kind, number, which, line, how)
        for number, node in enumerate(ast.walk(tree))
        for kind, which, line, how in _of(node, names)
    ]
    yield from sorted(found, key=lambda change: (change.line, change.node, change.kind, change.which))


def changed(tree: ast.AST, those: Sequence[Change], names: dict[str, Any]) -> None:
    """Make the changes in `tree`, of which none is in a part that another one takes away."""
    nodes = list(ast.walk(tree))
    for change in sorted(those, key=lambda change: (change.node, change.which), reverse=True):
        KINDS[change.kind](nodes[change.node], change.which, names)


def _of(node: ast.AST, names: dict[str, Any]) -> Found:
    yield from _conditions(node)
    yield from _statements(node)
    yield from _values(node, names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule":
        yield from _rows(node)


# ── conditions ────────────────────────────────────────────────────────────────────────────────────────────────


def _conditions(node: ast.AST) -> Found:
    match node:
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "not", 0, test.lineno, f"`{_text(test)}` is its opposite"
        case ast.BoolOp(values=values, op=op):
            word = "and" if isinstance(op, ast.And) else "or"
            for which, value in enumerate(values):
                yield "drops operand", which, value.lineno, f"`{_text(value)}` is dropped from an `{word}`"
        case ast.Compare(ops=[op], comparators=[right]) if type(op) in AT_BOUND:
            swapped = AT_BOUND[type(op)]()
            yield "at bound", 0, node.lineno, f"`{_text(ast.Compare(node.left, [swapped], [right]))}`"
        case ast.Match(cases=cases):
            yield from _cases(cases)
        case _:
            pass


def _cases(cases: list[ast.match_case]) -> Found:
    for which, case in enumerate(cases):
        pattern = _text(case.pattern)
        if case.guard is not None:
            yield "drops guard", which, case.guard.lineno, f"`{pattern}` without `{_text(case.guard)}`"
        if pattern != "_" and which + 1 < len(cases):
            guard = f" if {_text(case.guard)}" if case.guard is not None else ""
            yield "drops case", which, case.pattern.lineno, f"no case `{pattern}{guard}`"


# ── statements ────────────────────────────────────────────────────────────────────────────────────────────────


def _statements(node: ast.AST) -> Found:
    for which, statement in enumerate(_block(node)):
        match statement:
            case ast.Expr(value=ast.Call() as call) if not _only_tells(call):
                yield "drops deed", which, statement.lineno, f"no `{_text(statement)}`"
            case ast.Assign(targets=[ast.Attribute()]):
                yield "drops deed", which, statement.lineno, f"no `{_text(statement)}`"
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _mentions(value, name):
                yield "drops deed", which, statement.lineno, f"no `{_text(statement)}`"
            case ast.Return(value=None):
                yield "drops return", which, statement.lineno, "no early `return`"
            case _:
                pass


def _block(node: ast.AST) -> list[ast.stmt]:
    """The statements of a node, those of its `else` after those of its body."""
    body, others = getattr(node, "body", None), getattr(node, "orelse", None)
    return [*(body if isinstance(body, list) else ()), *(others if isinstance(others, list) else ())]


def _only_tells(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ONLY_TOLD


def _mentions(tree: ast.AST, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────


def _values(node: ast.AST, names: dict[str, Any]) -> Found:
    match node:
        case ast.Call(keywords=keywords):
            for which, keyword in enumerate(keywords):
                if keyword.arg is not None and keyword.arg not in WORDS and _may_be_dropped(node, keyword.arg, names):
                    yield "drops field", which, keyword.value.lineno, f"no `{keyword.arg}={_text(keyword.value)}`"
                if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool):
                    how = f"`{keyword.arg}={not keyword.value.value}`"
                    yield "flips", which, keyword.value.lineno, how
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant(value=int())):
            yield "off by one", 0, node.lineno, f"`{_text(left)}` for `{_text(node)}`"
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if _is_member(names, owner, name):
            other = _next_member(names[owner], name)
            yield "other", 0, node.lineno, f"`{owner}.{other}` for `{owner}.{name}`"
        case _:
            pass


def _may_be_dropped(call: ast.Call, field: str, names: dict[str, Any]) -> bool:
    """Whether the call is one of `replace`, or of what has another value for that."""
    if not isinstance(call.func, ast.Name):
        return False
    if call.func.id == "replace":
        return True
    called = names.get(call.func.id)
    if not isinstance(called, type) or call.func.id == "Rule":
        return False
    parameter = signature(called).parameters.get(field)
    return parameter is not None and parameter.default is not Parameter.empty


def _is_member(names: dict[str, Any], owner: str, name: str) -> bool:
    kind = names.get(owner)
    return owner not in NOT_OURS and isinstance(kind, EnumType) and name in kind.__members__


def _next_member(kind: Any, name: str) -> str:
    members = list(kind.__members__)
    return str(members[(members.index(name) + 1) % len(members)])


# ── the table ─────────────────────────────────────────────────────────────────────────────────────────────────

ROW: Final = ("ended", "reached", "restarted", "policy", "remedy", "why")


def _rows(row: ast.Call) -> Found:
    """Of a call of Rule: with another remedy is `other` already."""
    why = ast.literal_eval(row.args[-1])
    for which, name in list(enumerate(ROW))[1:4]:
        value = row.args[which]
        if not (isinstance(value, ast.Constant) and value.value is None):
            yield "fits", which, row.lineno, f'"{why}": whatever `{name}`'
    yield "drops row", 0, row.lineno, f'no row "{why}"'


# ── how each is made ──────────────────────────────────────────────────────────────────────────────────────────


def _negate(node: Any, which: int, names: dict[str, Any]) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _drop_operand(node: Any, which: int, names: dict[str, Any]) -> None:
    del node.values[which]
    if len(node.values) == 1:
        node.values *= 2


def _swap(node: Any, which: int, names: dict[str, Any]) -> None:
    node.ops = [AT_BOUND[type(node.ops[0])]()]


def _drop_guard(node: Any, which: int, names: dict[str, Any]) -> None:
    node.cases[which].guard = ast.Constant(True)


def _drop_case(node: Any, which: int, names: dict[str, Any]) -> None:
    del node.cases[which]


def _drop_statement(node: Any, which: int, names: dict[str, Any]) -> None:
    block = node.body if which < len(node.body) else node.orelse
    block[which if block is node.body else which - len(node.body)] = ast.Pass()


def _drop_field(node: Any, which: int, names: dict[str, Any]) -> None:
    del node.keywords[which]


def _flip(node: Any, which: int, names: dict[str, Any]) -> None:
    value = node.keywords[which].value
    value.value = not value.value


def _stay(node: Any, which: int, names: dict[str, Any]) -> None:
    node.right = ast.Constant(0)


def _take_another(node: Any, which: int, names: dict[str, Any]) -> None:
    node.attr = _next_member(names[node.value.id], node.attr)


def _fit(node: Any, which: int, names: dict[str, Any]) -> None:
    node.args[which] = ast.Constant(None)


def _drop_row(node: Any, which: int, names: dict[str, Any]) -> None:
    node.args[0] = ast.Tuple([], ast.Load())


KINDS: Final[dict[str, Callable[[Any, int, dict[str, Any]], None]]] = {
    "not": _negate,
    "drops operand": _drop_operand,
    "at bound": _swap,
    "drops guard": _drop_guard,
    "drops case": _drop_case,
    "drops deed": _drop_statement,
    "drops return": _drop_statement,
    "drops field": _drop_field,
    "flips": _flip,
    "off by one": _stay,
    "other": _take_another,
    "fits": _fit,
    "drops row": _drop_row,
}


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())
