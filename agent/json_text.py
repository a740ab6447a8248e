"""JSON that somebody else wrote, read within bounds that are the same wherever and how often it is read.

Python's reader goes as deep as the stack happens to allow, takes NaN, rounds 1e999 to infinity, and lets the last of
two members of one name count, which another reader may see otherwise. What two readers could understand in two ways,
or only sometimes, is not read here at all; the reason is in words.
"""

import json
import re
from collections import Counter
from math import isinf
from typing import Any, Final, NoReturn

DEEPEST: Final = 200
"""Levels of lists and objects in each other, as pydantic's reader has it: far below any stack, far above any use."""
LONGEST_NUMBER: Final = 400
"""Characters. A double takes at most 309 digits before its point; above 4300 Python refuses by itself."""
TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A text in quotes, be it without its end, so that nothing is looked at twice; or a bracket."""


def read_json_text(text: str) -> Any:
    """The value. Raises ValueError that says what is wrong with it."""
    if text.count("[") + text.count("{") > DEEPEST and is_deeper(text, DEEPEST):
        raise ValueError(f"nested more than {DEEPEST} deep")
    try:
        value = json.loads(
            text, object_pairs_hook=_members, parse_int=_whole, parse_float=_decimal, parse_constant=_no_number
        )
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: {error}") from None
    except UnicodeEncodeError:
        raise ValueError("no Unicode text: it has half of a surrogate pair, or bytes that are not UTF-8") from None
    return value


def is_deeper(text: str, levels: int) -> bool:
    """Whether brackets stand in each other more than so often; those in quotes do not count."""
    depth = 0
    for token in TOKEN.finditer(text):
        first = text[token.start()]
        if first in "[{":
            depth += 1
            if depth > levels:
                return True
        elif first in "]}":
            depth -= 1
    return False


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"it has a member twice: {twice[:64]!r}")
    return members


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(digits)} digits")
    number = float(digits)
    if isinf(number):
        raise ValueError(f"a number that is too large: {digits[:40]}")
    return number


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
