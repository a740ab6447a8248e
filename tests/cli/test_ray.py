"""`--engine ray`, before any cluster is there: what is missing is said in one line."""

import socket
import sys

import pytest

from simulator.engines.ray.cluster import LOOPBACK
from tests.cli.command import complaint, ended

WALK = ["explore", "--walks", "1", "--engine", "ray"]


@pytest.mark.parametrize("command", [WALK, ["run", "--engine", "ray"]], ids=" ".join)
def test_without_ray_a_line_says_what_to_install(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "needs Ray, which is not installed here; pip install 'ghostjob[ray]'" in complaint(capfd, command)


def test_a_search_goes_on_no_cluster(capfd: pytest.CaptureFixture[str]):
    assert complaint(capfd, ["explore", "--engine", "ray"]).endswith("give --walks N, too")


def test_seeds_are_for_virtual_time(capfd: pytest.CaptureFixture[str]):
    assert complaint(capfd, ["run", "--seeds", "3"]).endswith("--seeds: for --engine virtual and ray")


def test_of_many_seeds_the_worst_is_told_and_where_to_look(capfd: pytest.CaptureFixture[str]):
    model = ("--model", "recovers-without-undoing", "--devices", "4")
    assert ended(["run", "delete-in-write", "--engine", "virtual", "--seeds", "2", "--seed", "7", *model]) == 1
    told = capfd.readouterr()
    first, second, last = told.out.splitlines()
    assert first.startswith("seed 7: FAILED, 4 recovered, recovery p99 ")
    assert ": bootable was violated by thing-0 on job fw: " in first
    assert second.startswith("seed 8: FAILED")
    assert last == "FAILED: 2 of 2 seeds"
    assert "--engine virtual --seed 7 --out DIR" in " ".join(told.err.split())


@pytest.mark.parametrize("address", ["auto", "ray://host:10001/", f"{LOOPBACK}:"])
def test_a_cluster_is_named_by_its_head(address: str, capfd: pytest.CaptureFixture[str]):
    assert "name the cluster's head as HOST:PORT" in complaint(capfd, [*WALK, "--cluster", address])


def test_a_head_that_does_not_answer_is_told_at_once(capfd: pytest.CaptureFixture[str]):
    with socket.socket() as nobody:
        nobody.bind((LOOPBACK, 0))
        address = f"{LOOPBACK}:{nobody.getsockname()[1]}"
        assert f"--cluster {address}: no head of a Ray cluster answers there" in complaint(
            capfd, [*WALK, "--cluster", address]
        )
