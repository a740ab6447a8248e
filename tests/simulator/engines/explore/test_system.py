"""The parts of a world: one name for what is one, bounds that hold, and a trace that the judge takes in."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from agent.core.events import Answered
from agent.device_events import AnswerReceived
from agent.values import ErrorCode, ExecutionTold, Rejected
from simulator.devices.models import MODELS
from simulator.engines.explore.budgets import paid
from simulator.engines.explore.choice import KINDS, Choice
from simulator.engines.explore.digest import digest
from simulator.engines.explore.entries import entries_of
from simulator.engines.explore.playing import held_to
from simulator.engines.explore.setup import STANDARD, Bounds, Setup
from simulator.engines.explore.system import System, World
from simulator.engines.explore.tokens import PLACES
from simulator.engines.explore.world import apply, choices, ending, first, is_home, played, system_of
from simulator.verdict import Judge
from tests.simulator.engines.explore.naive import search
from tests.simulator.engines.explore.walking import walk

ROOT = Path(__file__).parents[4]
ALL_KINDS = Bounds.model_validate(dict.fromkeys(KINDS, 1))
DIGESTS = """
from simulator.engines.explore.digest import digest
from simulator.engines.explore.setup import Setup
from simulator.engines.explore.world import played, system_of
from tests.simulator.engines.explore.test_system import ALL_KINDS
from tests.simulator.engines.explore.walking import walk

system = system_of(Setup(bounds=ALL_KINDS, next=True))
for step in played(system, walk(system, 7)[0]):
    print(*step.choice, digest(step.world).hex())
"""


def digests(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    )
    return done.stdout


def test_two_processes_with_different_hash_seeds_agree_on_every_choice_and_every_digest():
    one, other = digests("1"), digests("2")
    assert one.count("\n") > 60
    assert one == other


def test_equal_worlds_have_equal_digests_however_they_came_about():
    setup = Setup(bounds=Bounds(delete=1, disconnect=1))
    found = search(System(setup), most=400)
    again = search(System(setup), most=400)
    assert [digest(world) for world in found.came] == [digest(world) for world in again.came]
    assert len({digest(world) for world in found.came}) == len(found.came)


def at_work(setup: Setup) -> World:
    """The download has begun, and what was published of the job is on its way."""
    world = first(setup)
    taken = ("create fw", "deliver notify", "timer retry", "arrive start-next", "deliver notify-next")
    for name in (*taken, "deliver start-next accepted"):
        world = apply(setup, world, next(each for each in choices(setup, world) if str(each) == name))
    return world


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(Choice("work", "download 8/16"), Choice("delete", "fw"), id="the hardware and the operator"),
        pytest.param(Choice("records go", "fw"), Choice("work", "download 8/16"), id="the service and the hardware"),
        pytest.param(Choice("records go", "fw"), Choice("create", "fw-next"), id="the service and the operator"),
    ],
)
def test_two_orders_of_what_does_not_touch_lead_to_one_world(one: Choice, other: Choice):
    setup = Setup(bounds=Bounds(delete=1), next=True)
    world = at_work(setup)
    if one.do == "records go":
        world = apply(setup, world, Choice("delete", "fw"))
    one_way = apply(setup, apply(setup, world, one), other)
    other_way = apply(setup, apply(setup, world, other), one)
    assert one_way._replace(sides=()) == other_way._replace(sides=()) or one.do == "records go"
    assert one_way.sides[0].device == other_way.sides[0].device


def test_what_is_minted_has_the_lowest_or_the_highest_name_that_nobody_knows():
    system = System(Setup(bounds=ALL_KINDS))
    for step in played(system, walk(system, 3)[0]):
        (side,), service = step.world.sides, step.world.service
        known = [system.places(part) for part in (side.device, side.net, service)]
        highest, free = divmod(system.free_places(step.world, 0), PLACES)
        assert not any(mask >> free & 1 for mask in known)
        assert all(any(mask >> place & 1 for mask in known) for place in range(free))
        assert all(any(mask >> place & 1 for mask in known) for place in range(highest + 1, PLACES))
        assert not any(mask >> highest & 1 for mask in known)
        assert free < 12 < highest


@pytest.mark.parametrize("seed", range(2))
def test_no_kind_happens_more_often_than_its_bound(seed: int):
    system = System(Setup(bounds=ALL_KINDS, next=True))
    spent: Counter[str] = Counter()
    for step in played(system, walk(system, seed)[0]):
        spent.update(step.costs)
        assert step.world.budgets == tuple(1 - spent[kind] for kind in KINDS)
    assert sum(spent.values()) > 5


def test_nothing_is_paid_that_is_not_there():
    budgets = Bounds(delete=1).budgets
    assert paid(budgets, ("delete",)) == Bounds().budgets
    assert paid(budgets, ("delete", "power-cut")) is None
    assert paid(Bounds().budgets, ("delete",)) is None


def test_what_has_no_bound_is_no_choice():
    found = search(System(Setup(bounds=Bounds())))
    assert found.complete
    spent = {move.do for world in found.came for move in choices(Setup(bounds=Bounds()), world)}
    assert spent == {"create", "arrive", "deliver", "timer", "work", "reboot", "power on", "connect"}


@pytest.mark.parametrize("layout", ["ab", "swap", "single"])
@pytest.mark.parametrize("seed", range(3))
def test_the_judge_takes_in_a_path_and_accuses_nobody_who_did_nothing_wrong(seed: int, layout: str):
    setup = Setup.model_validate(
        {"layout": layout, "bounds": STANDARD, "next": True, "namespace": [None, "lab"][seed % 2]}
    )
    system = system_of(setup)
    path, _ = walk(system, seed)
    judge = Judge()
    for entry in entries_of(setup, path):
        judge.feed(entry)
    verdict = judge.verdict()
    assert not [each.id for each in verdict.invariants if each.violations]
    assert sum(each.opportunities for each in verdict.invariants) > 10
    assert verdict.outcome == "passed", verdict.why


def test_a_token_has_one_name_in_a_trace_though_a_world_uses_it_again():
    setup = Setup(bounds=ALL_KINDS)
    path, _ = walk(system_of(setup), 3)
    sent = [entry.event.client_token for entry in entries_of(setup, path) if entry.event.type == "request.sent"]
    assert len(sent) > 10
    assert len(set(sent)) == len(sent)


def test_a_choice_that_cannot_happen_says_so():
    setup = Setup()
    with pytest.raises(ValueError, match="job gone fw: that cannot happen here"):
        apply(setup, first(setup), Choice("job gone", "fw"))


def test_bounds_that_were_copied_with_another_number_are_counted_anew():
    one = Bounds(delete=1)
    assert one.allows("delete")
    other = one.model_copy(update={"delete": 0, "delay": 2})
    assert not other.allows("delete")
    assert other.budgets == Bounds(delay=2).budgets


# ── what is forgotten ─────────────────────────────────────────────────────────────────────────────────────────────

ANSWERS = (
    ExecutionTold(0, None),
    Rejected(0, ErrorCode.RESOURCE_NOT_FOUND),
    Rejected(0, ErrorCode.INTERNAL_ERROR),
)


@pytest.mark.parametrize("model", MODELS)
def test_no_model_hears_an_answer_once_its_token_is_forgotten(model: str):
    system, deaf = System(Setup(model=model, bounds=ALL_KINDS)), 0
    for step in played(system, walk(system, 5, 120)[0]):
        for side in step.world.sides:
            machine, is_forgotten = side.device.machine, not side.device.minted.sent
            if machine is not None and is_forgotten:
                deaf += 1
                assert [MODELS[model].step(machine, Answered(each)) for each in ANSWERS] == [(machine, ())] * 3
    assert deaf > 5


def test_who_waits_without_a_timer_takes_an_answer_however_late_it_comes():
    setup = Setup(model="waits-for-ever", bounds=Bounds(early=1))
    system, name = system_of(setup), "update fw IN_PROGRESS"
    way = ("create fw", "deliver notify", "deliver notify-next", "timer request", f"arrive {name}")
    steps = list(held_to(system, (*way, f"deliver {name} accepted")))
    world = steps[-1].world
    assert "request" not in world.sides[0].device.timers
    assert world.sides[0].device.machine.asked is None
    assert any(isinstance(each, AnswerReceived) for each in steps[-1].told_by_device)


@pytest.mark.parametrize("seed", range(2))
def test_nobody_is_accused_in_the_middle_of_a_path(seed: int):
    setup = Setup(bounds=STANDARD, next=True)
    path, _ = walk(system_of(setup), seed)
    for length in range(len(path) - 1, 0, -5):
        judge, entries = Judge(), list(entries_of(setup, path[:length]))
        for entry in entries:
            judge.feed(entry)
        verdict = judge.verdict()
        assert not [each.id for each in verdict.invariants if each.violations], path[:length]
        is_whole = is_home(system_of(setup), list(played(system_of(setup), path[:length]))[-1].world)
        assert (verdict.outcome == "passed") is is_whole


def test_a_path_that_ends_where_nothing_ever_happens_is_a_run_that_met_its_limit():
    system = system_of(Setup(model="device-client", bounds=Bounds(delete=1)))
    dead = [each for each in search(system).dead if not is_home(system, each)]
    assert dead
    assert {ended and ended.why for ended in (ending(system, world) for world in dead)} == {"timed-out"}
