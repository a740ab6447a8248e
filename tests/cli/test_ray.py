"""`--engine ray`, before any cluster is there: what is missing is said in one line."""

import socket
import sys

import pytest

from simulator.engines.ray.cluster import LOOPBACK
from tests.cli.command import complaint

WALK = ["explore", "--walks", "1", "--engine", "ray"]


def test_without_ray_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "needs Ray, which is not installed here; pip install 'ghostjob[ray]'" in complaint(capfd, WALK)


def test_a_search_goes_on_no_cluster(capfd: pytest.CaptureFixture[str]):
    assert complaint(capfd, ["explore", "--engine", "ray"]).endswith("give --walks N, too")


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
