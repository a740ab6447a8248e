"""What is refused for the quota without being played: the same comes of it, to the last digit."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.core.events import (
    Answered,
    CancelTimer,
    Effect,
    Event,
    Publish,
    SetTimer,
    StopStep,
    Tell,
    TimerFired,
)
from agent.device_events import AnswerReceived, PhaseChanged
from agent.values import Describe, Rejected, Request, StartNext
from simulator.cloud.jobs.quotas import Rate
from simulator.cloud.settings.service import Fault
from simulator.controller.hand import Hand
from simulator.engines.turned_away import Refusals
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.forecast.action import Action, Cancel, Delete, Wait, Waves
from simulator.forecast.course import Course
from simulator.forecast.played import course_at, reckoning_of, set_up
from simulator.forecast.quotas import Quotas
from simulator.forecast.standing import Asked, Situation, jobs_in_question, of_scenario
from simulator.scenario import load
from simulator.trace import Entry, RequestReceived, Sink
from simulator.trace.packed import Packs

ACTIONS = (Wait(), Cancel(force=True), Delete(), Waves(6, 20.0, 10))
QUOTAS = {"requests_per_second": 2}


def main_of_24(**changed: Any) -> Situation:
    scenario = load("main").model_copy(update=changed)
    quotas = Quotas.of(scenario.cloud, QUOTAS)
    asked = Asked(24, None, 0, goes_on=False)
    return of_scenario(scenario, jobs_in_question(scenario, ()), 24, None, asked, quotas)


def of_model(name: str) -> Situation:
    return main_of_24(devices=tuple(group.model_copy(update={"model": name}) for group in load("main").devices))


@dataclass(slots=True)
class Counting(VirtualVenue):
    """Counts requests that came through the network."""

    came: list[RequestReceived] = field(default_factory=list)

    async def open(
        self, stack: AsyncExitStack, sink: Sink, things: Sequence[str] = (), packs: Packs | None = None
    ) -> Hand:
        def count(entry: Entry) -> None:
            if isinstance(entry.event, RequestReceived):
                self.came.append(entry.event)
            sink(entry)

        return await super(Counting, self).open(stack, count, things, packs)


def course(situation: Situation, action: Action, *, all_played: bool) -> tuple[Course, int]:
    """What comes of it, and how many requests were played."""
    standing, quotas = situation.standing, Quotas.of(situation.scenario.cloud, QUOTAS)
    ready, reckoning = set_up(situation.scenario, action, standing, quotas), reckoning_of(standing)
    venue = Counting(ready, 0, standing.stands_for, turned_away=None if all_played else reckoning.turned_away)
    told = run_virtually(course_at(venue, ready, action, 0, standing, reckoning))
    return told, len(venue.came)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_a_fleet_beyond_its_quota_fares_the_same(action: Action):
    situation = main_of_24()
    (played, all_of_them), (told, some) = (course(situation, action, all_played=each) for each in (True, False))
    assert told == played
    assert told.throttled > 0
    assert some < all_of_them - told.throttled / 2, "most of those refused were not played"


@pytest.mark.parametrize(
    "model", ["start-next", "describe-update", "greengrass-nucleus-lite", "device-client", "over-eager", "hammering"]
)
def test_so_do_devices_of_other_designs(model: str):
    situation = of_model(model)
    assert course(situation, Delete(), all_played=True)[0] == course(situation, Delete(), all_played=False)[0]


def test_where_the_network_may_do_something_to_a_request_all_are_played():
    situation = main_of_24(faults=(Fault(do="delay", messages=("start-next",), seconds=1.0),))
    played, told = (course(situation, Delete(), all_played=each) for each in (True, False))
    assert told == played


@pytest.mark.parametrize("limit", [1, 3, 200])
@pytest.mark.parametrize("request_", [Describe("fw"), StartNext()], ids=["read", "write"])
def test_what_is_spent_already_is_refused_whatever_comes_before(limit: int, request_: Request):
    rate, seen = Rate(), set[bool]()
    for number in range(400):
        at, mine = 1000 + number * number / 900, 1 + number % 5
        spent = rate.is_spent(request_, at, limit, mine)
        for _ in range(number % 3):  # others, in the meantime
            rate.allows(request_, at - 0.001, limit, 1 + number % 7)
        allowed = rate.allows(request_, at, limit, mine)
        assert not (spent and allowed)
        if number % 3 == 0:
            assert spent is not allowed
        seen.add(spent)
    assert seen == ({True, False} if limit < 200 else {False})


ASKS = Publish(StartNext(), None, None)
WAITS = SetTimer("retry", 60.0, 30.0)
IN_TIME = SetTimer("request", 2.0)
ANSWERED = CancelTimer("request")
TOLD = Tell(AnswerReceived("1", accepted=False))
NOTICE = Tell(PhaseChanged("idle", "safe"))


@pytest.mark.parametrize(
    ("asking", "waiting", "is_known"),
    [
        pytest.param((ASKS, IN_TIME), (TOLD, ANSWERED, WAITS), True, id="asks and waits"),
        pytest.param((CancelTimer("poll"), ASKS), (WAITS,), True, id="no time-out, and a timer that comes no more"),
        pytest.param((IN_TIME,), (ANSWERED, WAITS), False, id="asks nothing"),
        pytest.param((ASKS, ASKS, IN_TIME), (ANSWERED, WAITS), False, id="asks two things"),
        pytest.param((ASKS, StopStep(1)), (WAITS,), False, id="works"),
        pytest.param((ASKS, NOTICE), (WAITS,), False, id="tells of something before"),
        pytest.param((ASKS,), (NOTICE, WAITS), False, id="tells of something after"),
        pytest.param((ASKS, IN_TIME), (WAITS,), False, id="a time-out that goes on"),
        pytest.param((ASKS,), (), False, id="does not wait"),
        pytest.param((ASKS,), (WAITS, SetTimer("poll", 1.0)), False, id="waits for two things"),
    ],
)
def test_only_who_asks_and_waits_is_turned_away(
    asking: tuple[Effect, ...], waiting: tuple[Effect, ...], is_known: bool
):
    def step(state: str, event: Event) -> tuple[str, tuple[Effect, ...]]:
        return ("asked", asking) if isinstance(event, TimerFired) else ("refused", waiting)

    refusal = Refusals(step).of("waits", "retry")
    assert (refusal is not None) is is_known
    if refusal is not None:
        assert (refusal.question, refusal.wait, refusal.after) == (ASKS, WAITS, "refused")


def test_a_device_to_which_it_matters_when_it_is_refused_is_played():
    def step(state: str, event: Event) -> tuple[str, tuple[Effect, ...]]:
        if isinstance(event, Answered) and isinstance(event.answer, Rejected):
            return f"refused at {event.answer.timestamp}", (WAITS,)
        return "asked", (ASKS,)

    assert Refusals(step).of("waits", "retry") is None
