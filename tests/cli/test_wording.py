"""Every kind of mistake on a command line: what is allowed, and what was perhaps meant."""

from pathlib import Path

import click
import pytest

from simulator.cli import VERBS, ghostjob, main
from tests.cli.command import complaint

SCENARIO = "name: x\ndevices: [{group: a}]\njobs: [{id: fw, to: [a], version: '1'}]\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--devices", "0"], "--devices: give a whole number from 1 to 10000000, not 0"),
        (["run", "--devices", "ten"], "--devices: give a whole number from 1 to 10000000, not 'ten'"),
        (["run", "--seed", "1.5"], "--seed: give a whole number, not '1.5'"),
        (["agent", "--step-seconds", "x"], "--step-seconds: give a number, not 'x'"),
        (["control", "--timeout", "0"], "--timeout: give a number above 0, not 0.0"),
        (["control", "--poll", "0"], "--poll: give a number from 0.01 on, not 0.0"),
        (["cloud", "--deletion-seconds", "-1"], "--deletion-seconds: give a number from 0 to 86400, not -1.0"),
        (
            ["run", "--engine", "virtul"],
            "--engine: give one of live, virtual, explore, ray, not 'virtul'; did you mean virtual?",
        ),
        (
            ["schema", "x"],
            "NAME: give one of scenario, schedule, settings, verdict, certificate, page, forecast, not 'x'",
        ),
        (["schema"], "NAME: needed; give one of scenario, schedule, settings, verdict"),
        (["control"], "--job-id: needed; see `ghostjob control --help`"),
        (["run", "--devises", "3"], "--devises: no such option of ghostjob run; did you mean --devices?"),
        (["run", "--nothing-like-it"], "--nothing-like-it: no such option of ghostjob run"),
        (["run", "--seed"], "--seed: needs a value"),
        (["cloud", "--until-stdin-closes=3"], "--until-stdin-closes: takes no value"),
        (["run", "main", "b", "c"], "b c: not expected here; see `ghostjob run --help`"),
        (["rnu"], f"rnu: no such verb; there are {', '.join(VERBS)}; did you mean run?"),
        (["cloud", "--files", "nowhere"], "--files: Directory 'nowhere' does not exist"),
        (["cloud", "--api-port", "http"], "--api-port: 'http' is no port; give 0 to 65535, or off"),
        (
            ["cloud", "--settings", '{"cloud": {"deletion_secods": 3}}'],
            "did you mean deletion_seconds?",
        ),
        (
            ["cloud", "--settings", '{"cloud": {"deletion_seconds": "soon"}}'],
            "--settings: cloud.deletion_seconds: give a number, not 'soon'",
        ),
        (["cloud", "--settings", '{"seed": 3}'], "--settings: seed: give text, not 3"),
        (["cloud", "--settings", "{"], "--settings: this is no JSON: EOF while parsing"),
        (["agent", "--config", "agent.yaml"], "agent.yaml: endpont: unknown key; the keys here are allow"),
        (["agent", "--config", "agent.yaml"], "did you mean endpoint?"),
        (
            ["agent", "--endpoint", "x", "--thing", "a", "--transport", "paha"],
            "--transport: give one of paho, awsiot, not 'paha'; did you mean paho?",
        ),
        (
            ["agent", "--endpoint", "x", "--thing", "a b"],
            "--thing: give 1 to 128 of letters, digits, :, _, -, not 'a b'",
        ),
        (["run", "s.yaml"], "s.yaml:4: deletons: unknown key; the keys here are name, about, devices"),
        (["run", "s.yaml"], "did you mean deletions?"),
        (["run", "groop.yaml"], "groop.yaml:2: devices.0.groop: unknown key; the keys here are group, namespace"),
        (["run", "groop.yaml"], "did you mean group?"),
        (["run", "flat.yaml"], "flat.yaml:4: deletions.0.step: unknown key; the keys here are job, do, when"),
        (["run", "flat.yaml"], "did you mean when.step?"),
        (["cloud", "--settings", '{"deletion_seconds": 3}'], "did you mean cloud.deletion_seconds?"),
        (["cloud", "--settings", "settings.json"], "--settings: this is no JSON: expected"),
        (["cloud", "--settings", "settings.json"], 'a file is given as "$(cat FILE)"'),
        (["run", "step.yaml"], "step.yaml:4: deletions.0.when.step: give one of download, write, switch"),
        (["run", "step.yaml"], "not 'wriet'; did you mean write?"),
        (["run", "number.yaml"], "number.yaml:4: time_limit_seconds: give 86400 or less, not 100000"),
        (["trace", "t.jsonl"], "t.jsonl:1: client.connected: thing: give text, not 3"),
    ],
)
def test_a_mistake_is_told_by_what_is_allowed(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    Path("agent.yaml").write_text("endpont: 127.0.0.1\nendpoint: 127.0.0.1\nthing: a\n")
    Path("s.yaml").write_text(SCENARIO + "deletons: []\n")
    Path("step.yaml").write_text(SCENARIO + "deletions: [{job: fw, when: {step: wriet}}]\n")
    Path("groop.yaml").write_text(SCENARIO.replace("group:", "groop:"))
    Path("flat.yaml").write_text(SCENARIO + "deletions: [{job: fw, step: write}]\n")
    Path("number.yaml").write_text(SCENARIO + "time_limit_seconds: 100000\n")
    Path("t.jsonl").write_text('{"source": "cloud", "n": 1, "at": 0, "type": "client.connected", "thing": 3}\n')
    said = complaint(capfd, arguments)
    assert said.startswith("ghostjob: ")
    assert says in said


def test_ghostjob_alone_shows_its_help_with_the_verbs_in_order(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        main([])
    told = capfd.readouterr()
    with pytest.raises(click.exceptions.NoArgsIsHelpError) as as_click:
        ghostjob.main([], prog_name="ghostjob", standalone_mode=False)
    assert (exit_.value.code, told.out) == (as_click.value.exit_code, "")
    lines = told.err.splitlines()
    shown = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line[2:3].strip()]
    assert shown == list(VERBS)
    assert (shown[0], "Start with `ghostjob run`" in told.err) == ("run", True)
