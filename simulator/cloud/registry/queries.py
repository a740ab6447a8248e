"""Fleet indexing queries, as far as the registry goes (Developer Guide, "Query syntax").

    thingName:pump-* AND attributes.firmware:[1 TO 3] AND -thingGroupNames:frozen

A query is Lucene's syntax without fuzziness, boosting, proximity and regular expressions; words without an operator
between them must all match. Case does not matter. What a query may ask of shadows, connectivity and Device Defender is
indexed nowhere here, and is refused.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from luqum import tree
from luqum.exceptions import ParseError
from luqum.parser import parser

from simulator.cloud.registry.errors import RegistryError
from simulator.cloud.registry.records import Thing

LONGEST: Final = 1000
LONGEST_WITH_LEADING_WILDCARD: Final = 100
"""Characters."""
MOST_TERMS: Final = 12
DEEPEST: Final = 40
"""Levels, so that reading a query and asking it needs little of the stack; the number is ours."""
FORBIDDEN: Final = frozenset("`@#%/';,")
ATTRIBUTES: Final = "attributes."
FIELDS: Final = ("thingName", "thingId", "thingTypeName", "thingGroupNames")
_LEADING_WILDCARD: Final = re.compile(r"(?:^|[:(\s])[*?][^\s)]")
_TOKEN: Final = re.compile(r"\\(.)|([*?])|([^\\*?]+)", re.DOTALL)
Indexed: TypeAlias = dict[str, tuple[str, ...]]
"""What is known of a thing, by field: values in lower case."""
Test: TypeAlias = Callable[[Indexed], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read; `matches` is asked of `indexed` things."""

    text: str
    matches: Test


def indexed(thing: Thing, groups: tuple[str, ...]) -> Indexed:
    """What a query may ask of a thing that is in `groups`."""
    known: dict[str, tuple[str | None, ...]] = {
        "thingName": (thing.name,),
        "thingId": (thing.thing_id,),
        "thingTypeName": (thing.thing_type,),
        "thingGroupNames": groups,
    } | {f"{ATTRIBUTES}{name}": (value,) for name, value in thing.attributes}
    return {field: tuple(value.casefold() for value in values if value is not None) for field, values in known.items()}


def read(text: str) -> Query:
    """Read a query. Raises RegistryError."""
    if len(text) > LONGEST:
        raise _invalid(f"it is longer than {LONGEST} characters")
    if forbidden := sorted(FORBIDDEN & set(text)):
        raise _invalid(f"it has the special character {forbidden[0]}")
    leading = len(_LEADING_WILDCARD.findall(text))
    if leading > 1 or (leading and len(text) > LONGEST_WITH_LEADING_WILDCARD):
        raise _invalid(f"one term may begin with a wildcard, in at most {LONGEST_WITH_LEADING_WILDCARD} characters")
    try:
        root = parser.parse(text)
    except ParseError as error:
        raise _invalid(str(error)) from None
    except (ValueError, ArithmeticError):  # luqum reads the numbers after ~ and ^ without asking whether they are any
        raise _invalid("a number after ~ or ^ is none, and neither is in the query syntax") from None
    _check_size(root)
    return Query(text, _test(root, None))


def _invalid(why: str) -> RegistryError:
    return RegistryError("InvalidQuery", f"Invalid query: {why}.")


def _check_size(root: tree.Item) -> None:
    terms, left = 0, [(root, 1)]
    while left:
        node, depth = left.pop()
        if depth > DEEPEST:
            raise _invalid(f"it is nested more than {DEEPEST} deep")
        if isinstance(node, tree.Term | tree.Range | tree.OpenRange):
            terms += 1
        else:
            left += ((child, depth + 1) for child in node.children)
    if terms > MOST_TERMS:
        raise _invalid(f"it has more than {MOST_TERMS} terms")


# ── what a node of the query asks ─────────────────────────────────────────────────────────────────────────────


def _test(node: tree.Item, field: str | None) -> Test:
    match node:
        case tree.Group() | tree.FieldGroup() | tree.Plus():
            return _test(node.children[0], field)
        case tree.Not() | tree.Prohibit():
            inner = _test(node.children[0], field)
            return lambda thing: not inner(thing)
        case tree.AndOperation() | tree.UnknownOperation():
            every = [_test(child, field) for child in node.children]
            return lambda thing: all(test(thing) for test in every)
        case tree.OrOperation():
            some = [_test(child, field) for child in node.children]
            return lambda thing: any(test(thing) for test in some)
        case tree.SearchField() if field is None:
            return _test(node.children[0], _field(node.name))
        case tree.Word() | tree.Phrase():
            return _word(node, field)
        case tree.Range():
            return _within(field, node.low.value, node.high.value, node.include_low, node.include_high)
        case tree.From():
            return _within(field, node.a.value, "*", node.include, True)
        case tree.To():
            return _within(field, "*", node.a.value, True, node.include)
        case _:
            raise _invalid(f"{str(node).strip()[:100]} is nothing that the query syntax has")


def _field(name: str) -> str:
    if name in FIELDS or name.startswith(ATTRIBUTES):
        return name
    raise _invalid(f"field {name[:100]} is not indexed here; {', '.join(FIELDS)} and {ATTRIBUTES}NAME are")


def _values(thing: Indexed, field: str | None) -> Iterator[str]:
    """Of a field, or of all, if none is named."""
    if field is not None:
        yield from thing.get(field, ())
    else:
        for values in thing.values():
            yield from values


def _word(node: Any, field: str | None) -> Test:
    """A word of a value, with wildcards in it; or the value as a whole; or the words of a phrase, one after another."""
    is_phrase = isinstance(node, tree.Phrase)
    text = node.value[1:-1] if is_phrase else node.value
    pattern = re.compile(rf"(?:\A|\s)(?:{_pattern(text.casefold(), has_wildcards=not is_phrase)})(?:\s|\Z)")
    whole = text == "*"
    return lambda thing: any(whole or pattern.search(value) is not None for value in _values(thing, field))


def _pattern(text: str, *, has_wildcards: bool) -> str:
    between_stars = [""]
    for escaped, wildcard, plain in _TOKEN.findall(text):
        if wildcard == "*" and has_wildcards:
            between_stars.append("")
        else:
            is_any = wildcard and has_wildcards
            between_stars[-1] += r"\S" if is_any else re.escape(escaped or wildcard or plain)
    head, *rest = between_stars
    if not rest:
        return head
    # What stands between two stars is sought once and never again (atomic groups), so no query is slow to match.
    return head + "".join(rf"(?>\S*?{part})" for part in rest[:-1] if part) + r"\S*" + rest[-1]


def _within(field: str | None, low: str, high: str, includes_low: bool, includes_high: bool) -> Test:
    """Numbers by their size where both ends are numbers, and everything else as text; `*` is no bound."""
    bounds = [(low.casefold(), 1, includes_low), (high.casefold(), -1, includes_high)]
    numbers = [None if text == "*" else _number(text) for text, _, _ in bounds]
    ends = [number for number, (text, _, _) in zip(numbers, bounds, strict=True) if text != "*"]
    as_numbers = bool(ends) and None not in ends

    def holds(value: str) -> bool:
        number = _number(value) if as_numbers else None
        if as_numbers and number is None:
            return False
        for bound, (text, sign, included) in zip(numbers, bounds, strict=True):
            if text == "*":
                continue
            order = _order(number, bound) if number is not None and bound is not None else _order(value, text)
            if order * sign < 0 or (order == 0 and not included):
                return False
        return True

    return lambda thing: any(holds(value) for value in _values(thing, field))


def _order(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _number(text: str) -> float | None:
    try:
        return float(text) if re.fullmatch(r"[+-]?[0-9.]{1,40}", text) else None
    except ValueError:
        return None
