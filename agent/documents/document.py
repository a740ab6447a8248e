"""What the models of all kinds of documents share: who reads what, and what is left unread is named."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from agent.plan import Plan

READ_ELSEWHERE: Final = frozenset({"operation", "conditions"})


class Document(BaseModel):
    """What nobody reads is kept, so that it can be named."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


def tellable(word: str) -> str:
    """A word for a program, a path or an environment. Raises ValueError: none of these can have a NUL in it."""
    if "\0" in word:
        raise ValueError("it has a NUL, which no program can be told")
    return word


D = TypeVar("D", bound=Document)


def planned(kind: type[D], value: Mapping[str, Any], plan: Callable[[D], Plan]) -> Plan:
    """The plan of a document of one kind, with what was not read of it. Raises ValueError."""
    passed_over: list[str] = []
    document = kind.model_validate(value, context=passed_over)
    return replace(plan(document), ignored=tuple(sorted({*passed_over, *_unread(document)})))


def _unread(document: Document) -> Iterator[str]:
    """Members that have no meaning; those that begin with `_`, such as `_comment`, claim none, nor does null."""
    for name, value in (document.model_extra or {}).items():
        if value is not None and not name.startswith("_") and name not in READ_ELSEWHERE:
            yield name[:64]
    for name in type(document).model_fields:
        told = getattr(document, name)
        for inner in told if isinstance(told, tuple) else (told,):
            if isinstance(inner, Document):
                yield from _unread(inner)
