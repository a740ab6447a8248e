"""In somebody's own repository, which has an `agent` and a `simulator` too; and what ghostjob says there: nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import subprocess, sys
import ghostjob


def test_play_and_cloud():
    assert ghostjob.play("delete-in-write", devices=2).passed
    with ghostjob.LocalCloud(things=["lamp"]) as cloud:
        assert cloud.api and cloud.mqtts


def test_the_command():
    for command in ([sys.executable, "-m", "ghostjob"], COMMAND):
        run = (*command, "run", "delete-in-write", "--engine", "virtual", "--devices", "1")
        assert subprocess.run(run, capture_output=True).returncode == 0
"""


def run(*command: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, *command], cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_it_works_in_a_repository_with_packages_of_the_same_names_even_on_pythonpath(repository: Path):
    command = [str(Path(sys.executable).with_name("ghostjob"))]
    (repository / "test_it.py").write_text(f"COMMAND = {command!r}\n{TESTS}")
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=repository, PYTHONPATH=".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_works_as_the_wheel_lays_it_out(repository: Path, site: Path):
    code = (
        f"import ghostjob; assert ghostjob.__file__.startswith({str(site)!r}); "
        "assert ghostjob.play('delete-in-write', engine='virtual', devices=1).passed"
    )
    done = run("-c", code, cwd=repository, PYTHONPATH=os.pathsep.join((str(repository), str(site))))
    assert done.returncode == 0, done.stderr


SILENT = """
import asyncio, ghostjob

assert ghostjob.play("delete-in-write", devices=2).passed
with ghostjob.LocalCloud(things=["lamp"], settings={"files_url": "http://nowhere"}) as cloud:
    try:
        cloud.delete_job("fw", force=True)
    except ghostjob.Refused:
        pass


async def main():
    async with ghostjob.LocalCloud():
        await ghostjob.play_async("delete-in-write", engine="virtual", devices=1)


asyncio.run(main())
"""


def test_it_prints_nothing(tmp_path: Path):
    done = run("-X", "dev", "-c", SILENT, cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert list(tmp_path.iterdir()) == []


TYPED = """
import ghostjob


def check(result: ghostjob.Result, cloud: ghostjob.LocalCloud) -> None:
    for entry in result.trace:
        reveal_type(entry.type)
    reveal_type(result.verdict.passed)
    reveal_type(cloud.api)
    cloud.mqtt_port
"""


def test_it_is_typed_for_whoever_uses_it(tmp_path: Path):
    pytest.importorskip("mypy")
    (tmp_path / "uses.py").write_text(TYPED)
    done = run("-m", "mypy", "--strict", "uses.py", cwd=tmp_path, PYTHONPATH="")
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()][:4] == [
        'note: Revealed type is "str"',
        'note: Revealed type is "bool"',
        'note: Revealed type is "str"',
        'error: "LocalCloud" has no attribute "mqtt_port"  [attr-defined]',
    ], done.stdout
