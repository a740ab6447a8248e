"""A second search, as plain as can be: breadth first over whole worlds in a dict, by `World` alone.

python -m tests.simulator.engines.explore.naive [--most 200000] [BOUND=N …] [SETTING=VALUE …]
"""

import argparse
import sys
import time
from dataclasses import dataclass, field
from typing import Final

from simulator.engines.explore.choice import Choice
from simulator.engines.explore.monitors import Broken
from simulator.engines.explore.searchable import is_owed, is_violated
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.system import System, World
from simulator.engines.explore.world import is_home, transitions


@dataclass
class Searched:
    """`came` is, for each world, how it was reached first: from which, and by what; `before`: all from which it can be
    reached by a move that somebody owes.
    """

    came: dict[World, tuple[World, Choice] | None]
    before: dict[World, list[World]] = field(default_factory=dict)
    transitions: int = 0
    depth: int = 0
    complete: bool = True
    broken: dict[Broken, tuple[World, Choice]] = field(default_factory=dict)
    excused: set[World] = field(default_factory=set)
    """From which something is violated by a move that somebody owes; it is not followed."""
    dead: list[World] = field(default_factory=list)
    """Those from which nothing leads on by itself."""

    def without_a_way_to(self, there: set[World]) -> list[World]:
        """From which nothing leads there, nor to a violation, but by what nobody owes."""
        reached, new = there | self.excused, [*there, *self.excused]
        while new:
            new = [world for at in new for world in self.before.get(at, ()) if world not in reached]
            reached.update(new)
        return [world for world in self.came if world not in reached]

    def way_to(self, world: World) -> list[Choice]:
        """The first way that was found, which is a shortest."""
        way: list[Choice] = []
        at = self.came[world]
        while at is not None:
            world, choice = at
            way.append(choice)
            at = self.came[world]
        return way[::-1]


def search(system: System, most: int = 1_000_000, first: World | None = None) -> Searched:
    """Every world within the setup's bounds, or so many of them. As in any search, what breaks something ends there."""
    begun = first or system.first()
    searched = Searched({begun: None})
    level = [begun]
    while level:
        following: list[World] = []
        for world in level:
            leads_on = False
            for move in transitions(system, world):
                leads_on = leads_on or is_owed(move.costs, move.actor)
                searched.transitions += 1
                for broken in move.broken:
                    searched.broken.setdefault(broken, (world, move.choice))
                if is_violated(move.broken):
                    searched.excused.update([world] if is_owed(move.costs, move.actor) else [])
                    continue
                if is_owed(move.costs, move.actor):
                    searched.before.setdefault(move.world, []).append(world)
                if move.world not in searched.came:
                    searched.came[move.world] = world, move.choice
                    following.append(move.world)
            if not leads_on:
                searched.dead.append(world)
            if len(searched.came) > most:
                searched.complete = False
                return searched
        searched.depth += bool(following)
        level = following
    return searched


LADDER: Final[tuple[tuple[str, dict[str, int]], ...]] = (
    ("no deletion", {"delete": 0}),
    ("deletion", {"delete": 1}),
    ("+ re-creation", {"create-again": 1}),
    ("+ power cut", {"power-cut": 1}),
    ("+ disconnect", {"disconnect": 1}),
)
"""Each with what it adds to the one before."""


def main() -> None:
    """Print how large worlds are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--rungs", type=int, default=len(LADDER))
    parser.add_argument("--layouts", nargs="*", default=["ab", "swap", "single"])
    parser.add_argument("settings", nargs="*")
    arguments = parser.parse_args()
    settings = dict(each.split("=", 1) for each in arguments.settings)
    for layout in arguments.layouts:
        bounds: dict[str, int] = {}
        for name, more in LADDER[: arguments.rungs]:
            bounds |= more
            setup = Setup.model_validate({"layout": layout, "bounds": Bounds.model_validate(bounds)} | settings)
            tell(f"{layout:7}{name:15}", setup, arguments.most)


def tell(name: str, setup: Setup, most: int) -> None:
    """Print one."""
    began = time.perf_counter()
    system = System(setup)
    found = search(system, most)
    seconds = time.perf_counter() - began
    sides = [side for world in found.came for side in world.sides]
    devices, nets = len({side.device for side in sides}), len({side.net for side in sides})
    services = len({world.service for world in found.came})
    parts = f"{devices} devices, {nets} nets, {services} services"
    homes = sum(is_home(system, world) for world in found.came)
    more = "" if found.complete else "+"
    lines = [
        f"{name}{len(found.came):>8}{more} states {found.transitions:>8} transitions  depth {found.depth:>3}"
        f"  {seconds:5.1f} s  ({parts})  {homes} home, {len(found.dead)} dead"
    ]
    for broken, (world, choice) in found.broken.items():
        after = len(found.way_to(world)) + 1
        lines.append(f"    {broken.invariant}: {broken.why}: after {after} moves, by {choice}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
