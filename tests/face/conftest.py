"""For tests of the face: a place where ghostjob is installed, and a stand-in for what takes its time."""

import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import agent
import ghostjob
import pytest_ghostjob
import simulator

from .stand_in import LOG, SCRIPT, Log, read

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture
def stand_in(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Log:
    """`ghostjob certify` plays nothing and speaks all the same; what it was asked is read from what is returned."""
    path = tmp_path_factory.mktemp("stand-in") / "log"
    monkeypatch.setenv(LOG, str(path))
    monkeypatch.setattr("ghostjob._process.ENTRY", SCRIPT)
    return lambda: read(path)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of packages as the wheel lays it out, with the entry points that it has."""
    site = tmp_path_factory.mktemp("site")
    ignore = shutil.ignore_patterns("__pycache__", "face")
    for package in (agent, simulator, ghostjob, pytest_ghostjob):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, site / source.name, ignore=ignore)
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    about = site / "ghostjob-0.1.0.dist-info"
    about.mkdir()
    entries = project["entry-points"] | {"console_scripts": project["scripts"]}
    for name, lines in {
        "METADATA": ["Metadata-Version: 2.4", "Name: ghostjob", "Version: 0.1.0"],
        "RECORD": [f"{path.relative_to(site)},," for path in sorted(site.rglob("*.py"))],
        "entry_points.txt": [line for group in entries for line in _section(group, entries[group])],
    }.items():
        (about / name).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return site


def _section(group: str, entries: Mapping[str, str]) -> Iterator[str]:
    yield f"[{group}]"
    yield from (f"{name} = {value}" for name, value in entries.items())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's own, which has an `agent` and a `simulator` too."""
    for name in ("agent", "simulator"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(ALIEN)
    return tmp_path


ALIEN = 'raise ImportError("this is another package than ghostjob\'s")\n'
