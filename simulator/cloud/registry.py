"""The registry of things: what CreateThing makes and a job's targets must name. No I/O; ids come in as arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing, and what was said of it when it was created."""

    name: str
    thing_id: str
    thing_type: str | None = None
    billing_group: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    version: int = 1


class ThingExists(Exception):  # noqa: N818 - named for what is the case
    """A thing of that name exists with another configuration."""


class Registry:
    """Every thing of one account; `new_id` gives the ids that AWS would make up."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._things: dict[str, Thing] = {}

    def create(self, name: str, **said: Any) -> Thing:
        """CreateThing: the same name with the same configuration succeeds again. Raises ThingExists."""
        known = self._things.get(name)
        thing = Thing(name, known.thing_id if known else self._new_id(), **said)
        if known is not None and known != thing:
            raise ThingExists(name)
        self._things[name] = thing
        return thing

    def get(self, name: str) -> Thing | None:
        """The thing, or None."""
        return self._things.get(name)

    def delete(self, name: str) -> None:
        """DeleteThing: no matter if there is none. Its job executions stay."""
        self._things.pop(name, None)

    def all(self) -> list[Thing]:
        """Every thing, in the order of creation."""
        return list(self._things.values())
