"""What is wrong with a value, in our own words: of every error that one of our models can raise."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError

import agent
import simulator
from agent.values import Status
from agent.wording import UNKNOWN_KEY, WORDS, Wrong, did_you_mean, first_wrong, keys_at, pattern_words, shown
from simulator import scenario

BY_SCHEMA: Mapping[str, tuple[str, ...]] = {
    "bool": ("bool_type", "bool_parsing"),
    "dataclass": ("dataclass_type",),
    "dataclass-args": ("missing",),
    "dict": ("dict_type",),
    "enum": ("enum",),
    "float": ("float_type", "float_parsing"),
    "function-after": ("value_error", "assertion_error"),
    "function-before": ("value_error", "assertion_error"),
    "function-plain": ("value_error", "assertion_error"),
    "int": ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
    "is-instance": ("is_instance_of",),
    "list": ("list_type",),
    "literal": ("literal_error",),
    "model": ("model_type",),
    "model-fields": ("missing", "model_attributes_type"),
    "none": ("none_required",),
    "str": ("string_type", "string_unicode"),
    "tagged-union": ("union_tag_invalid", "union_tag_not_found"),
    "tuple": ("tuple_type", "missing"),
    **dict.fromkeys(
        (
            "any",
            "chain",
            "dataclass-field",
            "default",
            "definition-ref",
            "definitions",
            "function-wrap",
            "json-or-python",
        ),
        (),
    ),
    **dict.fromkeys(("lax-or-strict", "model-field", "nullable", "union", "no-info", "with-info"), ()),
}
"""What each kind of pydantic's core schemas can raise, without its bounds."""
BY_BOUND: Mapping[str, str] = {
    "gt": "greater_than",
    "ge": "greater_than_equal",
    "lt": "less_than",
    "le": "less_than_equal",
    "pattern": "string_pattern_mismatch",
}


def our_models() -> Iterator[tuple[str, Any]]:
    """Every model and adapter of the project, with its core schema."""
    for package in (agent, simulator):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__"):
                continue
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                if inspect.isclass(value) and issubclass(value, BaseModel) and value.__module__ == found.name:
                    yield f"{found.name}.{name}", value.__pydantic_core_schema__
                elif isinstance(value, TypeAdapter):
                    value.rebuild()  # some are built when they are first used
                    yield f"{found.name}.{name}", value.core_schema


def nodes(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from nodes(value)


def raised_by(node: dict[str, Any]) -> Iterator[str]:
    kind = node["type"]
    yield from BY_SCHEMA[kind]
    yield from (error for bound, error in BY_BOUND.items() if bound in node)
    lengths = ("string_too_short", "string_too_long") if kind == "str" else ("too_short", "too_long")
    yield from (error for bound, error in zip(("min_length", "max_length"), lengths, strict=True) if bound in node)
    if "extra_behavior" in node or "extras_behavior" in node:
        yield "unexpected_keyword_argument" if kind == "dataclass-args" else "extra_forbidden"


def test_every_error_that_our_models_can_raise_has_words():
    models = dict(our_models())
    assert len(models) > 50
    raised = {error for schema in models.values() for node in nodes(schema) for error in raised_by(node)}
    assert sorted(raised - WORDS.keys() - UNKNOWN_KEY) == []
    assert sorted(raised - {error for error, *_ in TABLE}) == []


def test_every_pattern_of_our_models_has_words():
    patterns = {node["pattern"] for _, schema in our_models() for node in nodes(schema) if "pattern" in node}
    assert [pattern for pattern in sorted(patterns) if "matches" in pattern_words(pattern)] == []


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int


class Dog(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["dog"]
    name: str = ""


class Cat(BaseModel):
    kind: Literal["cat"]


Pet = Annotated[Dog | Cat, Field(discriminator="kind")]


@dataclass
class Spot:
    __pydantic_config__ = ConfigDict(extra="forbid")
    x: int


def refuse(value: str) -> str:
    raise ValueError(f"{value}: there is none")


def disbelieve(value: str) -> str:
    raise AssertionError("never")


TABLE = [
    ("bool_type", bool, [], "give true or false, not a list"),
    ("bool_parsing", bool, "maybe", "give true or false, not 'maybe'"),
    ("dataclass_type", Point, 3, "give a mapping, not 3"),
    ("missing", Point, {}, "x: needed, and not there"),
    ("dict_type", dict[str, int], "a", "give a mapping, not 'a'"),
    ("enum", Status, "DONE", None),
    ("enum", Colour, "rde", "give red, not 'rde'"),
    ("float_type", float, None, "give a number, not null"),
    ("float_parsing", float, "much", "give a number, not 'much'"),
    ("value_error", Annotated[str, AfterValidator(refuse)], "a", "a: there is none"),
    ("assertion_error", Annotated[str, AfterValidator(disbelieve)], "a", "never"),
    ("int_type", int, {}, "give a whole number, not a mapping"),
    ("int_parsing", int, "x" * 100, f"give a whole number, not '{'x' * 39}…'"),
    ("int_from_float", int, 1.5, "give a whole number, not 1.5"),
    ("int_parsing_size", int, "9" * 5000, f"give a smaller whole number, not '{'9' * 39}…'"),
    ("list_type", list[int], "a", "give a list, not 'a'"),
    ("none_required", None, 3, "give null, or leave it out, not 3"),
    ("literal_error", Literal["on", "off"], "of", "give one of on, off, not 'of'; did you mean off?"),
    ("literal_error", Literal["1.0"], "2.0", "give 1.0, not '2.0'"),
    ("model_type", Dog, 3, "give a mapping, not 3"),
    ("string_type", str, 3, "give text, not 3"),
    ("string_unicode", str, b"\xff", "give Unicode text, not '\ufffd'"),
    ("path_type", Path, 3, "give a path, not 3"),
    ("tuple_type", tuple[int, ...], "a", "give a list, not 'a'"),
    ("greater_than", Annotated[float, Field(gt=0)], 0, "give more than 0, not 0"),
    ("greater_than_equal", Annotated[int, Field(ge=1)], 0, "give 1 or more, not 0"),
    ("less_than", Annotated[int, Field(lt=10)], 10, "give less than 10, not 10"),
    ("less_than_equal", Annotated[float, Field(le=86_400)], 1e9, "give 86400 or less, not 1000000000.0"),
    ("string_pattern_mismatch", scenario.Name, "a b", "give 1 to 64 of letters, digits, _, -, not 'a b'"),
    ("string_too_short", Annotated[str, Field(min_length=1)], "", "give 1 character or more, not ''"),
    ("string_too_long", Annotated[str, Field(max_length=2)], "abc", "give 2 characters or less, not 'abc'"),
    ("too_short", Annotated[tuple[int, ...], Field(min_length=1)], [], "give at least 1 item"),
    ("too_long", Annotated[tuple[int, ...], Field(max_length=2)], [1, 2, 3], "give at most 2 items"),
    (
        "extra_forbidden",
        Dog,
        {"kind": "dog", "nmae": "x"},
        "nmae: unknown key; the keys here are kind, name; did you mean name?",
    ),
    (
        "unexpected_keyword_argument",
        Spot,
        {"x": 1, "y": 2},
        "y: unknown key; the keys here are x",
    ),
    ("union_tag_invalid", Pet, {"kind": "cta"}, "give one of dog, cat, not 'cta'; did you mean cat?"),
    ("union_tag_not_found", Pet, {}, "needed: kind"),
    ("is_instance_of", InstanceOf[Path], 3, "give a Path, not 3"),
    ("model_attributes_type", Pet, 3, "give a mapping, not 3"),
]
"""By pydantic's error type: a type, a value that is none of it, and the words."""


@pytest.mark.parametrize(
    ("error", "kind", "value", "words"), TABLE, ids=[f"{row[0]} {n}" for n, row in enumerate(TABLE)]
)
def test_an_error_says_what_is_allowed(error: str, kind: Any, value: object, words: str | None):
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    assert caught.value.errors()[0]["type"] == error
    told = str(first_wrong(caught.value, adapter.json_schema))
    assert told == words or (words is None and told.startswith("give one of QUEUED, IN_PROGRESS"))
    assert "Input" not in told


def test_what_is_no_json_is_said_so():
    with pytest.raises(ValidationError) as caught:
        Dog.model_validate_json("{")
    assert str(first_wrong(caught.value)).startswith("this is no JSON: EOF while parsing")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ([1], "a list"),
        ({}, "a mapping"),
        ("it's", '"it\'s"'),
        (b"\xff", "'\ufffd'"),
    ],
)
def test_a_value_is_told_as_its_writer_knows_it(value: object, words: str):
    assert shown(value) == words


@pytest.mark.parametrize(("word", "told"), [("wrte", "; did you mean write?"), ("nothing like it", "")])
def test_only_what_is_close_is_asked_about(word: str, told: str):
    assert did_you_mean(word, ("write", "switch")) == told


class Kennel(BaseModel):
    dogs: list[Dog]
    named: dict[str, Dog] = {}
    best: Dog | None = None


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ((), ("dogs", "named", "best")),
        (("dogs", 3), ("kind", "name")),
        (("named", "rex"), ("kind", "name")),
        (("best",), ("kind", "name")),
        (("best", "name"), ()),
        (("nobody", 1, "knows"), ()),
    ],
)
def test_the_keys_at_a_place_are_those_of_the_schema(where: tuple[int | str, ...], keys: tuple[str, ...]):
    assert keys_at(Kennel.model_json_schema(), where) == keys


def test_a_place_stands_before_what_is_wrong_there():
    assert str(Wrong(("jobs", 0, "id"), "give text")) == "jobs.0.id: give text"
    assert str(Wrong((), "give text")) == "give text"
