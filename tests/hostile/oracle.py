"""What AWS IoT policies let somebody do, said again in as few words as the Developer Guide needs; shares no code.

a Deny that applies wins; else an Allow that applies; else no
a statement applies if one of its actions, one of its resources and each of its conditions match
`*` is any text, slashes too, `?` is one character; actions are compared without case; + and # are only characters
${variable} is its value, whose stars are only stars; where it has no value, nothing matches
"""

from collections.abc import Mapping, Sequence
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

Context = Mapping[str, str]
"""What is known of who asks, by the names of policy variables."""
ANY, ONE = object(), object()
Piece = object
"""A character, or one of the two above."""


def allowed(documents: Sequence[Mapping[str, Any]], action: str, resource: str, context: Context) -> bool:
    """Whether these policies together let somebody do it; `resource` is a whole ARN."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in document["Statement"]
        if _applies(statement, action, resource, context)
    }
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    return (
        any(_fits(wanted.lower(), action.lower(), {}) for wanted in _listed(statement["Action"]))
        and any(_fits(wanted, resource, context) for wanted in _listed(statement["Resource"]))
        and all(
            _holds(operator, context.get(key), _listed(values), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, told: str | None, wanted: Sequence[str], context: Context) -> bool:
    if operator == "Null":
        return ("true" if told is None else "false") in wanted
    if told is None:
        return operator.endswith("IfExists") or "Not" in operator
    match operator.removesuffix("IfExists"):
        case "StringEquals":
            return any(_plain(each, context) == told for each in wanted)
        case "StringNotEquals":
            return all(_plain(each, context) != told for each in wanted)
        case "StringLike":
            return any(_fits(each, told, context) for each in wanted)
        case "StringNotLike":
            return not any(_fits(each, told, context) for each in wanted)
        case "Bool":
            return told.lower() in [each.lower() for each in wanted]
        case "IpAddress":
            return any(ip_address(told) in ip_network(each) for each in wanted)
        case "NotIpAddress":
            return not any(ip_address(told) in ip_network(each) for each in wanted)
    raise AssertionError(operator)


def _listed(told: str | Sequence[str]) -> Sequence[str]:
    return [told] if isinstance(told, str) else told


def _plain(template: str, context: Context) -> str | None:
    pieces = _pieces(template, context)
    if pieces is None:
        return None
    return "".join("*" if piece is ANY else "?" if piece is ONE else str(piece) for piece in pieces)


def _fits(template: str, text: str, context: Context) -> bool:
    pieces = _pieces(template, context)
    return pieces is not None and _matches(tuple(pieces), text)


def _pieces(template: str, context: Context) -> list[Piece] | None:
    """Characters and wildcards; None if a variable has no value."""
    pieces: list[Piece] = []
    while template:
        name, end, rest = template[2:].partition("}") if template.startswith("${") else ("", "", template)
        if end and not set("${") & set(name):
            value = name if name in ("*", "?", "$") else context.get(name)
            if value is None:
                return None
            pieces += value
            template = rest
        else:
            pieces.append({"*": ANY, "?": ONE}.get(template[0], template[0]))
            template = template[1:]
    return pieces


def _matches(pieces: tuple[Piece, ...], text: str) -> bool:
    @cache
    def at(piece: int, place: int) -> bool:
        if piece == len(pieces):
            return place == len(text)
        if pieces[piece] is ANY:
            return at(piece + 1, place) or (place < len(text) and at(piece, place + 1))
        return place < len(text) and pieces[piece] in (ONE, text[place]) and at(piece + 1, place + 1)

    return at(0, 0)
