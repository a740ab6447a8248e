"""Types, defaults and meanings of fields, in words, from the models themselves."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from agent.wording import pattern_words

WIDTH: Final = 110
ENTRY: Final = re.compile(r"([a-z_]+(?:, [a-z_]+)*): (.+)")
"""How the docstring of settings begins what it says of one of them, or of several."""


class Field(NamedTuple):
    """One key; `default` is as JSON has it, and empty if there is none, `is_needed` if there must be a value."""

    name: str
    kind: str
    default: str
    is_needed: bool
    meaning: str

    def item(self) -> str:
        """As an item of a list."""
        default = "needed" if self.is_needed else f"default {self.default}" if self.default else ""
        about = "; ".join(filter(None, (self.kind, default)))
        return wrapped(f"- **`{self.name}`** ({about})" + (f": {self.meaning}" if self.meaning else ""))


def fields_of(kind: type, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Field]:
    """The fields of a model or dataclass, whose JSON Schema is `schema`."""
    meanings = meanings_of(kind)
    for name, property_ in schema["properties"].items():
        default = property_.get("default")
        shown = "" if default in (None, [], {}, "") or isinstance(default, dict) else f"`{_plain(default)}`"
        needed = name in schema.get("required", ())
        yield Field(name, in_words(property_, definitions), shown, needed, meanings.get(name, ""))


def _plain(value: object) -> str:
    """A value as one writes it in YAML."""
    return f"{value:g}" if isinstance(value, float) else json.dumps(value).strip('"')


def in_words(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """What a value may be."""
    match schema:
        case {"$ref": str(ref)}:
            name = ref.rsplit("/", 1)[-1]
            target = definitions[name]
            return in_words(target, definitions) if "properties" not in target else REFERRED.get(name, "a mapping")
        case {"anyOf": choices}:
            return " or ".join(in_words(each, definitions) for each in choices if each != {"type": "null"})
        case {"enum": values}:
            choices = ", ".join(f"`{value}`" for value in values if value != "")
            return f"empty or one of {choices}" if "" in values else f"one of {choices}"
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array", "prefixItems": items}:
            return "a pair" if len(items) == 2 else f"a list of {len(items)}"
        case {"type": "array", "items": items}:
            each = in_words(items, definitions)
            return "a list" if each == "a mapping" else f"a list of {PLURALS.get(each, each)}"
        case {"type": "object", "additionalProperties": {"type": "number"}}:
            return "a mapping of patterns to seconds"
        case {"type": "object"}:
            return "a mapping"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "integer" | "number" as kind}:
            return _number(schema, "whole number" if kind == "integer" else "number")
        case {"type": "string", "pattern": pattern} if pattern == NAME:
            return "a name"
        case {"type": "string", "pattern": pattern}:
            return f"text: {pattern_words(pattern)}"
        case {"type": "string"}:
            return "text"
        case _:
            return "anything"


NAME: Final = "^[a-zA-Z0-9_-]{1,64}$"
REFERRED: Final = {"ExecutionKey": "an execution"}
"""What is not told in full each time."""
PLURALS: Final = {"a name": "names", "an execution": "executions", "text": "texts"}


def _number(schema: Mapping[str, Any], noun: str) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if (least, most) == (0, 86_400):
        return "seconds, at most a day"
    above = schema.get("exclusiveMinimum")
    low = f" above {above:g}" if above is not None else f" from {least:g}" if least is not None else ""
    high = f" to {most:.12g}" if most is not None else " on" if least is not None else ""
    return f"a {noun}{low}{high}"


def meanings_of(kind: type) -> dict[str, str]:
    """What is said of each field: below it, or in the docstring of its class, as `name: text`."""
    told: dict[str, str] = {}
    for each in reversed([base for base in kind.__mro__ if _is_ours(base)]):
        told |= dict(_in_docstring(each)) | dict(_below_fields(each))
    return told


def _below_fields(kind: type) -> Iterator[tuple[str, str]]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, _sentence(text)


def _in_docstring(kind: type) -> Iterator[tuple[str, str]]:
    for paragraph in re.split(r"\n(?=\S)", inspect.cleandoc(kind.__doc__ or "")):
        if entry := ENTRY.fullmatch(one_line(paragraph)):
            yield from ((name, _sentence(entry[2])) for name in entry[1].split(", "))


def _as_json(text: str) -> str:
    """Values that Python spells in its own way, as they stand in files."""
    return re.sub(r"\b(None|True|False)\b", lambda found: JSON[found[1]], text)


JSON: Final = {"None": "null", "True": "true", "False": "false"}


def _sentence(text: str) -> str:
    """It begins with a capital, unless with a name."""
    line = _as_json(one_line(text))
    return line if "_" in line.split()[0] else line[0].upper() + line[1:]


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith(("agent", "simulator"))


def one_line(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.split())


def wrapped(item: str) -> str:
    """An item of a list, in lines that are not too long."""
    return filled(item, "  ")


def filled(text: str, indent: str = "") -> str:
    """A paragraph, in lines that are not too long; blanks at its beginning stay."""
    first = text[: len(text) - len(text.lstrip())]
    wrapper = textwrap.TextWrapper(WIDTH, first, indent, break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(one_line(text))


def about(kind: type) -> str:
    """The docstring of a class, and of those beside it that it is made from, in paragraphs."""
    told = [each.__doc__ for each in kind.__mro__ if each is kind or (inspect.get_annotations(each) and _is_ours(each))]
    paragraphs = [_as_json(one_line(each)) for doc in told for each in inspect.cleandoc(doc or "").split("\n\n")]
    return "\n\n".join(map(filled, paragraphs)) + "\n"
