"""A live fleet in parts on other hosts: here they are of this very loop, and a part is asked as it would be there."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from simulator.engines.afar import hosts, players
from simulator.engines.afar.hosts import Host, HostLostError
from simulator.engines.afar.part import Part
from simulator.engines.afar.venue import VenueAfar
from simulator.engines.judged import JudgedPlay
from simulator.engines.live import LiveVenue
from simulator.processes import ProcessLostError
from simulator.scenario import Scenario, load, parse
from simulator.trace import ENGINE, Entry, ProcessStalled, RunStarted
from simulator.verdict import Verdict

PARTS = 2
SEED = 7
SHIPPED = load("delete-in-write")
HELD = SHIPPED.model_copy(update={"cloud": replace(SHIPPED.cloud, deletion_seconds=0.2)})
CUT_OFF = """
name: power
devices: [{group: all}]
jobs:
- {id: fw, to: [all], version: "2.0"}
faults: [{name: gone, do: duplicate, messages: [update-answer], job: fw, first: 1}]
power_cuts: [{fault: gone, off_seconds: 0.2}]
"""


class Hosted:
    """One part. `before` is told what it is about to be asked, and may have it lost or silent."""

    def __init__(self, before: Callable[[str], Any]) -> None:
        self.part = Part()
        self.has_ended = False
        self._before = before

    async def ask(self, what: str, *told: object) -> Any:
        await self._before(what)
        return await getattr(self.part, what)(*told)

    def end(self) -> None:
        self.has_ended = True


class Begun:
    """Hosts of this loop; see Hosted for `before`, of the last of them alone."""

    advice = "look at the hosts"

    def __init__(self, before: Callable[[str], Any]) -> None:
        async def nothing(_what: str) -> None:
            pass

        self.hosts = [*(Hosted(nothing) for _ in range(PARTS - 1)), Hosted(before)]

    def parts(self, most: int) -> Sequence[Host]:
        return self.hosts[:most]

    async def watching(self) -> str:
        await asyncio.Event().wait()
        return ""


async def goes_well(_what: str) -> None:
    pass


def venue_of(scenario: Scenario, begun: Begun, devices: int) -> VenueAfar:
    return VenueAfar(scenario, SEED, begins=begun, most=devices, prepare=lambda _: None)


async def played_afar(
    scenario: Scenario, devices: int, before: Callable[[str], Any] = goes_well
) -> tuple[Verdict, list[Entry]]:
    entries: list[Entry] = []
    begun = Begun(before)
    venue = venue_of(scenario, begun, devices)
    with JudgedPlay(scenario, venue, devices, seed=SEED, also=(entries.append,), fleet_of=venue.fleet) as run:
        verdict = (await run.result()).verdict
    assert all(host.has_ended for host in begun.hosts)
    return verdict, entries


async def played_here(scenario: Scenario, devices: int) -> Verdict:
    with JudgedPlay(scenario, LiveVenue(scenario, SEED), devices, seed=SEED) as run:
        return (await run.result()).verdict


def what_is_determined(verdict: Verdict) -> Any:
    invariants = [(each.id, each.outcome, each.opportunities) for each in verdict.invariants]
    return verdict.outcome, verdict.devices, verdict.recovered, verdict.reached, invariants


@pytest.mark.parametrize("scenario", [HELD, parse(CUT_OFF)], ids=["held until it is deleted", "a power cut by a fault"])
async def test_it_comes_to_what_it_comes_to_on_one_machine(scenario: Scenario):
    (verdict, entries), here = await asyncio.gather(played_afar(scenario, 4), played_here(scenario, 4))
    assert verdict.passed, verdict.model_dump_json(indent=1)
    assert what_is_determined(verdict) == what_is_determined(here)
    (started,) = [entry.event for entry in entries if isinstance(entry.event, RunStarted)]
    assert not started.one_clock


async def test_who_loses_a_part_says_which_devices_and_charges_nobody():
    asked = 0

    async def dies(what: str) -> None:
        nonlocal asked
        asked += what == "told"
        if asked > 2:
            raise HostLostError("its node died")

    entries: list[Entry] = []
    venue = venue_of(HELD, Begun(dies), 4)
    with JudgedPlay(HELD, venue, 4, seed=SEED, also=(entries.append,), fleet_of=venue.fleet) as run:
        with pytest.raises(
            ProcessLostError, match=r"\(its node died\): what thing-1 and 1 more did there could not be"
        ):
            await run.result()
        verdict = await run.cut_short()
    assert verdict is not None
    assert verdict.outcome == "inconclusive"


async def test_a_part_that_dies_before_it_begins_is_told_with_where_to_look():
    async def dies(what: str) -> None:
        assert what == "where", "nothing was begun"
        raise HostLostError("it is not let in")

    with pytest.raises(ProcessLostError, match=r"ended before it began: it is not let in; look at the hosts$"):
        await played_afar(HELD, 2, dies)


async def test_parts_for_which_there_is_no_processor_are_told_with_where_to_look(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hosts, "START_SECONDS", 0.05)

    async def waits(_what: str) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ProcessLostError, match=r"not each of 2 parts .* a processor; look at the hosts$"):
        await played_afar(HELD, 2, waits)


async def test_a_part_that_says_nothing_is_taken_for_one_that_does_not_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(players, "LATE_SECONDS", 0.1)
    monkeypatch.setattr(players, "TURN_SECONDS", 0.1)
    asked = 0

    async def is_silent(what: str) -> None:
        nonlocal asked
        asked += what == "told"
        if asked == 2:
            await asyncio.sleep(0.5)

    verdict, entries = await played_afar(HELD, 2, is_silent)
    stalls = [entry.event for entry in entries if entry.source == ENGINE and isinstance(entry.event, ProcessStalled)]
    assert sum(stalled.seconds for stalled in stalls) >= 0.4
    assert verdict.passed
