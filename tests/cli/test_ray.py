"""`--engine ray`, before any cluster is there: what is missing is said in one line."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest

from simulator.engines.ray import cluster
from simulator.engines.ray.cluster import LOOPBACK
from tests.cli.certifying import GHOSTJOB
from tests.cli.command import complaint, ended
from tests.cli.test_interrupted import begun

WALK = ["explore", "--walks", "1", "--engine", "ray"]
SEEDS = ["run", "main", "--engine", "virtual", "--devices", "4", "--seeds", "2", "--seed", "7"]


@pytest.mark.parametrize("command", [WALK, ["run", "--engine", "ray"]], ids=" ".join)
def test_without_ray_a_line_says_what_to_install(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "needs Ray, which is not installed here; pip install 'ghostjob[ray]'" in complaint(capfd, command)


def test_an_interruption_while_ray_is_loaded_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    interrupted = (
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    pass\n"
    )
    (tmp_path / "ray.py").write_text(interrupted)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    with pytest.raises(KeyboardInterrupt):
        cluster._ray(is_on_loopback=True)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'ghostjob[ray]'")
def test_a_cluster_of_its_own_leaves_no_token_for_the_next(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = (*GHOSTJOB, "run", "main", "--engine", "ray", "--seeds", "1")
    subprocess.run(command, env={**environment, "HOME": str(tmp_path)}, check=True, capture_output=True)
    assert not list(tmp_path.iterdir())


def test_a_cluster_that_cannot_be_joined_may_want_a_token(monkeypatch: pytest.MonkeyPatch):
    head = cluster._Head(f"{LOOPBACK}:1", f"--cluster {LOOPBACK}:1")
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    assert str(cluster._not_joined(head, RuntimeError("no"))).endswith("RAY_AUTH_MODE=token")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert str(cluster._not_joined(head, RuntimeError("no"))) == f"--cluster {LOOPBACK}:1: no"


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


@contextmanager
def stranger() -> Iterator[str]:
    """The address of one who takes a connection, and answers in a language of its own."""
    with socket.create_server((LOOPBACK, 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    with listening.accept()[0] as asked:
                        asked.recv(100)
                        asked.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                except OSError:
                    return

        thread = Thread(target=answer)
        thread.start()
        try:
            yield f"{LOOPBACK}:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_who_is_there_and_is_no_ray_is_told_at_once(capfd: pytest.CaptureFixture[str]):
    with stranger() as address:
        told = complaint(capfd, [*WALK, "--cluster", address])
    assert f"--cluster {address}: no head of a Ray cluster answers there (whoever listens there is none)" in told


def test_the_environment_names_the_head_too_and_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    assert "RAY_ADDRESS=auto: name the cluster's head as HOST:PORT" in complaint(capfd, WALK)
    assert "--cluster ray: name the cluster's head as HOST:PORT" in complaint(capfd, [*WALK, "--cluster", "ray"])


def test_the_environment_is_for_who_asks_for_ray(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    assert ended(SEEDS) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "passed: 2 of 2 seeds"


COMMAND = ["--", "./agent"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param([], "a device that is there already is one", id="on a desk"),
        pytest.param(["--power-cmd", "./power"], "a device that is there already is one", id="whose power is cut"),
        pytest.param(
            ["--probe", "serial:/dev/ttyUSB0", *COMMAND], "a serial line is of one device", id="a serial line"
        ),
        pytest.param(
            ["--endpoint-url", "http://127.0.0.1:1"], "an account has one thing of that name", id="an account"
        ),
        pytest.param(["--page", *COMMAND], "--page: nobody here sees", id="a page"),
        pytest.param(["--cells-from-stdin", *COMMAND], "--cells-from-stdin: the cells are played at once", id="stdin"),
        pytest.param(["--mqtts-port", "8883", *COMMAND], "--mqtts-port: two on one node", id="a port"),
        pytest.param(["--host", "0.0.0.0", *COMMAND], "a cloud is on the node where its device is", id="a host"),
    ],
)
def test_what_cannot_be_certified_on_a_cluster_is_told_before_any_is_joined(
    options: list[str], why: str, capfd: pytest.CaptureFixture[str]
):
    told = complaint(capfd, ["certify", "--engine", "ray", *options])
    assert "--engine ray: " in told
    assert why in told


@pytest.mark.parametrize("option", [["--slow", "2"], ["--pause"], ["--page"]], ids=" ".join)
def test_what_steers_devices_is_for_those_that_are_here(option: list[str], capfd: pytest.CaptureFixture[str]):
    told = complaint(capfd, ["run", *option, "--cluster", f"{LOOPBACK}:1"])
    assert f"{option[0]}: for devices that are here; play it without --cluster" in told


NOT_RAY = [
    (["run", "--engine", "virtual"], "ray or live; add one of these, too"),
    (SEEDS, "ray or live; add one of these, too"),
    (["explore", "--walks", "1"], "ray; add that, too"),
    (["certify", *COMMAND], "ray; add that, too"),
]


@pytest.mark.parametrize(("command", "others"), NOT_RAY)
def test_a_cluster_that_is_not_used_is_refused(command: list[str], others: str, capfd: pytest.CaptureFixture[str]):
    verb, *options = command
    told = complaint(capfd, [verb, "--cluster", f"{LOOPBACK}:1", *options])
    assert told.endswith(f"--cluster: for --engine {others}")


def test_what_an_older_run_said_of_the_seeds_goes_first(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("seed-7.json", "seed-8.json", "seed-9.json", "mine.json"):
        (out / name).write_text("of an older run")
    (out / "seed-7.json.partial").mkdir()  # so that this one ends at once
    told = complaint_after_lines(capfd, [*SEEDS, "--out", str(out)])
    assert "cannot write seed-7.json" in told
    assert {each.name for each in out.iterdir() if each.is_file()} == {"seed-9.json", "mine.json"}


def complaint_after_lines(capfd: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The line by which it gives up, after it has told something."""
    assert ended(arguments) == 2
    (line,) = capfd.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("engine", "number"),
    [
        pytest.param("virtual", signal.SIGINT, id="here"),
        pytest.param(
            "ray",
            signal.SIGTERM,
            id="on a cluster of its own",
            marks=pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
        ),
    ],
)
def test_what_is_interrupted_says_how_far_it_came_and_leaves_nothing_but_that(
    engine: str, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    many = ("--devices", "4", "--seeds", "1000000", "--out", "out")
    with TemporaryDirectory(dir="/tmp") as room:  # the name of a socket has 107 bytes at most
        monkeypatch.setenv("RAY_TMPDIR", room)
        with begun("run", "main", "--engine", engine, *many, cwd=tmp_path) as run:
            assert run.stdout is not None
            first = run.stdout.readline()
            run.send_signal(number)
            out, err = run.communicate()
        assert (run.returncode, err.strip()) == (130, "")
        assert os.listdir(room) == []
    told = [first, *out.splitlines()]
    seeds = range(len(told) - 1)
    assert told[-1] == f"inconclusive: interrupted after {len(seeds):,} of 1,000,000 seeds"
    assert {each.name for each in (tmp_path / "out").iterdir()} == {f"seed-{seed}.json" for seed in seeds}
