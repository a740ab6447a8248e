"""Without monitors that judge what is explored, there is nothing to catch anything with."""

from importlib.util import find_spec

from simulator.engines.explore.setup import Setup
from simulator.engines.explore.system import System

SEARCHES = ("test_models.py", "mutations/test_mutations.py")
watched = System(Setup()).first().sides[0].watched
collect_ignore = [] if watched is not None and find_spec("simulator.engines.explore.search") else list(SEARCHES)
