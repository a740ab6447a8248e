"""Scenarios out of YAML: the ones that ship, and anybody's own, with errors that name file, line, key and choices."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from agent.errors import InputError
from agent.names import no_such_name
from agent.wording import dotted, first_wrong
from simulator.scenario.whole import Scenario

Read = TypeVar("Read", bound=BaseModel)
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where there is one: PyYAML's own takes ten times as long."""
DEEPEST: Final = 50
"""Lists and mappings within each other. Whoever composes a tree does it by recursion, libyaml's binding without end."""
MOST_VALUES: Final = 200_000
"""Of a text once each alias is written out: a page of them can stand for more than any memory holds."""
LARGEST_BYTES: Final = 2_000_000
"""Of a file that somebody wrote; the rest of a larger one is not looked at."""
UNREADABLE: Final = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError)
"""What PyYAML raises of a scalar that is not what its tag says, such as a date in a month 13, or a number of 5,000
digits.
"""


def shipped() -> tuple[str, ...]:
    """The names of the scenarios that come with ghostjob."""
    names = (entry.name for entry in files("simulator.scenarios").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def load(name_or_path: str) -> Scenario:
    """The scenario of that shipped name, or in that file. Raises InputError in one line."""
    if name_or_path in shipped():
        return parse((files("simulator.scenarios") / f"{name_or_path}.yaml").read_text("utf-8"), name_or_path)
    path = Path(name_or_path)
    try:
        text = text_in(path, "scenario")
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file, and no shipped scenario of that name; "
            + no_such_name(name_or_path, shipped(), "`ghostjob run --list`")
        ) from None
    return parse(text, str(path))


def text_in(path: Path, what: str) -> str:
    """What is in a file that is to be a `what`. Raises InputError; FileNotFoundError if there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        text = data.decode("utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"{path}: cannot read the {what}: {reason}") from None
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path}: larger than any {what}, which has {LARGEST_BYTES} bytes at most")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, where: str = "scenario") -> Scenario:
    """The scenario in YAML `text`. Raises InputError with `where`, the line and the key."""
    return as_model(text, where, Scenario, "a scenario is a YAML mapping with at least name, devices and jobs")


def as_model(text: str, where: str, model: type[Read], shape: str) -> Read:
    """The model of YAML `text`; `shape` says what it must be. Raises InputError with `where`, the line and the key."""
    try:
        if (deep := _too_deep(text)) is not None:
            raise InputError(f"{where}:{deep}: lists and mappings are more than {DEEPEST} deep within each other here")
        loader = LOADER(text)
        tree = loader.get_single_node()
        for key in _again(tree, set()):
            raise InputError(f"{where}:{key.start_mark.line + 1}: {key.value}: it stands here a second time")
        if tree is not None:
            _written_out(tree, {}, where)
        data = None if tree is None else loader.construct_document(tree)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise InputError(f"{where}{line}: cannot read the YAML: {problem}") from None
    except UNREADABLE as error:
        raise InputError(f"{where}: cannot read the YAML: a value is not what it looks like: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{where}: {shape}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(_explain(error, tree, where, model)) from None


def lines_of(text: str, key: str) -> tuple[int, ...]:
    """On which lines the items of the list `key` stand, in a text that could be read; or those that `<<` merges in."""
    loader = LOADER(text)
    tree = loader.get_single_node()
    if isinstance(tree, yaml.MappingNode):
        loader.flatten_mapping(tree)
    pairs = reversed(tree.value) if isinstance(tree, yaml.MappingNode) else ()  # what is not merged stands last
    items = next((value.value for name, value in pairs if name.value == key), ())
    return tuple(item.start_mark.line + 1 for item in items)


def _too_deep(text: str) -> int | None:
    """The line on which it is deeper than it may be; None if it nowhere is. Raises YAMLError."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            return 1 if event.start_mark is None else event.start_mark.line + 1
    return None


class _Size(NamedTuple):
    values: int
    depth: int


def _written_out(node: yaml.Node, known: dict[yaml.Node, _Size], where: str) -> _Size:
    """How much a node is with each alias in it written out; one within itself counts for nothing. Raises InputError."""
    if node in known:
        return known[node]
    known[node] = _Size(0, 0)
    parts = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
    sizes = [] if isinstance(node, yaml.ScalarNode) else [_written_out(part, known, where) for part in parts]
    size = _Size(1 + sum(each.values for each in sizes), 1 + max((each.depth for each in sizes), default=0))
    line = node.start_mark.line + 1
    if size.values > MOST_VALUES:
        raise InputError(f"{where}:{line}: with its aliases written out, it has more than {MOST_VALUES} values")
    if size.depth > DEEPEST + 1:
        raise InputError(f"{where}:{line}: with its aliases written out, it is more than {DEEPEST} deep")
    known[node] = size
    return size


def _again(node: yaml.Node | None, visited: set[yaml.Node]) -> Iterator[yaml.ScalarNode]:
    """Keys that are there already in their mapping, of which YAML would take the last."""
    if node is None or node in visited:  # by another name, perhaps within itself
        return
    visited.add(node)
    if isinstance(node, yaml.MappingNode):
        known = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in known:
                    yield key
                known.add(key.value)
            yield from _again(value, visited)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _again(value, visited)


def _explain(error: ValidationError, tree: yaml.Node | None, where: str, model: type[BaseModel]) -> str:
    path, message = first_wrong(error, model.model_json_schema)
    if not path and (named := message.split(": ", 1))[0].replace(".", "").strip():
        # Our own checks of the whole name the place at the front of their message.
        path = tuple(int(part) if part.isdigit() else part for part in named[0].split("."))
        message = named[-1]
    return f"{where}:{_line(tree, path)}: {dotted(path)}: {message}"


def _line(tree: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line of the deepest node on `path` that exists."""
    line, node = 1, tree
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
