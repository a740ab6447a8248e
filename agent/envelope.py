"""What can be told of a message without parsing it: where its job document stands, and whose execution it is.

A job document is its author's, an envelope the service's. So the document is cut out as text before anything is parsed:
however it is written, the identity around it is read, and there is somebody to whom the reason can be told. Where not
even the envelope can be parsed, the identity is looked for in the bytes, member by member, up to the first fault.

No kept streaming parser tells where a value begins and ends in the bytes, and pydantic reads everything or nothing; so
this is a scanner of our own. It looks at each byte once, keeps no stack, and follows no more than two levels.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

DOCUMENT: Final = b'"jobDocument"'
NAME: Final = re.compile(rb'\s*+"((?:[^"\\]++|\\.)*+)"\s*+:\s*+', re.DOTALL)
COMMA: Final = re.compile(rb"\s*+,")
OPENING: Final = re.compile(rb"\s*+\{")
SCALAR: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\s,\[\]{}"]++', re.DOTALL)
NEXT_BRACKET: Final = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"?+)*+[\[\]{}]', re.DOTALL).match
"""Up to the next bracket that does not stand in a text. It matches where it is told to and searches nowhere else, so
that nothing is looked at twice."""
LONGEST_SCALAR: Final = 256
"""Bytes of a member that is looked for; a job id has at most 64 characters, a client token as many."""


class Span(NamedTuple):
    """A member's value: from `begin` to before `end`, which is None if the end is not there."""

    name: bytes
    begin: int
    end: int | None


def split(payload: bytes) -> tuple[bytes, str | None]:
    """The message with null in the place of its job document, and that document's text, None if it has none.

    Bytes that are not UTF-8 become halves of surrogate pairs (PEP 383), which no document may have.
    """
    if DOCUMENT not in payload:
        return payload, None
    cut, kept, document = 0, [], None
    for span in _documents(payload, 0, inner=True):
        if span.end is not None:
            kept.append(payload[cut : span.begin])
            document, cut = payload[span.begin : span.end], span.end
    if document is None or document == b"null":
        return payload, None
    return b"null".join((*kept, payload[cut:])), document.decode("utf-8", "surrogateescape")


def _documents(payload: bytes, at: int, *, inner: bool) -> Iterator[Span]:
    for span in _members(payload, at):
        if span.name == b"jobDocument":
            yield span
        elif inner and span.name == b"execution":
            yield from _documents(payload, span.begin, inner=False)


def scalars(payload: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Texts, numbers and the like that can be read: of the message itself, and of the execution in it.

    Of two members of one name the last counts, as for every parser.
    """
    outer: dict[str, Any] = {}
    execution: dict[str, Any] = {}
    for span in _members(payload, 0):
        if span.name == b"execution":
            execution = dict(_read(payload, span.begin))
    outer.update(_read(payload, 0))
    return outer, execution


def _read(payload: bytes, at: int) -> Iterator[tuple[str, Any]]:
    for name, begin, end in _members(payload, at):
        if end is not None and end - begin <= LONGEST_SCALAR and payload[begin : begin + 1] not in (b"{", b"["):
            try:
                yield name.decode("ascii"), json.loads(payload[begin:end])
            except ValueError:
                continue


def _members(payload: bytes, at: int) -> Iterator[Span]:
    """The members of the object that begins at `at`, up to whatever is none."""
    opening = OPENING.match(payload, at)
    at = opening.end() if opening is not None else len(payload)
    while name := NAME.match(payload, at):
        end = _end(payload, name.end())
        yield Span(name[1], name.end(), end)
        comma = COMMA.match(payload, end) if end is not None else None
        if comma is None:
            return
        at = comma.end()


def _end(payload: bytes, begin: int) -> int | None:
    """Where a value ends. Brackets are counted and not paired: whoever parses the value will see to that."""
    if payload[begin : begin + 1] not in (b"{", b"["):
        scalar = SCALAR.match(payload, begin)
        return scalar.end() if scalar is not None else None
    depth = 0
    at = begin
    while bracket := NEXT_BRACKET(payload, at):
        at = bracket.end()
        depth += 1 if payload[at - 1] in b"[{" else -1
        if not depth:
            return at
    return None
