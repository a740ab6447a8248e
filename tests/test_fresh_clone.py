"""The README's two commands, copied from it and run on a fresh clone, in the virtual environment that each makes."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(),
    reason="not a git checkout, so there is nothing to clone",
)


def readme_command(marker: str) -> str:
    """The one shell block that follows `<!-- marker -->` in the README."""
    found = re.search(rf"<!-- {marker} -->\n```sh\n(.+?)\n```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found, f"the README has no command marked {marker}"
    return found.group(1)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fresh") / "ghostjob"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(directory)], check=True)
    return directory


def run_in(clone: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a newcomer would: nothing of this virtual environment on the path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "VIRTUAL_ENV"))}
    return subprocess.run(
        ["bash", "-c", command], cwd=clone, env=clean | environment, capture_output=True, text=True, check=False
    )


def test_the_first_command_runs_the_main_job_and_passes(clone: Path):
    done = run_in(clone, f"{readme_command('run')} --out out")
    assert done.returncode == 0, done.stderr
    verdict = json.loads((clone / "out" / "verdict.json").read_text())
    assert verdict["passed"]
    assert verdict["devices"] == verdict["recovered"] == 10


def test_the_second_command_passes_the_tests(clone: Path):
    # A part of them: this very test is one of the whole.
    some = "tests/agent/core/test_asking.py tests/test_architecture.py"
    done = run_in(clone, readme_command("tests"), PYTEST_ADDOPTS=some)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)
