"""The JSON Schemas that ship: they are those of the models, and say yes and no to the right things."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from simulator.cli import main
from simulator.scenario import shipped as scenarios
from simulator.schemas import NAMES, shipped
from tests.cli.command import ghostjob
from tests.schemas import generated


def validator(name: str) -> Draft202012Validator:
    schema = json.loads(shipped(name))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(name: str, value: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(value)]


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_is_what_the_models_say(name: str):
    assert shipped(name) == generated(name), "run `python -m tests.schemas`"


@pytest.mark.parametrize("name", NAMES)
def test_the_command_prints_it(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["schema", name])
    assert capsys.readouterr().out == shipped(name)


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of a device that breaks invariants, as it stands on the disk."""
    cwd = tmp_path_factory.mktemp("run")
    model = "recovers-without-undoing"
    done = ghostjob("run", "delete-in-write", "--engine", "virtual", "--model", model, "--out", "out", cwd=cwd)
    assert done.returncode == 1, done.stderr
    return json.loads((cwd / "out" / "verdict.json").read_text())


def test_a_verdict_is_as_its_schema_says(verdict: Any):
    assert problems("verdict", verdict) == []


@pytest.mark.parametrize("gone", ["outcome", "invariants", "recovery_seconds", "passed", "why"])
def test_a_verdict_that_lacks_something_is_not(verdict: Any, gone: str):
    lacking = {key: value for key, value in verdict.items() if key != gone}
    assert problems("verdict", lacking) == [f"$: '{gone}' is a required property"]


@pytest.mark.parametrize("name", scenarios())
def test_every_shipped_scenario_is_as_its_schema_says(name: str):
    text = (files("simulator.scenarios") / f"{name}.yaml").read_text("utf-8")
    assert problems("scenario", json.loads(json.dumps(yaml.safe_load(text)))) == []


def test_a_scenario_with_a_key_that_nobody_knows_is_not():
    text = "{name: x, devices: [{group: a}], jobs: [{id: fw, to: [a], version: '1'}], colour: red}"
    (problem,) = problems("scenario", yaml.safe_load(text))
    assert "colour" in problem


def test_the_files_are_in_the_package():
    assert {Path(str(each)).name for each in files("simulator.schemas").iterdir() if each.name.endswith(".json")} == {
        f"{name}.schema.json" for name in NAMES
    }
