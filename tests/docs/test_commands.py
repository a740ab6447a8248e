"""What the README and the pages say to paste works as pasted, with nothing set up."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from agent.log import configure
from simulator.cli import ghostjob, main
from tests.clients.cloud_process import running_cloud

from .blocks import blocks, files
from .marks import README, ROOT, pages

PATH = f"{Path(sys.executable).parent}:{os.defpath}"
BY_CI = ("run", "tests")
"""The marks of what `.ci/run` takes out of the README and runs."""
WITH_CLOUD = ("cloud", "tools")
PAGES = pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)


def bash(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run it where nothing is set but a path and an empty home."""
    clean = {"PATH": PATH, "HOME": str(home)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=clean, cwd=home, capture_output=True, text=True, check=False
    )


def has_aws_cli() -> bool:
    aws = shutil.which("aws", path=PATH)
    told = subprocess.run([aws, "--version"], capture_output=True, text=True, check=False).stdout if aws else ""
    return told.startswith("aws-cli/2")


@PAGES
def test_commands_work(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """In this process; what would play over real MQTT is played in virtual time here."""
    monkeypatch.chdir(tmp_path)
    for name, text in files(page).items():
        Path(name).write_text(text, "utf-8")
    for block in blocks(page):
        for words, code in block.commands() if not block.mark else ():
            assert words[0] == "ghostjob", f"{page}: mark this block: {words}"
            arguments, to = (words[1:-2], words[-1]) if ">" in words else (words[1:], None)
            told = run(arguments, code, capsys)
            if to is not None:
                Path(to).write_text(told, "utf-8")


def run(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """What it says on stdout."""
    if arguments[0] == "run" and not {"--engine", "--list", "--models"} & set(arguments):
        arguments = [*arguments, "--engine", "virtual"]
    try:
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
    finally:
        configure("text", "error")  # it has a log of its own
    told = capsys.readouterr()
    assert exit_.value.code == code, f"{arguments}: {told.err}"
    return told.out


@pytest.mark.parametrize("page", [page for page in pages() if any(block.mark in WITH_CLOUD for block in blocks(page))])
def test_commands_work_while_a_cloud_is_up(page: Path, tmp_path: Path):
    scripts = [block.for_bash() for block in blocks(page) if block.mark in WITH_CLOUD]
    if any("aws " in script for script in scripts) and not has_aws_cli():
        pytest.skip("needs the AWS CLI version 2")
    with running_cloud("--deletion-seconds", "600") as endpoints:
        told = [bash(against(script, endpoints), tmp_path) for script in scripts]
    for done in told:
        assert done.returncode == 0, done.stderr
    said = "".join(done.stdout for done in told)
    for promised in re.findall(r"# (SUCCEEDED|DELETION_IN_PROGRESS)\b", "".join(scripts)):
        assert f'"{promised}"' in said


def against(script: str, endpoints: dict[str, str]) -> str:
    """The script for this cloud; what it leaves running ends with it."""
    for said, meant in (
        ("http://127.0.0.1:4566", endpoints["api"]),
        ("127.0.0.1:1883", endpoints["mqtt"]),
        ("fleet --thing", f"fleet --endpoint {endpoints['mqtt']} --thing"),
    ):
        script = script.replace(said, meant)
    return f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}"


@PAGES
def test_options_exist_of_commands_that_are_not_run(page: Path):
    for block in blocks(page):
        reason = re.fullmatch("not run: .+", block.mark)
        assert reason or block.mark in ("", *WITH_CLOUD, *BY_CI), f"{page}: nobody runs {block.mark}"
        for words, _ in block.commands() if reason else ():
            check_options([word for word in words if word != "&"])


def test_every_option_of_certify_is_on_its_page():
    page = (ROOT / "simulator" / "docs" / "certify.md").read_text("utf-8")
    command = ghostjob.get_command(click.Context(ghostjob), "certify")
    assert command is not None
    options = [name for param in command.params if isinstance(param, click.Option) for name in param.opts]
    assert [name for name in options if f"**`{name}" not in page] == []


def check_options(words: list[str]) -> None:
    match words:
        case "ghostjob", verb, *rest:
            command = ghostjob.get_command(click.Context(ghostjob), verb)
            assert command is not None, verb
            command.make_context(verb, rest)
        case "python", "-m", module, *rest:
            spec = find_spec(module if (ROOT / f"{module.replace('.', '/')}.py").exists() else f"{module}.__main__")
            assert spec is not None, module
            assert spec.origin, module
            source = Path(spec.origin).read_text("utf-8")
            assert all(f'"{word}"' in source for word in rest if word.startswith("--")), words
        case _:
            pass


def test_ci_runs_the_two_commands_that_are_marked_for_it():
    assert [block.mark for block in blocks(README) if block.mark in BY_CI] == list(BY_CI)
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert all(f"$(readme {mark})" in ci for mark in BY_CI)


def test_bash_completes_verbs_options_scenarios_and_topics(tmp_path: Path):
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
        try ghostjob explain no-ghost-w
    """
    done = bash(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["schema", "--devices", "virtual", "delete-while-rebooting", "no-ghost-work"]
