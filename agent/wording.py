"""What is wrong with a value, in our own words: what is allowed, and what was perhaps meant.

pydantic says what it found ("Input should be a valid integer, unable to parse string as an integer"). Whoever reads
that has written a file or a message and wants to know what to write instead. Every error that a person gets to see from
a model goes through `first_wrong`; WORDS has each of pydantic's error types that our models can raise.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import ValidationError

Where: TypeAlias = tuple[int | str, ...]
SHOWN_CHARACTERS: Final = 40
"""Of a value that is told again."""
CLASS: Final = re.compile(r"\^\[([^\]^][^\]]*)\](\+|\{(\d+),(\d+)\}|\{(\d+)\})\$")
"""A pattern that is one class of characters, so often: ours mostly are."""
RANGES: Final = (("a-zA-Z", "letters"), ("A-Za-z", "letters"), ("a-fA-F", "a to f"), ("0-9", "digits"))
"""What stands in such a class, in words; all else is the character itself."""


class Wrong(NamedTuple):
    """One thing that is wrong, and where: keys, and numbers in lists, from the outside to the inside."""

    where: Where
    what: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (dotted(self.where), self.what)))


def first_wrong(error: ValidationError, schema: Callable[[], dict[str, Any]] | None = None) -> Wrong:
    """The first of what is wrong. `schema` gives the JSON Schema that knows which keys there are.

    Where one is needed and another is not known, perhaps that was meant for it: the one that is there is told.
    """
    first, *others = error.errors(include_url=False)
    if first["type"] == "missing":
        beside = (each for each in others if each["type"] in UNKNOWN_KEY and each["loc"][:-1] == first["loc"][:-1])
        first = next(beside, first)
    where: Where = first["loc"]
    kind = first["type"]
    if kind in UNKNOWN_KEY:
        return Wrong(where, _unknown_key(str(where[-1]), where[:-1], schema() if schema else {}))
    words = WORDS.get(kind)
    given = shown(first["input"])
    return Wrong(where, words(first.get("ctx", {}), given) if words else f"{first['msg']}, not {given}")


def dotted(where: Where) -> str:
    """A place, as `jobs.0.id`."""
    return ".".join(str(part) for part in where)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A question to append, if one of the choices is close to what was said; else nothing."""
    close = get_close_matches(word, list(choices), 1)
    return f"; did you mean {close[0]}?" if close else ""


def unknown_key(key: str, choices: Iterable[str], deeper: Iterable[str] = ()) -> str:
    """What to say of a key that there is not; without any choices, no more than that. `deeper` is where it has one."""
    keys = list(choices)
    known = f"; the keys here are {', '.join(keys)}" if keys else ""
    below = "".join(f"; did you mean {name}.{key}?" for name in deeper)
    return f"unknown key{known}{below or did_you_mean(key, keys)}"


def _unknown_key(key: str, where: Where, schema: Mapping[str, Any]) -> str:
    keys = keys_at(schema, where)
    return unknown_key(key, keys, (name for name in keys if key in keys_at(schema, (*where, name))))


def no_choice(word: str, choices: Iterable[str]) -> str:
    """What to say of a value that is none of those that there are; `word` is as it will be told."""
    names = list(choices)
    if len(names) < 2:
        return f"give {''.join(names)}, not {word}"
    return f"give one of {', '.join(names)}, not {word}{did_you_mean(word.strip(QUOTES), names)}"


QUOTES: Final = "'\""


def shown(value: object) -> str:
    """A value as its writer knows it, and not too much of it."""
    match value:
        case dict():
            return "a mapping"
        case list() | tuple() | set() | frozenset():
            return "a list"
        case None | bool():
            return json.dumps(value)
        case str() | bytes():
            text = value if isinstance(value, str) else value.decode("utf-8", "replace")
            cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
            return repr(cut)
        case _:
            return str(value)[:SHOWN_CHARACTERS]


def keys_at(schema: Mapping[str, Any], where: Where) -> tuple[str, ...]:
    """The keys that may stand at a place, by a JSON Schema; none if it does not say."""
    definitions, here = schema.get("$defs", {}), _resolved(schema, schema)
    for part in where:
        properties = here.get("properties", {})
        if isinstance(part, int):
            here = here.get("items", {})
        else:
            here = properties.get(part, here.get("additionalProperties") or {})
        if not isinstance(here, Mapping):
            return ()
        here = next((choice for choice in here.get("anyOf", [here]) if choice.get("type") != "null"), here)
        here = _resolved(here, {"$defs": definitions})
    return tuple(here.get("properties", {}))


def _resolved(here: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return schema.get("$defs", {}).get(here["$ref"].rsplit("/", 1)[-1], {}) if "$ref" in here else here


PATTERNS: Final[Mapping[str, str]] = {
    r"^https?://[^\s\x00-\x1f]+$": "a URL that begins with http:// or https://, without spaces",
    r"^[^\x00-\x1f]+$": "text without control characters",
    r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$": "one line of text, without control characters",
    r"^[^\p{C}]+$": "text without control characters",
    r"^[A-Za-z0-9._-]{0,64}\$?$": "a user's name",
}
"""Those that are more than a class of characters."""


def pattern_words(pattern: str) -> str:
    """What text a regular expression allows."""
    found = CLASS.fullmatch(pattern)
    if found is None:
        return PATTERNS.get(pattern, f"text that matches {pattern}")
    inside, often, least, most, exactly = found.groups()
    words = []
    for letters, word in RANGES:
        if letters in inside:
            inside = inside.replace(letters, "", 1)
            words.append(word)
    words += list(inside.replace("\\", ""))
    many = "one or more" if often == "+" else exactly or f"{least} to {most}"
    return f"{many} of {', '.join(words)}"


UNKNOWN_KEY: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_Words: TypeAlias = Callable[[Mapping[str, Any], str], str]


def _give(what: str) -> _Words:
    return lambda _, given: f"give {what}, not {given}"


def _expected(context: Mapping[str, Any], given: str) -> str:
    return no_choice(given, re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]])


_WHOLE, _NUMBER, _LIST, _MAPPING = _give("a whole number"), _give("a number"), _give("a list"), _give("a mapping")

WORDS: Final[Mapping[str, _Words]] = {
    "missing": lambda _, given: "needed, and not there",
    "missing_argument": lambda _, given: "needed, and not there",
    "value_error": lambda context, given: str(context["error"]),
    "assertion_error": lambda context, given: str(context["error"]),
    "literal_error": _expected,
    "enum": _expected,
    "bool_type": _give("true or false"),
    "bool_parsing": _give("true or false"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _give("a smaller whole number"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _give("a finite number"),
    "greater_than": lambda context, given: f"give more than {context['gt']:.12g}, not {given}",
    "greater_than_equal": lambda context, given: f"give {context['ge']:.12g} or more, not {given}",
    "less_than": lambda context, given: f"give less than {context['lt']:.12g}, not {given}",
    "less_than_equal": lambda context, given: f"give {context['le']:.12g} or less, not {given}",
    "string_type": _give("text"),
    "string_unicode": _give("Unicode text"),
    "string_pattern_mismatch": lambda context, given: f"give {pattern_words(context['pattern'])}, not {given}",
    "string_too_short": lambda context, given: f"give {_many(context['min_length'], 'character')} or more, not {given}",
    "string_too_long": lambda context, given: f"give {_many(context['max_length'], 'character')} or less, not {given}",
    "bytes_type": _give("bytes"),
    "path_type": _give("a path"),
    "is_instance_of": lambda context, given: f"give a {context['class']}, not {given}",
    "none_required": _give("null, or leave it out"),
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dataclass_type": _MAPPING,
    "invalid_key": _give("a key that is text"),
    "too_short": lambda context, given: f"give at least {_many(context['min_length'], 'item')}",
    "too_long": lambda context, given: f"give at most {_many(context['max_length'], 'item')}",
    "union_tag_invalid": lambda context, given: no_choice(
        shown(context["tag"]), re.findall(r"'([^']*)'", context["expected_tags"])
    ),
    "union_tag_not_found": lambda context, given: f"needed: {context['discriminator'].strip(QUOTES)}",
    "json_invalid": lambda context, given: f"this is no JSON: {context['error']}",
    "json_type": _give("JSON"),
    "recursion_loop": lambda _, given: "it contains itself",
}
"""By pydantic's error type: its context, and the value as it was given, in; what is wrong, out."""


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
