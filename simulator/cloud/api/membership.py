"""Who is in which thing group; a change is told to the jobs that are for the group.

Things are put into static groups. Dynamic ones find theirs by their queries, which are asked again whenever something
that they may ask about has changed: at once here, and after a while on AWS.
"""

from collections.abc import Callable, Iterable

from simulator.cloud.api.backing import Backing
from simulator.cloud.jobs import Outcome
from simulator.cloud.registry import Thing


class Membership:
    """Moves things in and out of groups."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._groups = backing.registry.groups
        self._things = backing.registry.things

    def join(self, thing: str, group: str) -> None:
        """Put a thing into a static group. Raises RegistryError."""
        member = self._things.needed(thing)
        before = self._groups.of_thing(thing)
        joined = self._groups.add(thing, group)
        self._tell(self._backing.jobs.thing_joined, thing, joined, before)
        self.review(member)

    def leave(self, thing: str, group: str) -> None:
        """Take a thing out of a static group. Raises RegistryError."""
        member = self._things.needed(thing)
        self._groups.static(group)
        left = self._groups.remove(thing, group)
        self._tell(self._backing.jobs.thing_left, thing, left, self._groups.of_thing(thing))
        self.review(member)

    def review(self, thing: Thing) -> None:
        """Something about a thing has changed: which dynamic groups is it in now?"""
        if self._groups.has_dynamic:
            before = self._groups.of_thing(thing.name)
            joined, left = self._groups.review(thing)
            self._moved(thing.name, joined, left, before)

    def review_group(self, group: str) -> None:
        """A dynamic group has a query that it did not have before."""
        for thing in self._things.all():
            before = self._groups.of_thing(thing.name)
            joined, left = self._groups.review_one(thing, group)
            self._moved(thing.name, joined, left, before)

    def dissolve(self, group: str) -> None:
        """A group is about to be deleted: its members leave."""
        for thing in self._groups.things_in(group, recursive=False):
            left = self._groups.remove(thing, group)
            self._tell(self._backing.jobs.thing_left, thing, left, self._groups.of_thing(thing))

    def _moved(self, thing: str, joined: tuple[str, ...], left: tuple[str, ...], before: Iterable[str]) -> None:
        self._tell(self._backing.jobs.thing_joined, thing, joined, before)
        self._tell(self._backing.jobs.thing_left, thing, left, self._groups.of_thing(thing))

    def _tell(self, news: Callable[..., Outcome], thing: str, groups: tuple[str, ...], others: Iterable[str]) -> None:
        """Tell the jobs which groups a thing joined or left, and what makes it a target besides."""
        if groups:
            arn = self._backing.arn
            besides = [arn("thing", thing), *(arn("thinggroup", other) for other in others)]
            arns = [arn("thinggroup", group) for group in groups]
            self._backing.publish(news(thing, arns, self._backing.clock(), others=besides))
