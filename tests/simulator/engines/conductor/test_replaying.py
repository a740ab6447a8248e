"""Replaying a schedule on an engine: the same order, step by step, and the same verdict; or where the two parted."""

import asyncio
from random import Random

import pytest

from agent.errors import InputError
from simulator.devices.models import model_named
from simulator.devices.models.model import Model
from simulator.engines.conductor.replaying import Replayed, beginning, play_schedule
from simulator.engines.explore.choice import KINDS
from simulator.engines.explore.made_up_time import TIMELESS
from simulator.engines.explore.setup import Bounds, Setup
from simulator.engines.explore.world import system_of, transitions
from simulator.engines.virtual_time import run_virtually
from simulator.trace import Entry
from simulator.verdict import Judge
from tests.simulator.engines.conductor.kept import kept, names

LIVE = ("used-again-while-powerless", "offline-with-a-report-on-its-way", "works-for-the-one-before")
"""A power cut, a deletion and a re-creation; a request that outlives its connection; a device that is in the wrong."""
EVERYTHING = Bounds.model_validate(dict.fromkeys(KINDS, 2))


def replayed(name: str, engine: str = "virtual", trace: list[Entry] | None = None) -> Replayed:
    setup, choices, *_ = kept(name)
    sink = (lambda entry: None) if trace is None else trace.append
    if engine == "virtual":
        return run_virtually(play_schedule(setup, choices, "virtual", sink))
    return asyncio.run(play_schedule(setup, choices, "live", sink))


def told(trace: list[Entry], *types: str) -> list[tuple[str, str]]:
    """Who told what of these, in order."""
    return [(entry.source, entry.event.type) for entry in trace if entry.event.type in types]


@pytest.mark.parametrize("name", names())
def test_the_virtual_engine_goes_the_way_of_every_kept_schedule_to_the_same_verdict(name: str):
    result = replayed(name)
    assert result.parted is None
    assert result.violated == kept(name).violated
    assert {broken.invariant for broken in result.broken} <= result.violated
    if not result.violated:
        assert {each.id for each in result.verdict.invariants if each.outcome == "undecided"} == kept(name).undecided
        assert result.verdict.outcome == ("inconclusive" if kept(name).undecided else "passed")


@pytest.mark.parametrize("name", LIVE)
def test_over_real_mqtt_it_is_the_same_way_and_the_same_verdict(name: str):
    virtual, live = list[Entry](), list[Entry]()
    there, here = replayed(name, "virtual", virtual), replayed(name, "live", live)
    assert here.parted is None
    assert here.violated == there.violated == kept(name).violated
    order = ("request.received", "step.started", "step.finished", "execution.removed", "power.lost", "device.booted")
    assert told(live, *order) == told(virtual, *order)
    assert [entry.at for entry in live] == sorted(entry.at for entry in live)


def test_the_run_ends_with_the_last_that_came_and_its_account_long_after_that():
    trace = list[Entry]()
    assert replayed("update", trace=trace).verdict.outcome == "passed"
    at = next(number for number, entry in enumerate(trace) if entry.event.type == "run.ended")
    assert trace[at].at - trace[at - 1].at < 1
    assert trace[-1].event.type == "account.ended"
    assert trace[-1].at - trace[at].at > TIMELESS.ready_seconds


def walk(setup: Setup, random: Random, length: int) -> list[str]:
    """Some way through a world; what costs something is rare."""
    system = system_of(setup)
    world, way = system.first(), list[str]()
    for _ in range(length):
        there = list(transitions(system, world))
        free = [each for each in there if not each.costs]
        paid = [each for each in there if each.costs]
        some = paid if paid and (not free or random.random() < 0.2) else free
        if not some:
            break
        chosen = random.choice(some)
        way.append(str(chosen.choice))
        world = chosen.world
    return way


def some_world(layout: str, random: Random) -> Setup:
    return Setup.model_validate(
        {
            "layout": layout,
            "bounds": EVERYTHING,
            "devices": random.choice(["one", "two things"]),
            "model": random.choice(["reference", "start-next", "poller", "device-client", "over-eager"]),
            "namespace": random.choice([None, "lab"]),
            "hears": random.choice(["its-namespace", "everything"]),
            "reports": random.choice(["progress", "steps", "end"]),
            "sectors": random.choice([1, 4]),
            "next": random.choice([True, False]),
        }
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("layout", ["ab", "swap", "single"])
def test_whatever_can_be_chosen_happens_on_the_virtual_engine_as_in_the_explorers_world(layout: str, seed: int):
    random = Random(f"{layout} {seed}")
    setup = some_world(layout, random)
    choices = walk(setup, random, 45)
    assert run_virtually(play_schedule(setup, choices, "virtual")).parted is None, choices


@pytest.mark.parametrize("layout", ["ab", "swap", "single"])
def test_and_so_it_does_over_real_mqtt(layout: str):
    random = Random(f"live {layout}")
    setup = some_world(layout, random)
    choices = walk(setup, random, 60)
    assert asyncio.run(play_schedule(setup, choices, "live")).parted is None, choices


def test_what_comes_before_the_first_choice_leads_to_the_worlds_beginning():
    setup = Setup(namespace="lab", reports="end")
    (*_, (_, last)) = beginning(setup)
    first = system_of(setup).first()
    assert last.world.sides[0].device == first.sides[0].device
    assert last.world.service == first.service


def other_model(name: str) -> Model:
    """What stands in the place of every model."""
    return model_named("deaf")


def test_a_device_that_goes_another_way_parts_from_the_schedule_and_it_is_said_where(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("simulator.engines.conductor.devices.model_named", other_model)
    result = replayed("deleted-while-writing")
    assert result.parted is not None
    assert 0 < result.parted.number < result.parted.of == len(kept("deleted-while-writing").choices)
    assert result.parted.choice == kept("deleted-while-writing").choices[result.parted.number - 1]
    words = f"choice {result.parted.number} of {result.parted.of}, '{result.parted.choice}': expected "
    assert str(result.parted).startswith(words)
    assert result.verdict.outcome == "inconclusive"


def test_a_choice_that_there_is_not_is_no_way_to_go():
    with pytest.raises(ValueError, match="power on: that cannot happen here"):
        run_virtually(play_schedule(Setup(), ["create fw", "power on"], "virtual"))


def test_two_things_are_switched_on_and_neither_parts_from_its_way():
    trace: list[Entry] = []
    result = run_virtually(play_schedule(Setup(devices="two things"), [], "virtual", trace.append))
    assert result.parted is None
    assert {entry.source for entry in trace if entry.event.type == "device.connected"} == {
        "device/dev-1",
        "device/dev-2",
    }
    assert result.verdict.outcome == "passed"


def test_two_agents_on_one_thing_cannot_be_conducted_and_that_is_said_before_anything_happens():
    with pytest.raises(InputError, match="two namespaces: no engine tells whose packets are whose"):
        run_virtually(play_schedule(Setup(devices="two namespaces"), [], "virtual"))


def test_a_way_that_ends_before_its_end_is_no_end_of_a_run():
    trace: list[Entry] = []
    setup, choices, *_ = kept("update")
    result = run_virtually(play_schedule(setup, choices[:12], "virtual", trace.append))
    assert result.parted is None
    assert result.verdict.outcome == "inconclusive"
    assert not told(trace, "run.ended")


def test_choices_are_told_one_by_one_before_they_are_played():
    setup, choices, *_ = kept("update")
    seen: list[tuple[int, str]] = []

    def tell(number: int, choice: str) -> None:
        seen.append((number, choice))

    run_virtually(play_schedule(setup, choices, "virtual", on_choice=tell))
    assert seen == list(enumerate(choices, 1))


def test_its_trace_is_judged_the_same_by_whoever_reads_it_afterwards():
    trace: list[Entry] = []
    result, judge = replayed("works-for-the-one-before", "live", trace), Judge()
    for entry in trace:
        judge.feed(entry)
    assert judge.verdict() == result.verdict
