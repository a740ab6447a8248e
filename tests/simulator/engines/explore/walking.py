"""Ways through a world, at random by a seed."""

from collections.abc import Iterator
from random import Random

from simulator.engines.explore.choice import Choice
from simulator.engines.explore.system import System, World
from simulator.engines.explore.world import Transition, transitions


def is_home(system: System, world: World) -> bool:
    """Whether every device is."""
    return all(system.is_home(side.device, side.net, world.service) for side in world.sides)


def walk(system: System, seed: int, most: int = 300) -> tuple[list[Choice], World]:
    """A path on which troubles come now and then, until they are over and all is well; and where it leads."""
    gone = steps(system, seed, most)
    return [each.choice for each in gone], gone[-1].world if gone else system.first()


def steps(system: System, seed: int, most: int = 300) -> list[Transition]:
    """What such a path consists of."""
    return list(walked(system, Random(seed), system.first(), most))


def walked(system: System, rng: Random, world: World, most: int) -> Iterator[Transition]:
    """The same step by step, from a world on."""
    for number in range(most):
        if number and not any(world.budgets) and world.service.made and is_home(system, world):
            return
        there = list(transitions(system, world))
        costly = [each for each in there if each.costs]
        by_itself = [each for each in there if not each.costs]
        soon = [each for each in by_itself if each.actor != "timer"]
        if costly and (not by_itself or rng.random() < 0.15):
            chosen = rng.choice(costly)
        elif by_itself:
            chosen = rng.choice(soon if soon and rng.random() < 0.9 else by_itself)
        else:
            return
        yield chosen
        world = chosen.world
