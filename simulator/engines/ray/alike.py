"""Whether two hosts run the very same ghostjob: else one seed could mean two things."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

PACKAGES: Final = ("agent", "simulator")


class Build(NamedTuple):
    """Its version, and a digest of all its sources."""

    version: str
    digest: str


@cache
def here() -> Build:
    """What this process runs."""
    digest = sha256()
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None, "it is running"
        for root in map(Path, spec.submodule_search_locations or ()):
            for path in sorted(root.rglob("*.py")):
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return Build(version("ghostjob"), digest.hexdigest())
