"""JSON as people and programs write it: white space, escapes, numbers and the order of members as they come."""

from typing import Any, Final

from hypothesis import strategies as st

_SPACE: Final = st.text(" \t\r\n", max_size=2)
_NUMBERS: Final = st.from_regex(r"-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?", fullmatch=True)
_PLAIN: Final = st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters='"\\')
_ESCAPES: Final = st.sampled_from(
    [
        r"\"",
        r"\\",
        r"\/",
        r"\b",
        r"\f",
        r"\n",
        r"\r",
        r"\t",
        r"\u0000",
        r"\u0041",
        r"\u00e9",
        r"\u00E9",
        r"\ud83d\ude00",
    ]
)
_STRINGS: Final = st.lists(_PLAIN | _ESCAPES, max_size=6).map(lambda pieces: f'"{"".join(pieces)}"')


def _between(brackets: str, items: list[str], space: str) -> str:
    return f"{brackets[0]}{space}{f'{space},{space}'.join(items)}{space}{brackets[1]}"


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.tuples(_STRINGS, _SPACE, _SPACE, inner).map(lambda each: f"{each[0]}{each[1]}:{each[2]}{each[3]}")
    arrays: st.SearchStrategy[Any] = st.builds(_between, st.just("[]"), st.lists(inner, max_size=4), _SPACE)
    return arrays | st.builds(_between, st.just("{}"), st.lists(members, max_size=4), _SPACE)


def json_texts() -> st.SearchStrategy[str]:
    """Texts that are JSON; a member may be named twice."""
    scalars = _NUMBERS | _STRINGS | st.sampled_from(["true", "false", "null", "1E3", "1.10", "-0", "1e-400"])
    values = st.recursive(scalars, _containers, max_leaves=12)
    return st.tuples(_SPACE, values, _SPACE).map("".join)
