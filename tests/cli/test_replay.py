"""`ghostjob replay`, as somebody meets it who waits for it, or does not want to."""

import os
import subprocess
import sys
from pathlib import Path

SCHEDULES = Path(__file__).parents[1] / "explore" / "schedules"
UPDATE = SCHEDULES / "update.yaml"


def test_who_waits_for_a_schedule_that_nobody_has_written_yet_is_told_so(tmp_path: Path):
    pipe = tmp_path / "schedule.yaml"
    os.mkfifo(pipe)
    command = [sys.executable, "-P", "-m", "simulator.cli", "replay", str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        pipe.write_text(UPDATE.read_text("utf-8"), "utf-8")
        told, _ = process.communicate()
    assert line == f"ghostjob: waiting for the schedule: nobody has written all of {pipe} yet, and closed it\n"
    assert "passed: no invariant was violated" in told
    assert process.returncode == 0
