"""How ghostjob starts itself: this file, by its path, with `agent` and `simulator` from the tree that it lies in.

Whatever else is on the path by these names, such as packages of the repository from which somebody works, is not
ghostjob's and must not be imported in its place.
"""

import gc
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent.parent

# What a process imports stays, 150,000 objects at most: it need not be gone through while it comes. A verb that runs a
# loop sets what holds from then on (`simulator.cli.options.run_loop`); the others have ended by then.
gc.set_threshold(250_000, 20, 20)


def _pin(name: str) -> None:
    """Import a package of this tree, under its name."""
    package = TREE / name
    spec = spec_from_file_location(name, package / "__init__.py", submodule_search_locations=[str(package)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)


if "simulator" not in sys.modules:  # as it is with `python -m simulator.cli`
    for each in ("agent", "simulator"):
        _pin(each)

from simulator.cli import main  # noqa: E402 - only now is it ghostjob's for certain

main()
