"""AWS IoT Core policies: may this principal do this to that resource? Pure; it knows no certificate and no connection.

A policy is a JSON document of statements. A statement applies if one of its actions, one of its resources and all of
its conditions match; an applying Deny wins over every Allow, and what no Allow applies to is denied.

    allows(documents, "iot:Publish", "arn:aws:iot:us-east-1:000000000000:topic/a/b", {"iot:ClientId": "thing-0"})

In patterns `*` stands for any characters, slashes too, and `?` for one; MQTT's own wildcards `+` and `#` are plain
characters (Developer Guide, "Publish/Subscribe policy examples"). `${iot:ClientId}` and the like stand for what the
context holds under that name, taken literally.
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

RequestContext: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""What is known of who asks, by the name of the policy variable; a tuple has the values of an attribute with many."""

LONGEST_DOCUMENT: Final = 2048
"""Characters, white space not counted (quota "Maximum policy document size")."""
LONGEST_REMEMBERED: Final = 4096
"""Characters of a document with its white space; a longer one is read each time it is asked."""
LONGEST_PATTERN: Final = 256
"""Characters of a template and the values in it; a longer one is put together each time it is asked."""
LONGEST_VALUE: Final = 1024
"""A longer value of a variable is not put in its place (Developer Guide, "X.509 certificate policy variables")."""
MOST_VALUES: Final = 5
"""Further values of one certificate attribute are ignored (ditto)."""
_VARIABLE: Final = re.compile(r"\$\{([^${}]*)\}")
_LITERALS: Final = {"*": "*", "?": "?", "$": "$"}
_ELEMENTS: Final = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})
Quantifier: TypeAlias = Literal["ForAllValues", "ForAnyValue"]
_QUANTIFIERS: Final[dict[str, Quantifier | None]] = {
    "": None,
    "ForAllValues": "ForAllValues",
    "ForAnyValue": "ForAnyValue",
}
_VERSIONS: Final = frozenset({"2012-10-17", "2008-10-17"})


class MalformedPolicy(ValueError):  # noqa: N818 - named for what is the case, as AWS names it
    """The document is no policy; the message says where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of one operator. `quantifier` is ForAllValues or ForAnyValue; None for a key with one value."""

    operator: str
    negated: bool
    key: str
    values: tuple[str, ...]
    quantifier: Quantifier | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed, or denied."""

    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class DeniedBy:
    """The statement that denies something: of which document, counted from 0, and which in it, from 1."""

    document: int
    statement: int
    sid: str | None


def allows(documents: Iterable[str], action: str, resource: str, context: RequestContext) -> bool:
    """Whether these policies together let the holder do it. A document that is none counts as no policy."""
    allowed = False
    for document in documents:
        for statement in _statements(document):
            if (not allowed or not statement.allow) and _applies(statement, action, resource, context):
                if not statement.allow:
                    return False
                allowed = True
    return allowed


def denied_by(documents: Iterable[str], action: str, resource: str, context: RequestContext) -> DeniedBy | None:
    """The first statement that denies it explicitly; None if none does."""
    for index, document in enumerate(documents):
        for number, statement in enumerate(_statements(document), 1):
            if not statement.allow and _applies(statement, action, resource, context):
                return DeniedBy(index, number, statement.sid)
    return None


def allowed_resources(documents: Iterable[str], action: str) -> tuple[str, ...]:
    """What the statements that allow an action allow it on, as it stands there."""
    found = (
        resource
        for document in documents
        for statement in _statements(document)
        if statement.allow and any(_pattern(wanted.lower()).fullmatch(action.lower()) for wanted in statement.actions)
        for resource in statement.resources
    )
    return tuple(dict.fromkeys(found))


def parse(document: str) -> tuple[Statement, ...]:
    """The statements of a policy. Raises MalformedPolicy."""
    if sum(not character.isspace() for character in document) > LONGEST_DOCUMENT:
        raise MalformedPolicy(f"a policy has at most {LONGEST_DOCUMENT} characters, white space not counted")
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError):
        raise MalformedPolicy("not JSON") from None
    if not isinstance(policy, dict) or policy.keys() - {"Version", "Id", "Statement"}:
        raise MalformedPolicy("a policy is an object with Version and Statement")
    version = policy.get("Version", "2012-10-17")
    if not isinstance(version, str) or version not in _VERSIONS:
        raise MalformedPolicy(f"Version is one of {', '.join(sorted(_VERSIONS))}")
    statements = policy.get("Statement")
    several = statements if isinstance(statements, list) else [statements]
    if not several:
        raise MalformedPolicy("Statement is empty")
    return tuple(_statement(one) for one in several)


def _statements(document: str) -> tuple[Statement, ...]:
    return _remembered_statements(document) if len(document) <= LONGEST_REMEMBERED else _read(document)


@lru_cache(maxsize=512)
def _remembered_statements(document: str) -> tuple[Statement, ...]:
    """The policies of a fleet are few; so many of the longest take 24 MiB."""
    return _read(document)


def _read(document: str) -> tuple[Statement, ...]:
    try:
        return parse(document)
    except MalformedPolicy:
        return ()


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────


def _statement(told: object) -> Statement:
    if not isinstance(told, dict) or told.keys() - _ELEMENTS:
        raise MalformedPolicy(f"a statement is an object of {', '.join(sorted(_ELEMENTS))}")
    effect = told.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicy("Effect is Allow or Deny")
    actions, resources = _strings(told.get("Action"), "Action"), _strings(told.get("Resource"), "Resource")
    sid = told.get("Sid")
    conditions = _conditions(told.get("Condition", {}))
    return Statement(effect == "Allow", actions, resources, conditions, sid if isinstance(sid, str) else None)


def _strings(told: object, name: str, *, may_be_empty: bool = False) -> tuple[str, ...]:
    several = told if isinstance(told, list) else [told]
    if not (several or may_be_empty) or not all(isinstance(one, str) for one in several):
        raise MalformedPolicy(f"{name} is a string, or a list of strings")
    return tuple(several)


def _conditions(told: object) -> tuple[Condition, ...]:
    if not isinstance(told, dict):
        raise MalformedPolicy("Condition is an object")
    found = []
    for name, keys in told.items():
        if not isinstance(keys, dict):
            raise MalformedPolicy(f"Condition.{name} is an object")
        found += [_condition(name, key, values) for key, values in keys.items()]
    return tuple(found)


def _condition(name: str, key: str, told: Any) -> Condition:
    prefix, _, rest = name.rpartition(":")
    if_exists = rest.endswith("IfExists") and rest != "Null"
    operator = rest.removesuffix("IfExists")
    if prefix not in _QUANTIFIERS or operator not in _OPERATORS:
        raise MalformedPolicy(f"Condition.{name}: no such operator for AWS IoT")
    listed = told if isinstance(told, list) else [told]
    values = _strings([str(one).lower() if isinstance(one, bool) else one for one in listed], name, may_be_empty=True)
    kind, negated = _OPERATORS[operator]
    if kind == "ip" and not all(_VARIABLE.search(value) or _network(value) for value in values):
        raise MalformedPolicy(f"Condition.{name}: an address, or a range as 192.0.2.0/24")
    return Condition(kind, negated, key, values, _QUANTIFIERS[prefix], if_exists)


# ── matching ──────────────────────────────────────────────────────────────────────────────────────────────────


def _applies(statement: Statement, action: str, resource: str, context: RequestContext) -> bool:
    return (
        any(_pattern(wanted.lower()).fullmatch(action.lower()) for wanted in statement.actions)
        and any(covers(wanted, resource, context) for wanted in statement.resources)
        and all(_holds(condition, context) for condition in statement.conditions)
    )


def covers(template: str, text: str, context: RequestContext) -> bool:
    """Whether a template with variables and wildcards, as it stands in a statement, means this one. One whose variable
    has no value means nothing ("no substitution is made and authorization fails")."""
    values = () if "$" not in template else _values(template, context)
    return values is not None and _pattern(template, values).fullmatch(text) is not None


def _values(template: str, context: RequestContext) -> tuple[str, ...] | None:
    """What a template's variables stand for, in their order; None if one has no value."""
    values = list[str]()
    for name in _VARIABLE.findall(template):
        value = _LITERALS.get(name) or _value(name, context)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def _pattern(template: str, values: tuple[str, ...] = ()) -> re.Pattern[str]:
    """`values` stand in for the template's variables, in their order."""
    is_short = len(template) + sum(len(value) for value in values) <= LONGEST_PATTERN
    return _remembered_pattern(template, values) if is_short else _compiled(template, values)


@lru_cache(maxsize=8192)
def _remembered_pattern(template: str, values: tuple[str, ...]) -> re.Pattern[str]:
    """A device has some six; values are its own, such as its client id. So many of the longest take 60 MiB."""
    return _compiled(template, values)


def _compiled(template: str, values: tuple[str, ...]) -> re.Pattern[str]:
    pieces = _VARIABLE.split(template) if values else [template]
    between_stars = [""]
    for index, piece in enumerate(pieces):
        if index % 2:
            between_stars[-1] += re.escape(values[index // 2])
        else:
            first, *more = (re.escape(text).replace(r"\?", ".") for text in piece.split("*"))
            between_stars[-1] += first
            between_stars += more
    head, *rest = between_stars
    if not rest:
        return re.compile(head, re.DOTALL)
    # What stands between two stars is sought once and never again (atomic groups), so no policy is slow to match.
    return re.compile(head + "".join(f"(?>.*?{text})" for text in rest[:-1]) + ".*" + rest[-1], re.DOTALL)


def _value(name: str, context: RequestContext) -> str | None:
    """What a variable stands for; `….1` is the second value of an attribute that has several."""
    found = context.get(name)
    if found is None:
        stem, _, index = name.rpartition(".")
        several = context.get(stem)
        if not isinstance(several, tuple) or not index.isascii() or not index.isdigit():
            return None
        found = several[:MOST_VALUES][int(index) : int(index) + 1]
    value = found if isinstance(found, str) else next(iter(found), None)
    if value is None or len(value) > LONGEST_VALUE or (name.startswith("iot:Certificate.") and set("*?") & set(value)):
        return None
    return value


# ── conditions ────────────────────────────────────────────────────────────────────────────────────────────────

_OPERATORS: Final = {
    "StringEquals": ("equals", False),
    "StringNotEquals": ("equals", True),
    "StringEqualsIgnoreCase": ("equals-ignoring-case", False),
    "StringNotEqualsIgnoreCase": ("equals-ignoring-case", True),
    "StringLike": ("like", False),
    "StringNotLike": ("like", True),
    "ArnEquals": ("like", False),
    "ArnNotEquals": ("like", True),
    "ArnLike": ("like", False),
    "ArnNotLike": ("like", True),
    "Bool": ("equals-ignoring-case", False),
    "IpAddress": ("ip", False),
    "NotIpAddress": ("ip", True),
    "Null": ("null", False),
}
"""Condition operators: how a value is compared, and whether the outcome is turned round."""


def _holds(condition: Condition, context: RequestContext) -> bool:
    told = _told(condition.key, context)
    if condition.operator == "null":
        return ("false" if told else "true") in (value.lower() for value in condition.values)
    if not told and condition.if_exists:
        return True
    matching = [_is_one_of(condition, value, context) is not condition.negated for value in told]
    match condition.quantifier:
        case "ForAllValues":
            return all(matching)
        case "ForAnyValue":
            return any(matching)
        case None:
            return all(matching) if condition.negated else any(matching)


def _told(key: str, context: RequestContext) -> tuple[str, ...]:
    """The values under a condition key; `.List` asks for all of an attribute's, which is what it gets anyway."""
    found = context.get(key, context.get(key.removesuffix(".List"), ()))
    return (found,) if isinstance(found, str) else found[:MOST_VALUES]


def _is_one_of(condition: Condition, told: str, context: RequestContext) -> bool:
    return any(_compares(condition.operator, wanted, told, context) for wanted in condition.values)


def _compares(operator: str, wanted: str, told: str, context: RequestContext) -> bool:
    if operator == "like":
        return covers(wanted, told, context)
    filled = _filled(wanted, context)
    if filled is None:
        return False
    if operator == "equals":
        return filled == told
    if operator == "equals-ignoring-case":
        return filled.lower() == told.lower()
    return _is_within(told, filled)


def _filled(template: str, context: RequestContext) -> str | None:
    """A template with its variables' values, where `*` is no wildcard; None if one has none."""
    values = _values(template, context)
    if values is None:
        return None
    pieces = _VARIABLE.split(template)
    pieces[1::2] = values
    return "".join(pieces)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _is_within(address: str, network: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    within = _network(network)
    return within is not None and found in within
