"""Who is in which thing group; a change is told to the jobs that are for the group.

Things are put into static groups. Dynamic ones find theirs by their queries, which are asked again whenever something
that they may ask about has changed: of one thing at once here, and after a while on AWS.

A new query is asked of every thing, and who was in a deleted group leaves it: a hundred thousand may move, each with a
job that comes or goes. So a command does the first of it, and `go_on` the rest, so much at a time as its caller says.
A thing moves, and its jobs follow, in one turn and so in one commit: what was not done before a kill is found again.
If the jobs cannot follow, the thing has not moved: who asked for it is told, and what nobody asked for is tried again.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, Literal

from simulator.cloud.api.backing import Backing
from simulator.cloud.contained import contained
from simulator.cloud.jobs import Jobs, Outcome
from simulator.cloud.jobs.commands import ThingMoved
from simulator.cloud.registry import Registry, Thing
from simulator.cloud.registry.groups import NOWHERE, Moves

MOVE: Final = 40
"""A thing that moves costs as much as so many that are looked at and stay."""
AT_ONCE: Final = 10 * MOVE
"""So much a command does itself: about a millisecond of it."""
STEP: Final = 4 * MOVE
"""So much between two looks at the clock, or at who else is waiting."""


class Membership:
    """Moves things in and out of groups. `arn` names a thing or a group; `publish` gets what comes of it for jobs."""

    def __init__(
        self,
        jobs: Jobs,
        registry: Registry,
        arn: Callable[[str, str], str],
        clock: Callable[[], float],
        publish: Callable[[Outcome], None],
    ) -> None:
        self._jobs = jobs
        self._groups = registry.groups
        self._things = registry.things
        self._arn = arn
        self._clock = clock
        self._publish = publish

    @classmethod
    def of(cls, backing: Backing) -> "Membership":
        """For the operations of one account."""
        return cls(backing.jobs, backing.registry, backing.arn, backing.clock, backing.publish)

    def join(self, thing: str, group: str) -> None:
        """Put a thing into a static group. Raises RegistryError."""
        member = self._things.needed(thing)
        self._jobs.check_news(thing)
        self._change(thing, lambda: Moves(joined=self._groups.add(thing, group)))
        self.review(member)

    def leave(self, thing: str, group: str) -> None:
        """Take a thing out of a static group. Raises RegistryError."""
        member = self._things.needed(thing)
        self._groups.static(group)
        self._jobs.check_news(thing)
        self._change(thing, lambda: Moves(left=self._groups.remove(thing, group)))
        self.review(member)

    def review(self, thing: Thing) -> None:
        """Something about a thing has changed: which dynamic groups is it in now?"""
        if self._groups.has_dynamic and not contained("finding groups", self._review, thing):
            self._groups.look_again(thing.name)
            self._publish(Outcome())  # who gets it goes on with that

    def _review(self, thing: Thing) -> None:
        self._move(thing.name, self._groups.moves(thing))

    def _move(self, thing: str, moves: Moves) -> None:
        for half in (Moves(joined=moves.joined), Moves(left=moves.left)):
            if half != NOWHERE:
                self._change(thing, partial(self._groups.move, thing, half))

    def _change(self, thing: str, change: Callable[[], Moves]) -> None:
        """Have a thing join groups, or leave some, and its jobs follow: both, or nothing of it."""
        members, before = self._groups.members, self._groups.of_thing(thing)
        links = members.of(thing)
        try:
            outcome = self._followed(thing, change(), before)
        except BaseException:
            members.put_back(thing, links)
            raise
        if outcome is not None:
            self._publish(outcome)

    def _followed(self, thing: str, moves: Moves, before: Iterable[str]) -> Outcome | None:
        """Tell the jobs which groups a thing has joined or left, and what makes it a target besides."""
        if not (groups := moves.joined or moves.left):
            return None
        what: Literal["joined", "left"] = "joined" if moves.joined else "left"
        others = before if moves.joined else self._groups.of_thing(thing)
        besides = (self._arn("thing", thing), *(self._arn("thinggroup", other) for other in others))
        arns = tuple(self._arn("thinggroup", group) for group in groups)
        return self._jobs.do(ThingMoved(what, thing, arns, besides), self._clock())

    # ── whole groups ──────────────────────────────────────────────────────────────────────────────────────────

    def review_group(self, group: str) -> None:
        """A dynamic group has a query that it did not have before."""
        self._groups.look_through(group, self._things.names())
        self._begin(group)

    def dissolve(self, group: str, expected_version: int | None) -> None:
        """Delete a group: its members leave. Raises RegistryError."""
        self._groups.delete(group, expected_version)
        self._begin(group)

    def settled(self, group: str) -> Iterator[None]:
        """Go on, with pauses, until the members of that group are those that it is to have; a deleted one is gone then.

        Whoever makes a group of its name waits for that, and whoever makes a job for all of its members.
        """
        while not self._groups.is_settled(group):
            if group not in self._groups.under_way:
                self.resume()
            self.go_on(STEP)
            yield

    @property
    def is_under_way(self) -> bool:
        """Whether `go_on` has something to do."""
        return bool(self._groups.under_way)

    def resume(self) -> None:
        """Begin again with what was left to be done when the service ended."""
        for group in self._groups.unsettled():
            if group.name in self._groups.under_way:
                continue  # somebody was quicker
            if group.status == "EMPTYING":
                self._groups.look_through(group.name, self._groups.members.lefts(group.name))
            else:
                self._groups.look_through(group.name, self._things.names())

    def go_on(self, count: int) -> None:
        """Go on with what is under way: so many looks, of which one at a thing that moves counts as `MOVE`."""
        while count > 0 and (group := next(iter(self._groups.under_way), None)) is not None:
            count = self._look_at(group, count)

    def _begin(self, group: str) -> None:
        """Do what can be done at once; who gets the outcome, which is none, goes on with the rest."""
        contained("finding members", self._look_at, group, AT_ONCE)
        if group in self._groups.under_way:
            self._publish(Outcome())

    def _look_at(self, group: str, count: int) -> int:
        """Look at the next things for a group: what is left of the count."""
        left = self._groups.under_way[group]
        while left and count > 0:
            name = left.pop()
            try:
                count -= self._look_again(name, group)
            except BaseException:
                left.insert(0, name)  # for another time, after all others
                raise
        if not left:
            self._groups.settle(group)
            count -= 1
        return count

    def _look_again(self, name: str, group: str) -> int:
        """Whether a thing is to be in a group: what it cost to see to it."""
        groups, thing = self._groups, self._things.get(name)
        if groups.is_emptying(group):
            self._change(name, lambda: Moves(left=groups.let_go(name, group)))
            if thing is not None:
                self.review(thing)
            return MOVE
        moves = NOWHERE if thing is None else groups.moves(thing, group)
        self._move(name, moves)
        return 1 if moves is NOWHERE else MOVE
