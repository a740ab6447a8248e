"""`ghostjob run` with shipped scenarios and other device models."""

from pathlib import Path

from simulator.scenario import load, shipped
from tests.cli.command import ghostjob


def test_the_list_names_every_scenario_that_ships_and_what_it_shows(tmp_path: Path):
    told = ghostjob("run", "--list", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in told.stdout.splitlines())
    assert lines == {name: load(name).about for name in shipped()}


def test_any_scenario_can_be_played_by_another_model(tmp_path: Path):
    told = ghostjob("run", "delete-in-download", "--engine", "virtual", "--model", "hammering", cwd=tmp_path)
    assert told.returncode == 1
    assert "no-hammering: thing-0: sent" in told.stderr


def test_a_scenario_is_played_with_as_many_devices_as_it_is_made_for(tmp_path: Path):
    told = ghostjob("run", "fleet-hinted-at-once", "--engine", "virtual", cwd=tmp_path)
    assert told.returncode == 0
    assert "450 of 450 devices recovered" in told.stderr
