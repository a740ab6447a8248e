"""Fleet indexing queries, as far as the registry goes (Developer Guide, "Query syntax").

    thingName:pump-* AND attributes.firmware:[1 TO 3] AND -thingGroupNames:frozen

A query is Lucene's syntax without fuzziness, boosting, proximity and regular expressions; words without an operator
between them must all match. Case does not matter. What a query may ask of shadows, connectivity and Device Defender is
indexed nowhere here, and is refused.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from operator import ge, gt, le, lt
from typing import Any, Final, TypeAlias

from luqum import tree
from luqum.exceptions import ParseError
from luqum.parser import parser

from simulator.cloud.registry.records import Thing
from simulator.cloud.registry.registry_errors import RegistryError

LONGEST: Final = 1000
LONGEST_WITH_LEADING_WILDCARD: Final = 100
"""Characters."""
MOST_TERMS: Final = 12
DEEPEST: Final = 40
"""Levels, so that reading a query and asking it needs little of the stack; the number is ours."""
FORBIDDEN: Final = frozenset("`@#%/';,")
ATTRIBUTES: Final = "attributes."
_LEADING_WILDCARD: Final = re.compile(r"(?:^|[:(\s])[*?][^\s)]")
_NUMBER: Final = re.compile(r"[+-]?[0-9.]{1,40}")
_TOKEN: Final = re.compile(r"\\(.)|([*?])|([^\\*?]+)", re.DOTALL)


class Indexed:
    """What a query may ask of a thing; `groups` tells the names of a thing's groups. Most queries ask for one field of
    a hundred thousand things, so a field is looked at when it is asked for, and its case folded once for all queries.
    """

    __slots__ = ("_folded", "_groups", "_thing")

    def __init__(self, thing: Thing, groups: Callable[[str], tuple[str, ...]]) -> None:
        self._thing = thing
        self._groups = groups
        self._folded: dict[str, tuple[str, ...]] = {}

    def of(self, field: str) -> tuple[str, ...]:
        """The values of a field, in lower case; none if the thing has no such field."""
        folded = self._folded
        if field in folded:
            return folded[field]
        found: tuple[str, ...] = ()
        if (read := _READ.get(field)) is not None:
            found = tuple([value.casefold() for value in read(self._thing, self._groups)])
        else:
            wanted = field[len(ATTRIBUTES) :]
            for name, value in self._thing.attributes:
                if name == wanted:
                    found = (value.casefold(),)
                    break
        folded[field] = found
        return found

    def of_all(self) -> Iterator[str]:
        """The values of every field."""
        for field in (*FIELDS, *[ATTRIBUTES + name for name, _ in self._thing.attributes]):
            yield from self.of(field)

    def text(self) -> str:
        """The values of every field in one: what does not stand in it stands in none."""
        thing = self._thing
        known = [read(thing, self._groups) for read in _READ.values()]
        return "\n".join([*chain(*known), *[value for _, value in thing.attributes]]).casefold()


_READ: Final[dict[str, Callable[[Thing, Callable[[str], tuple[str, ...]]], tuple[str, ...]]]] = {
    "thingName": lambda thing, _: (thing.name,),
    "thingId": lambda thing, _: (thing.thing_id,),
    "thingTypeName": lambda thing, _: () if thing.thing_type is None else (thing.thing_type,),
    "thingGroupNames": lambda thing, groups: groups(thing.name),
}
FIELDS: Final = tuple(_READ)
Test: TypeAlias = Callable[[Indexed], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was read; `matches` is asked of what is `Indexed` of a thing."""

    text: str
    matches: Test


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


def _any(holds: Callable[[str], object], field: str | None, needle: str = "") -> Test:
    """Whether it holds of a value of that field, or of any field, if none is named. It holds of no value in which the
    `needle` does not stand: to look for that first is a tenth of the work.
    """

    def in_field(thing: Indexed) -> bool:
        for value in thing.of(field or ""):  # noqa: SIM110 - half the time of any()
            if needle in value and holds(value):
                return True
        return False

    def in_any_field(thing: Indexed) -> bool:
        return needle in thing.text() and any(map(holds, thing.of_all()))

    return in_any_field if field is None else in_field


def _word(node: Any, field: str | None) -> Test:
    """A word of a value, with wildcards in it; or the value as a whole; or the words of a phrase, one after another."""
    is_phrase = isinstance(node, tree.Phrase)
    text = node.value[1:-1] if is_phrase else node.value
    if text == "*":
        return (lambda thing: True) if field is None else (lambda thing: bool(thing.of(field)))  # all have a name
    text = text.casefold()
    pattern = re.compile(rf"(?:\A|\s)(?:{_pattern(text, has_wildcards=not is_phrase)})(?:\s|\Z)")
    plain = [escaped or piece for escaped, _, piece in _TOKEN.findall(text)]
    return _any(pattern.search, field, max(plain, key=len, default=""))


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
    texts = [
        (text.casefold(), compare)
        for text, compare in ((low, ge if includes_low else gt), (high, le if includes_high else lt))
        if text != "*"
    ]
    numbers = [number for text, _ in texts if (number := _number(text)) is not None]
    if not texts or len(numbers) < len(texts):
        return _any(lambda value: _is_within(value, texts), field)
    ends = [(number, compare) for number, (_, compare) in zip(numbers, texts, strict=True)]
    return _any(lambda value: (number := _number(value)) is not None and _is_within(number, ends), field)


def _is_within(value: Any, ends: list[tuple[Any, Callable[[Any, Any], bool]]]) -> bool:
    for end, compare in ends:  # noqa: SIM110 - half the time of all()
        if not compare(value, end):
            return False
    return True


def _number(text: str) -> float | None:
    try:
        return float(text) if _NUMBER.fullmatch(text) else None
    except ValueError:
        return None
