"""botocore's service models, read as a server's schema: routing, parsing, validation, serialising.

The model says for every operation which method and path it has, where each member stands (path, query, header, body)
and what its value may be. botocore's own validator checks only what a client must get right (required, type, minimum);
the visitor here checks everything that the model states: lengths, patterns, ranges and enums too.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

import regex

from simulator.cloud.access.signatures import SignedRequest
from simulator.cloud.api.service_model import (
    ListShape,
    MapShape,
    OperationModel,
    Shape,
    StructureShape,
    load_service_model,
)

JAVA_CLASSES: Final = {r"\p{Upper}": "A-Z", r"\p{Digit}": "0-9", r"\p{Lower}": "a-z", r"\p{Alpha}": "a-zA-Z"}
"""POSIX classes as Java's regular expressions name them; all stand within brackets in the model."""


STATUSES: Final = {
    "CertificateConflictException": 409,
    "ConflictException": 409,
    "InternalFailureException": 500,
    "LimitExceededException": 410,
    "ResourceAlreadyExistsException": 409,
    "ResourceNotFoundException": 404,
}
"""Of errors that the model does not list with the operation that gives them."""
LONG: Final = 1 << 63
INTEGER: Final = 1 << 31
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")


class BadRequest(Exception):  # noqa: N818 - what the client sent
    """The request does not fit the model; the message is worded as AWS words it."""


@cache
def schema_of(service: str) -> "Schema":
    """The schema of a service, such as `iot` or `iot-jobs-data`; reading one takes a twentieth of a second."""
    return Schema(service)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation and how its path looks: a name for a parameter, or the literal segment."""

    operation: OperationModel
    segments: tuple[tuple[bool, str], ...]

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The path's parameters, or None."""
        found: dict[str, str] = {}
        for (is_parameter, name), segment in zip(self.segments, segments, strict=True):
            if is_parameter:
                found[name] = unquote(segment)
            elif name != unquote(segment):
                return None
        return found


class Schema:
    """The model of one service; see `schema_of`."""

    def __init__(self, service: str) -> None:
        self.model = load_service_model(service)
        self._routes: dict[tuple[str, int], list[Route]] = {}
        for name in self.model.operation_names:
            self._add(self.model.operation_model(name))
        for routes in self._routes.values():
            # A literal segment goes before a parameter: /thing-groups/addThingToThingGroup is no group's name.
            routes.sort(key=lambda route: [is_parameter for is_parameter, _ in route.segments])

    def _add(self, operation: OperationModel) -> None:
        path = operation.http["requestUri"].partition("?")[0].strip("/")
        segments = tuple((part.startswith("{"), part.strip("{}+")) for part in path.split("/"))
        self._routes.setdefault((operation.http["method"], len(segments)), []).append(Route(operation, segments))

    def route(self, method: str, raw_path: str) -> tuple[OperationModel, dict[str, str]] | None:
        """The operation of a request and its path parameters; None if there is none."""
        segments = raw_path.strip("/").split("/")
        for route in self._routes.get((method, len(segments)), ()):
            found = route.match(segments)
            if found is not None:
                return route.operation, found
        return None

    def parse(
        self, operation: OperationModel, uri: Mapping[str, str], query: Mapping[str, str], sent: SignedRequest
    ) -> dict[str, Any]:
        """The operation's validated input. Raises BadRequest."""
        shape = operation.input_shape
        if shape is None:
            return {}
        found: dict[str, Any] = {}
        headers = {name.lower(): value for name, value in sent.headers}
        sources = {"uri": uri, "querystring": query, "header": headers, None: _read_body(sent.body)}
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            wire = member.serialization.get("name", name)
            value = sources[location].get(wire.lower() if location == "header" else wire)
            if value is not None:
                found[name] = value if location is None else _from_text(member, value, name)
        problems: list[str] = []
        _check(shape, found, "", problems)
        if problems:
            plural = "s" if len(problems) > 1 else ""
            raise BadRequest(f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")
        return found

    def status(self, operation: OperationModel, error: str) -> int:
        """The HTTP status that the model gives an error; 400 for one that the model does not list there."""
        for shape in operation.error_shapes:
            if shape.name == error:
                return int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
        return STATUSES.get(error, 400)


def _read_body(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        sent = json.loads(body.decode(), parse_constant=_refuse)  # of bytes, it reads UTF-16 and half surrogates too
    except (ValueError, RecursionError):
        raise BadRequest("The request body is not JSON.") from None
    if not isinstance(sent, dict):
        raise BadRequest("The request body is not a JSON object.")
    return sent


def _refuse(name: str) -> Any:
    raise ValueError(name)  # Infinity and NaN are JSON to Python alone


def _from_text(shape: Shape, text: str, name: str) -> Any:
    """A value from the path or the query."""
    match shape.type_name:
        case "integer" | "long":
            if not _NUMBER.fullmatch(text):
                raise BadRequest(f"Value '{text[:100]}' at '{_camel(name)}' is not a number")
            return int(text)
        case "boolean":
            if text not in ("true", "false"):
                raise BadRequest(f"Value '{text[:100]}' at '{_camel(name)}' is neither true nor false")
            return text == "true"
        case _:
            return text


# ── validation ────────────────────────────────────────────────────────────────────────────────────────────────

PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str),
    "blob": (str,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


def _check(shape: Shape, value: Any, path: str, problems: list[str]) -> None:
    """Add to `problems` whatever of `value` the model does not allow."""
    if not _has_type(shape, value):
        problems.append(f"Value at '{path}' failed to satisfy constraint: Member must be a {shape.type_name}")
    elif isinstance(shape, StructureShape):
        _check_structure(shape, value, path, problems)
    elif isinstance(shape, MapShape):
        _check_size(shape, len(value), path, problems)
        for key, item in value.items():
            _check(shape.key, key, path, problems)
            _check(shape.value, item, f"{path}.{key}.member", problems)
    elif isinstance(shape, ListShape):
        _check_size(shape, len(value), path, problems)
        for index, item in enumerate(value, 1):
            _check(shape.member, item, f"{path}.{index}.member", problems)
    elif shape.type_name == "string":
        _check_string(shape, value, path, problems)
    elif shape.type_name in ("integer", "long", "float", "double"):
        _check_range(shape, value, path, problems)


def _has_type(shape: Shape, value: object) -> bool:
    expected = PYTHON_TYPES[shape.type_name]
    return isinstance(value, expected) and (bool in expected or not isinstance(value, bool))


def _check_structure(shape: StructureShape, value: dict[str, Any], path: str, problems: list[str]) -> None:
    dot = f"{path}." if path else ""
    problems.extend(
        f"Value null at '{dot}{_camel(name)}' failed to satisfy constraint: Member must not be null"
        for name in shape.required_members
        if value.get(name) is None
    )
    if shape.is_tagged_union and len(value) != 1:
        problems.append(f"Value at '{path}' failed to satisfy constraint: Exactly one member must be set")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            _check(member, value[name], f"{dot}{_camel(name)}", problems)
        else:  # null says as much as nothing, however deep it stands, and nobody has to ask for both
            value.pop(name, None)


def _check_string(shape: Shape, value: str, path: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    says = f"Value '{value[:100]}' at '{path}' failed to satisfy constraint: Member must"
    if low is not None and len(value) < low:
        problems.append(f"{says} have length greater than or equal to {low}")
    if high is not None and len(value) > high:
        problems.append(f"{says} have length less than or equal to {high}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        problems.append(f"{says} satisfy regular expression pattern: {pattern}")
    choices = shape.metadata.get("enum")
    if choices and value not in choices:
        problems.append(f"{says} satisfy enum value set: [{', '.join(choices)}]")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        problems.append(f"{says} be text; half a surrogate pair is none")


def _check_range(shape: Shape, value: float, path: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    says = f"Value '{str(value)[:100]}' at '{path}' failed to satisfy constraint: Member must have value"
    size = {"integer": INTEGER, "long": LONG}.get(shape.type_name)
    if size is not None and not -size <= value < size:
        problems.append(f"{says} within its type's range")
    if low is not None and value < low:
        problems.append(f"{says} greater than or equal to {low}")
    if high is not None and value > high:
        problems.append(f"{says} less than or equal to {high}")


def _check_size(shape: Shape, size: int, path: str, problems: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    says = f"Value at '{path}' failed to satisfy constraint: Member must have length"
    if low is not None and size < low:
        problems.append(f"{says} greater than or equal to {low}")
    if high is not None and size > high:
        problems.append(f"{says} less than or equal to {high}")


@cache
def _pattern(java: str) -> "regex.Pattern[str]":
    for name, characters in JAVA_CLASSES.items():
        java = java.replace(name, characters)
    return regex.compile(java)


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


# ── serialising ───────────────────────────────────────────────────────────────────────────────────────────────


def serialise(shape: Shape | None, value: Any) -> Any:
    """What goes into the response body: members that the model knows and that have a value; times to the ms."""
    if shape is None:
        return {}
    if isinstance(shape, StructureShape):
        return {
            member.serialization.get("name", name): serialise(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [serialise(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: serialise(shape.value, item) for key, item in value.items()}
    return round(value, 3) if shape.type_name == "timestamp" else value
