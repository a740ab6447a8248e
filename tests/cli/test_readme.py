"""What the README says to paste works as pasted, with nothing set up."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cloud.api import ControlPlane
from simulator.cloud.arns import Account
from simulator.cloud.jobs import Jobs
from simulator.cloud.registry import Registry
from simulator.devices.models import MODELS
from simulator.scenario import shipped
from tests.clients.cloud_process import running_cloud

README = Path(__file__).parent.parent.parent / "README.md"
CHANGELOG = README.with_name("CHANGELOG.md")
PATH = f"{Path(sys.executable).parent}:{os.defpath}"


def block(name: str) -> str:
    """The shell block after <!-- name -->."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found, f"the README has a block {name}"
    return found[1]


def bash(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run it where nothing is set but a path and an empty home."""
    clean = {"PATH": PATH, "HOME": str(home)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=clean, cwd=home, capture_output=True, text=True, check=False
    )


def _has_aws_cli() -> bool:
    aws = shutil.which("aws", path=PATH)
    told = subprocess.run([aws, "--version"], capture_output=True, text=True, check=False).stdout if aws else ""
    return told.startswith("aws-cli/2")


@pytest.mark.skipif(not _has_aws_cli(), reason="needs the AWS CLI version 2")
def test_your_own_tools_work_as_the_readme_has_them(tmp_path: Path):
    script, things = block("tools"), "--thing thing-0 --seconds 10"
    with running_cloud("--deletion-seconds", "600") as endpoints:
        for said, meant in (
            ("http://127.0.0.1:4566", endpoints["api"]),
            (
                "ghostjob fleet --thing thing-0 --step-seconds 20 --seconds 60",
                f"ghostjob fleet --endpoint {endpoints['mqtt']} {things}",
            ),
        ):
            assert said in script
            script = script.replace(said, meant)
        done = bash(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"status": "DELETION_IN_PROGRESS"' in done.stdout


def test_bash_completes_verbs_options_and_scenarios(tmp_path: Path):
    (line,) = set(re.findall(r"`(eval \"\$\(_GHOSTJOB_COMPLETE=bash_source ghostjob\)\")`", README.read_text("utf-8")))
    script = f"""
        {line}
        try() {{
            COMP_WORDS=("$@") COMP_CWORD=$(($#-1)) COMPREPLY=()
            _ghostjob_completion ghostjob
            echo "${{COMPREPLY[*]}}"
        }}
        try ghostjob sch
        try ghostjob run --devi
        try ghostjob run --engine v
        try ghostjob run delete-while-reb
    """
    done = bash(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["schema", "--devices", "virtual", "delete-while-rebooting"]


def test_the_texts_count_what_there_is():
    plane = ControlPlane(Jobs(), Registry(str), Account(), float, lambda outcome: None)
    served, bad = len(plane.operations), sum(bool(model.breaks) for model in MODELS.values())
    assert f"serves {served} operations" in README.read_text("utf-8")
    changes = " ".join(CHANGELOG.read_text("utf-8").split())
    for said in (f"{served} operations", f"{len(shipped())} scenarios ship", f"names {bad} bad ones"):
        assert said in changes, said
