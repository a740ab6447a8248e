"""Work on a real cluster of several nodes: the same as on one machine, whoever dies on the way."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from select import select
from threading import Thread
from typing import Any

import pytest

from agent.errors import InputError
from simulator.certify.alone import Asked, PlayedAlone
from simulator.certify.certificate import Certificate
from simulator.cli import certifying_on_cluster
from simulator.cli.certifying_on_cluster import on_node
from simulator.engines.afar.venue import VenueAfar
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.walks import Walked, walks
from simulator.engines.explore.world import system_of
from simulator.engines.judged import JudgedPlay
from simulator.engines.live import LiveVenue
from simulator.engines.ray import cluster as module
from simulator.engines.ray.alike import Build, here
from simulator.engines.ray.cluster import Cluster, Died, HeadLostError, joined
from simulator.engines.ray.fleet import OnNodes
from simulator.engines.ray.live import PartsOnNodes
from simulator.engines.ray.spreading import Lost, ShardLostError, spread
from simulator.engines.ray.walks import Seeds, walks_on
from simulator.engines.seeds import Fleet, judged_with
from simulator.engines.shards.hosted import Reports, Sharded
from simulator.engines.shards.hosts import Host
from simulator.engines.stand_ins import Crew
from simulator.scenario import load
from tests.cli.certifying import Certifying, device
from tests.cli.command import ended, ghostjob
from tests.cli.test_interrupted import begun, kept
from tests.simulator.certify.played import certificate, named, result
from tests.simulator.engines.ray.nodes import HEAD, Nodes, nodes
from tests.simulator.engines.test_afar import what_is_determined
from tests.simulator.engines.test_shards import SEED, in_shards

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'ghostjob[ray]'")
FIRST, WALKS, AT_ONCE = 170, 24, 8


@pytest.fixture(scope="module")
def hosts() -> Iterator[Nodes]:
    with nodes(2) as started:
        yield started


@pytest.fixture(scope="module")
def cluster(hosts: Nodes) -> Iterator[Cluster]:
    with joined(hosts.address) as there:
        yield there


def node_id() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


def node_of_an_actor() -> str:
    from ray._private.state import actors  # the public one wants a dashboard

    return next(str(told["Address"]["NodeID"]) for told in actors(actor_state_name="ALIVE").values())


def one_of_two(cluster: Cluster) -> str:
    """A node, once there are two with a processor: after one has died, another comes when it comes."""
    while cluster.processors() < 2:
        time.sleep(0.1)
    return next(spread(cluster, where, [0]))


def negative(number: int) -> int:
    return -number


def negative_in_its_second_life(folder: Path, number: int) -> int:
    """The first begins, says where, and never ends."""
    if number == 1:
        try:
            with (folder / "began").open("x") as began:
                began.write(node_id())
        except FileExistsError:
            return negative(number)
        (folder / "began").rename(folder / "waits")
        (folder / "began").touch()
        while True:
            time.sleep(3600)
    return negative(number)


def dies(_number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def refuses(number: int) -> int:
    raise InputError(f"{number}: not with me")


def where(_number: int) -> str:
    return node_id()


def without_seconds(walked: Walked) -> Walked:
    return walked._replace(seconds=0.0)


def test_parts_come_in_the_order_of_their_shards(cluster: Cluster):
    assert list(spread(cluster, negative, range(5))) == [0, -1, -2, -3, -4]


def test_what_the_work_refuses_is_refused(cluster: Cluster):
    with pytest.raises(InputError, match=r"^3: not with me$"):
        list(spread(cluster, refuses, [3]))


def test_a_node_with_another_ghostjob_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "here", lambda: Build(here().version, "another"))
    with pytest.raises(InputError, match=r"runs another ghostjob \(other sources\)"):
        list(spread(cluster, negative, [3]))


def test_a_node_that_has_no_ghostjob_is_refused(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "only_here.py").write_text("def work(number):\n    return number\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"a node cannot load ghostjob \(.*only_here.*\); on each: pip install"):
        list(spread(cluster, import_module("only_here").work, [3]))


def test_no_walk_is_begun_when_the_time_is_over_and_that_is_told(cluster: Cluster):
    system = system_of(Setup(bounds=Bounds(delete=1)))
    found = walks_on(cluster, system, WALKS, 7, bounds={"delete": 1}, seconds=0.0)
    assert (found.walks, found.stopped_by) == (0, "time")


def test_a_shard_says_which_walks_it_is():
    assert str(Seeds(7, 106, None)) == "walks 7 to 106"


SEEDS = ("run", "main", "--engine", "{engine}", "--devices", "20", "--seeds", "3", "--seed", "7", "--out", "{engine}")
WALKS_TOLD = ("explore", "--bound", "delete=1", "--walks", "5", "--seed", "7", "--engine", "{engine}", "--json")


@pytest.mark.parametrize(("command", "one_machine"), [(SEEDS, "virtual"), (WALKS_TOLD, "explore")])
def test_a_command_says_the_same_as_on_one_machine_and_nothing_else(
    command: Sequence[str],
    one_machine: str,
    hosts: Nodes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    code, here_ = ended([each.format(engine=one_machine) for each in command]), capfd.readouterr()
    there = ghostjob(*(each.format(engine="ray") for each in command), "--cluster", hosts.address, cwd=tmp_path)
    assert (there.returncode, there.stderr) == (code, here_.err)
    assert re.sub(r'"seconds": [0-9.]+', "", there.stdout) == re.sub(r'"seconds": [0-9.]+', "", here_.out)
    if (tmp_path / one_machine).exists():
        kept, also = (sorted((tmp_path / engine).iterdir()) for engine in (one_machine, "ray"))
        assert [each.name for each in kept] == ["seed-7.json", "seed-8.json", "seed-9.json"]
        assert [each.read_bytes() for each in kept] == [each.read_bytes() for each in also]


def test_what_dies_with_its_node_is_done_again_and_told(cluster: Cluster, hosts: Nodes, tmp_path: Path):
    waits, lost = tmp_path / "waits", list[Lost[int]]()

    def kill_where_it_waits() -> bool:
        if waits.exists():
            hosts.kill(waits.read_text())
            waits.unlink()
        return True

    work = partial(negative_in_its_second_life, tmp_path)
    parts = list(spread(cluster, work, range(4), goes_on=kill_where_it_waits, on_lost=lost.append))
    assert parts == [0, -1, -2, -3]
    assert [(each.shard, each.times) for each in lost] == [(1, 1)]


def test_walks_are_those_of_one_machine_though_a_node_dies(cluster: Cluster, hosts: Nodes):
    system = system_of(Setup(bounds=Bounds(delete=1), model="undoes-in-the-wrong-order"))
    bounds = {str(kind): left for kind, left in system.left(system.setup.bounds.budgets).items()}
    one_machine = walks(system, WALKS, FIRST, bounds=bounds)
    assert len({(each.seed - FIRST) // AT_ONCE for each in one_machine.stumbled}) == WALKS // AT_ONCE, "in each shard"
    told: list[int] = []

    def on_walked(walked: int, _steps: int, _seconds: float, _stumbled: int) -> None:
        if not told:
            hosts.kill(next(spread(cluster, where, [0])))
        told.append(walked)

    found = walks_on(cluster, system, WALKS, FIRST, bounds=bounds, at_once=AT_ONCE, on_walked=on_walked)
    assert without_seconds(found) == without_seconds(one_machine)
    assert told == list(range(AT_ONCE, WALKS + 1, AT_ONCE))


def test_fleets_are_judged_as_on_one_machine_though_a_node_dies(cluster: Cluster, hosts: Nodes):
    play = partial(judged_with, Fleet(load("main"), 40, 20))
    one_machine = [play(seed).model_dump_json() for seed in range(6)]
    assert len(set(one_machine)) == 6
    there: list[str] = []
    for verdict in spread(cluster, play, range(6)):
        if not there:
            hosts.kill(next(spread(cluster, where, [0])))
        there.append(verdict.model_dump_json())
    assert there == one_machine


def test_shards_of_a_fleet_come_to_what_they_come_to_on_one_machine_though_a_node_dies(cluster: Cluster, hosts: Nodes):
    lost: list[Lost[str]] = []
    edges: list[int] = []

    class Watched(OnNodes):
        def __call__(self, fleet: Sharded, numbers: Sequence[int]) -> list[Host]:
            (first, *others) = super().__call__(fleet, numbers)
            reports = first.reports

            def watched() -> Reports:
                edges.append(1)
                if len(edges) == 10:
                    hosts.kill(node_of_an_actor())
                return reports()

            first.reports = watched  # type: ignore[method-assign]  # of this one alone
            return [first, *others]

    crew = Crew.of(load("main"), 1_000_000, SEED, 24)
    told = in_shards(load("main"), crew, 8, hosts=Watched(cluster, lost.append))
    assert told == in_shards(load("main"), crew, 8)
    assert len(edges) > 10
    assert [each.times for each in lost] == [1]


def test_who_wants_a_token_is_told_that_all_must(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    assert cluster.advice == "look at `ray status`"
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert cluster.advice.startswith("look at `ray status`; RAY_AUTH_MODE=token must be set where its head")


def on_a_node_that_is_told(told: Path, asked: Asked, cell: str) -> PlayedAlone | Died:
    told.write_text(node_id())
    return on_node(asked, cell)


def test_a_certificate_is_that_of_one_machine_though_a_node_dies_and_no_device_is_left(
    cluster: Cluster,
    hosts: Nodes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(certifying_on_cluster, "joined", lambda _: nullcontext(cluster))
    monkeypatch.setattr(certifying_on_cluster, "on_node", partial(on_a_node_that_is_told, tmp_path / "node"))
    older = [tmp_path / "there" / "cells" / "step-middle" / name for name in ("calm", "calm-once-more", "other")]
    for play in older:
        play.mkdir(parents=True)
        (play / "trace.jsonl").touch()
    os.mkfifo("alive")
    alive = os.open("alive", os.O_RDONLY | os.O_NONBLOCK)

    def kill_where_it_begins() -> None:
        if select([alive], [], [], 60)[0]:
            hosts.kill((tmp_path / "node").read_text())

    cell = ("--only", "step-middle/calm")
    command = ("sh", "-c", 'exec 3> alive; echo here >&3; exec "$@"', "device", *device())
    killing = Thread(target=kill_where_it_begins)
    killing.start()
    with Certifying(tmp_path, *cell, "--out", "here", command=device()) as one_machine:
        assert ended(["certify", *cell, "--engine", "ray", "--out", "there", "--", *command]) == 0
        assert one_machine.end()[0] == 0
    killing.join()
    told = capfd.readouterr()
    assert "step-middle/calm is played again, since who played it died: " in told.err
    assert told.out.splitlines()[-1] == "passed: 1 of 1 cell passed"
    assert what_came_of(tmp_path / "there") == what_came_of(tmp_path / "here")
    assert [(play / "trace.jsonl").exists() for play in older] == [True, False, True], "its own, none, another cell's"
    os.set_blocking(alive, True)
    while os.read(alive, 4096):
        pass  # until nobody has it open any more
    os.close(alive)


def played_by_the_first(out: Path, cells: Sequence[str], _asked: Asked, cell: str) -> PlayedAlone:
    """The second is refused, once what came of the first is there."""
    name = f"cells/{cells[0]}/trace.jsonl"
    if cell == cells[0]:
        return PlayedAlone(certificate(result("reference", named(cell))), {name: b"{}"})
    while not (out / name).exists():
        time.sleep(0.05)
    raise InputError("a node: no ./agent")


def test_what_a_node_lacks_ends_it_with_a_certificate_of_what_was_played(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    cells = ("step-middle/calm", "step-middle/throttled")
    monkeypatch.setattr(certifying_on_cluster, "joined", lambda _: nullcontext(cluster))
    monkeypatch.setattr(certifying_on_cluster, "on_node", partial(played_by_the_first, tmp_path, cells))
    only = [word for cell in cells for word in ("--only", cell)]
    assert ended(["certify", *only, "--engine", "ray", "--out", str(tmp_path), "--", "./agent"]) == 2
    assert capfd.readouterr().err.splitlines()[-1] == "ghostjob: a node: no ./agent"
    told = Certificate.model_validate_json((tmp_path / "certificate.json").read_bytes())
    assert [cell.outcome for cell in told.cells] == ["passed", "inconclusive"]
    assert told.cells[1].why == "not played: a node: no ./agent"


def what_came_of(out: Path) -> Any:
    """What the device decides: the cells in their order, and what is kept of each."""
    told = json.loads((out / "certificate.json").read_text())
    for cell in told["cells"]:
        assert {each.name for each in (out / cell["directory"]).iterdir()} == {"trace.jsonl", "verdict.json"}
    learned = [told["learned"][name] for name in ("takes_by", "listens", "carrier")]
    ruled = [[(each["id"], each["outcome"]) for each in cell["invariants"]] for cell in told["cells"]]
    return told["outcome"], told["why"], learned, [cell["id"] for cell in told["cells"]], ruled, told["not_seen"]


async def test_a_live_fleet_comes_to_what_it_comes_to_on_one_machine(cluster: Cluster):
    scenario = load("file-deleted")
    venue = VenueAfar(scenario, SEED, begins=PartsOnNodes(cluster), most=4, prepare=negative)
    there = JudgedPlay(scenario, venue, 4, seed=SEED, fleet_of=venue.fleet)
    one_machine = JudgedPlay(scenario, LiveVenue(scenario, SEED), 4, seed=SEED)
    with there, one_machine:
        verdicts = [each.verdict for each in await asyncio.gather(there.result(), one_machine.result())]
    assert verdicts[0].passed, verdicts[0].model_dump_json(indent=1)
    assert what_is_determined(verdicts[0]) == what_is_determined(verdicts[1])


def test_a_live_fleet_of_which_a_node_dies_says_which_devices_those_were(
    cluster: Cluster, hosts: Nodes, tmp_path: Path
):
    node = one_of_two(cluster)
    options = ("--devices", "4", "--no-table", "--cluster", hosts.address, "--out", "out")
    with begun("run", "file-deleted", *options, cwd=tmp_path) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if line == "file is being deleted\n")
        hosts.kill(node)
        out, err = run.communicate()
    assert run.returncode == 3, out + err
    assert re.search(r"\): what thing-[0-3] and 1 more did there could not be shown$", err), err
    assert "violated" not in out
    assert kept(tmp_path / "out").outcome == "inconclusive"


def test_what_dies_wherever_it_is_done_ends_it_all(cluster: Cluster):
    lost: list[Lost[int]] = []
    with pytest.raises(ShardLostError, match="7 was lost") as raised:
        list(spread(cluster, dies, [7], on_lost=lost.append, tries=1))
    assert str(raised.value).endswith("; not all is done")
    assert lost == []


def test_without_its_head_it_is_told_that_not_all_is_done(cluster: Cluster, hosts: Nodes):
    def kill_the_head() -> Iterator[int]:
        yield 1
        hosts.kill(HEAD)
        yield from range(2, 100_000)

    with pytest.raises(HeadLostError, match=f"head {hosts.address} is gone .*; not all is done"):
        list(spread(cluster, negative, kill_the_head()))
    gone = asyncio.run(PartsOnNodes(cluster).watching())
    assert gone.startswith(f"ray: the cluster's head {hosts.address} is gone "), "and so a live fleet hears it"
