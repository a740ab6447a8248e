"""The plug-in as it is installed, in a repository with packages of the same names as ghostjob's."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .stand_in import LOG, SCRIPT, read
from .test_plugin import FIVE_LINES, WRONG

THEIRS = """
import ghostjob

def test_theirs():
    assert ghostjob.IS_THEIRS
"""
CLOUD = """
import socket, ghostjob as package

def test_a_cloud_for_all(iot_cloud):
    host, _, port = iot_cloud.mqtts.rpartition(":")
    socket.create_connection((host, int(port))).close()
    assert iot_cloud.certificate("pump-7").cert.name == "pump-7.pem"

def test_a_cloud_for_one(iot_cloud, fresh_iot_cloud):
    assert isinstance(iot_cloud, package.LocalCloud)
    assert iot_cloud.api != fresh_iot_cloud.api

def test_a_scenario(ghostjob, tmp_path):
    result = ghostjob.play("delete-in-write", engine="virtual", devices=1)
    assert result.passed, result.why
    assert result.directory.parent == tmp_path
"""


ALONE = tuple(f"-pno:{name}" for name in ("cacheprovider", "asyncio", "hypothesispytest", "timeout"))


@pytest.fixture
def installed(site: Path, repository: Path) -> Callable[..., str]:
    """Runs pytest there, as a process: what it says."""

    def run(*arguments: str, code: int = 0, **environment: str) -> str:
        env = {**os.environ, "PYTHONPATH": str(site), **environment}
        for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            env.pop(name, None)
        command = [sys.executable, "-m", "pytest", "-q", *ALONE, "-W", "error", *arguments]
        done = subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def stand_in_site(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The stand-in for `ghostjob certify` is what is installed; where it writes what it was asked."""
    entry = site / "simulator" / "cli" / "__main__.py"
    before = entry.read_text("utf-8")
    log = tmp_path / "stand-in.log"
    entry.write_text(SCRIPT.read_text("utf-8"), "utf-8")
    monkeypatch.setenv(LOG, str(log))
    yield log
    entry.write_text(before, "utf-8")


def test_five_lines_do_in_a_repository_that_has_packages_of_the_same_names(
    installed: Callable[..., str], repository: Path, stand_in_site: Path
):
    (repository / "test_pump.py").write_text(FIVE_LINES)
    (repository / "pytest.ini").write_text("[pytest]\nghostjob_command = bad --host {host}\n")
    (repository / "ghostjob").mkdir()
    (repository / "ghostjob" / "__init__.py").write_text("IS_THEIRS = True\n")
    (repository / "ghostjob" / "test_theirs.py").write_text(THEIRS)
    said = installed("-k", f"{WRONG} or theirs", code=1)
    assert "1 failed, 1 passed, 2 deselected" in said
    assert f"the device failed {WRONG}: it works on a job that is gone\n" in said
    assert "Traceback" not in said


def test_workers_have_a_session_each(installed: Callable[..., str], repository: Path, stand_in_site: Path):
    (repository / "test_pump.py").write_text(FIVE_LINES)
    (repository / "pytest.ini").write_text("[pytest]\nghostjob_command = good\n")
    out = repository / "out"
    assert "4 passed, 2 skipped" in installed("-n2", "--dist=each", f"--ghostjob-out={out}")
    sessions = [line["argv"] for line in read(stand_in_site) if "argv" in line]
    assert sorted(argv[1] for argv in sessions) == [f"--out={out}/device-gw0", f"--out={out}/device-gw1"]
    assert [line["ended"] for line in read(stand_in_site) if "ended" in line] == ["passed", "passed"]


def test_one_device_that_runs_elsewhere_is_not_played_with_by_two(
    installed: Callable[..., str], repository: Path, stand_in_site: Path
):
    (repository / "test_pump.py").write_text(FIVE_LINES)
    (repository / "pytest.ini").write_text("[pytest]\nghostjob_thing = pump-7\n")
    said = installed("-n2", "--dist=each", code=1)
    assert said.count("\npump-7: no cell can be played: pump-7 runs elsewhere, and is one device, which another") == 3
    assert "2 passed, 1 skipped, 3 errors" in said
    assert "2 passed, 1 skipped" in installed("-n2", "--dist=loadfile")
    assert len([line for line in read(stand_in_site) if "argv" in line]) == 2


def test_clouds_and_scenarios_are_the_librarys_own(installed: Callable[..., str], repository: Path):
    (repository / "test_cloud.py").write_text(CLOUD)
    (repository / "pytest.ini").write_text("[pytest]\nghostjob_things = pump-7\n")
    assert "3 passed" in installed()


def test_a_device_is_certified_by_the_command_itself(installed: Callable[..., str], repository: Path):
    device = "-m ghostjob fleet --no-table --step-seconds 0.05 --thing {thing} --endpoint {host}:{port} --certs {certs}"
    (repository / "pytest.ini").write_text(f"[pytest]\nghostjob_command = {sys.executable} {device}\n")
    (repository / "test_pump.py").write_text(FIVE_LINES + "    assert ghostjob_cell.result.invariants\n")
    assert "1 passed, 7 deselected" in installed("-k", "step-middle/calm", "--ghostjob-out=out")
    assert (repository / "out" / "device" / "certificate.json").is_file()
