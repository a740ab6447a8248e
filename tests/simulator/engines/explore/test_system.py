"""The parts of a world: one name for what is one, bounds that hold, and a trace that the judge takes in."""

from collections import Counter
from typing import Any

import pytest

from agent.core.events import Answered
from agent.device_events import AnswerReceived, RequestSent
from agent.values import ErrorCode, ExecutionTold, Rejected
from simulator.devices.models import MODELS
from simulator.engines.explore.budgets import paid
from simulator.engines.explore.choice import KINDS, Choice
from simulator.engines.explore.device import renamed
from simulator.engines.explore.digest import digest
from simulator.engines.explore.entries import entries_of
from simulator.engines.explore.made_up_time import TIMELESS
from simulator.engines.explore.net import Message, Net
from simulator.engines.explore.pieces import piece
from simulator.engines.explore.playing import held_to
from simulator.engines.explore.search import explore
from simulator.engines.explore.service import Cloud
from simulator.engines.explore.setup import STANDARD, Bounds, Setup
from simulator.engines.explore.system import Side, System, World
from simulator.engines.explore.tokens import OURS, Names, token_of, with_nonce, with_token
from simulator.engines.explore.walks import walks
from simulator.engines.explore.world import apply, choices, ending, first, is_home, played, system_of, transitions
from simulator.trace import RequestAnswered, RequestReceived
from simulator.verdict import Judge
from tests.elsewhere import said_elsewhere, said_here
from tests.simulator.engines.explore.naive import search
from tests.simulator.engines.explore.walking import steps, walk

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


def test_two_processes_with_different_hash_seeds_agree_on_every_choice_and_every_digest():
    one, other = said_here(DIGESTS), said_elsewhere(DIGESTS)
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


def called_otherwise(system: System, side: Side, service: Cloud) -> tuple[Side, Cloud]:
    """The same with other names for all that was minted."""
    (number, rig, *_), net = side.device, side.net
    names, minted = side.device.names, side.device.minted
    tokens = {token: str(int(token) + 20) for each in (*net.up, *net.down) if (token := token_of(each.body))}
    tokens |= {names.awaited: "20"} if names.awaited else {}
    other = Shifted(names.life, names.reports, names.awaited)
    device = side.device._replace(
        older=tuple(renamed(disk, other) for disk in side.device.older),
        rig=rig._replace(disk=renamed(rig.disk, other)),
        minted=minted._replace(
            life=minted.life * 7,
            sent=int(tokens[names.awaited]) if names.awaited else 0,
            reports=tuple((name, other.nonce(nonce)) for name, nonce in minted.reports),
        ),
    )

    def message(each: Message) -> Message:
        body = with_nonce(each.body, other, None)
        return each._replace(says=piece(with_token(body, tokens.get(token_of(body), "")) if token_of(body) else body))

    net = Net(tuple(map(message, net.up)), tuple(map(message, net.down)), net.link)
    watched = system.named_watched(side.watched, tuple(tokens.items()))
    return Side(device, net, watched), service.named(system.setup.seats[number].thing, None, other)


class Shifted(Names):
    """Calls all otherwise than a world would."""

    def nonce(self, nonce: str) -> str:
        if nonce in self.reports:
            return str(int(nonce) + 50)
        return "7-" if self.life and nonce == OURS else "9-"


def test_worlds_that_differ_in_names_alone_come_to_be_one():
    system, several, reports = System(Setup(bounds=ALL_KINDS)), 0, 0
    for step in (step for seed in (0, 3, 7) for step in steps(system, seed)):
        (side,), service = step.world.sides, step.world.service
        assert system.named(*called_otherwise(system, side, service))[:2] == (side, service)
        several += len(step.tokens[0]) > 1
        reports += bool(side.device.names.reports)
    assert several
    assert reports


@pytest.mark.parametrize("devices", ["one", "two things", "two namespaces"])
def test_what_is_called_so_already_stays_the_same(devices: str):
    system = System(Setup.model_validate({"devices": devices, "bounds": ALL_KINDS}))
    for step in steps(system, 3, 200):
        for side in step.world.sides:
            assert system.named(side, step.world.service)[:2] == (side, step.world.service)


@pytest.mark.parametrize("seed", range(2))
def test_no_kind_happens_more_often_than_its_bound(seed: int):
    system = System(Setup(bounds=ALL_KINDS, next=True))
    spent: Counter[str] = Counter()
    for step in steps(system, seed):
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


@pytest.mark.parametrize("seed", range(3))
def test_in_a_trace_an_answer_has_the_token_of_its_request(seed: int):
    setup = Setup(bounds=ALL_KINDS)
    path, _ = walk(system_of(setup), seed)
    sent: dict[str, str] = {}
    told: Counter[str] = Counter()
    for event in (entry.event for entry in entries_of(setup, path)):
        if isinstance(event, RequestSent):
            sent[event.client_token] = event.request
        elif isinstance(event, RequestReceived | RequestAnswered | AnswerReceived):
            assert event.client_token in sent
            told[event.type] += 1
        if isinstance(event, RequestReceived | RequestAnswered):
            assert sent[event.client_token or ""] == event.request
    assert len(told) == 3


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
    for step in steps(system, 5, 120):
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
    way_there = list(held_to(system, (*way, f"deliver {name} accepted")))
    world = way_there[-1].world
    assert "request" not in world.sides[0].device.timers
    assert world.sides[0].device.machine.asked is None
    assert any(isinstance(each, AnswerReceived) for each in way_there[-1].told_by_device)


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


@pytest.mark.parametrize(
    ("limit", "least", "stopped_by"),
    [
        ("net.FRESH", 3, "more than 1 requests in flight at once"),
        ("turn.LAST", 48, "more than 0 requests in one step"),
    ],
)
def test_more_requests_than_there_are_names_for_end_a_search_and_walks(
    limit: str, least: int, stopped_by: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(f"simulator.engines.explore.{limit}", least)
    system: Any = System(Setup(model="over-eager", bounds=Bounds(delete=1)))
    found = explore(system)
    assert (found.stopped_by, found.complete) == (stopped_by, False)
    assert walks(system, 50, seed=0, bounds={"delete": 1}).stopped_by == stopped_by


def test_a_trace_goes_on_for_long_after_the_run_has_ended_and_nothing_more_comes():
    setup = Setup(bounds=STANDARD, next=True)
    *told, ended, account, stopped = entries_of(setup, walk(system_of(setup), 0)[0])
    assert [each.event.type for each in (ended, account, stopped)] == [
        "run.ended",
        "account.ended",
        "device.disconnected",
    ]
    assert ended.at - told[-1].at < 1
    assert TIMELESS.ready_seconds < account.at - ended.at < TIMELESS.silence_seconds


def test_a_job_in_a_namespace_that_is_not_the_devices_is_not_left_by_it():
    setup = Setup(bounds=Bounds(other_namespace=1))
    system = system_of(setup)
    path, world = (
        [Choice("create", "fw"), Choice("create", "others")],
        apply(setup, first(setup), Choice("create", "fw")),
    )
    world = apply(setup, world, Choice("create", "others"))
    while not is_home(system, world):
        free = [each for each in transitions(system, world) if each.actor != "operator" and not each.costs]
        path, world = [*path, free[0].choice], free[0].world
    judge = Judge()
    for entry in entries_of(setup, path):
        judge.feed(entry)
    assert judge.verdict().outcome == "passed"
