"""A run whose other process is killed, as a machine does that is out of memory: it ends at once, and says why."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from simulator.cli.playing import MANY
from tests.cli.test_interrupted import begun, kept


def other_process(run: "subprocess.Popen[str]", verb: str) -> int:
    """Which of the processes that it started has that verb."""
    for each in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text("ascii").split():
        if verb in Path(f"/proc/{each}/cmdline").read_text("utf-8").split("\0"):
            return int(each)
    raise LookupError(verb)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="who started whom is read from /proc")
@pytest.mark.parametrize(
    ("verb", "devices", "is_judged", "says"),
    [
        ("cloud", 4, True, "ghostjob: the local cloud ended before the run did (killed by signal 9)"),
        (
            "judge",
            MANY,
            False,
            "ghostjob: the process that judges ended before the run did (killed by signal 9), so there is no verdict, "
            "and nothing is kept",
        ),
    ],
    ids=["the cloud", "the judge"],
)
def test_it_ends_at_once_and_says_why(tmp_path: Path, verb: str, devices: int, is_judged: bool, says: str):
    options = ("--devices", str(devices), "--no-table", "--log-level", "error", "--out", "out")
    with begun("run", *options, cwd=tmp_path) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line.startswith("playing main"))
        os.kill(other_process(run, verb), signal.SIGKILL)
        out, err = run.communicate()
    assert run.returncode == 3
    assert err.splitlines()[-1] == says
    assert "Traceback" not in err
    assert "passed" not in out
    if is_judged:
        assert out.splitlines()[-1].startswith("INCONCLUSIVE: the run was interrupted; see engine#")
        assert kept(tmp_path / "out").outcome == "inconclusive"
    else:
        assert not list((tmp_path / "out").iterdir())
