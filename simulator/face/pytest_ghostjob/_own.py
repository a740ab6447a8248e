"""ghostjob's own package `ghostjob`, in a repository that may have another of that name, such as a folder of tests."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent.parent / "ghostjob" / "__init__.py"
NAME: Final = "ghostjob"
_own: Final[dict[str, ModuleType]] = {}


@contextmanager
def own_ghostjob() -> Iterator[None]:
    """In here `import ghostjob` imports ours; outside it stays whose it is."""
    loaded = sys.modules.get(NAME)
    if _is_ours(getattr(loaded, "__file__", None) if loaded else _found()):
        yield
        return
    theirs = _taken_away()
    if _own:
        sys.modules.update(_own)
    else:
        _load()
    try:
        yield
    finally:
        _own.update(_taken_away())
        sys.modules.update(theirs)


def _load() -> None:
    spec = spec_from_file_location(NAME, PACKAGE, submodule_search_locations=[str(PACKAGE.parent)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[NAME] = module_from_spec(spec)
    spec.loader.exec_module(module)


def _taken_away() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] == NAME]
    return {name: sys.modules.pop(name) for name in names}


def _found() -> str | None:
    spec = find_spec(NAME)
    return spec.origin if spec else None


def _is_ours(file: str | None) -> bool:
    return file is not None and Path(file).resolve() == PACKAGE
