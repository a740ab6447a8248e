"""Power that somebody takes away at any instant, and gives back: what is in memory is lost, and nothing else."""

import asyncio

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.abilities import Layout
from agent.core.events import Booted
from agent.device_events import DeviceBooted, PowerLost
from simulator.devices.hardware import factory
from simulator.devices.rig import power, steps
from simulator.devices.rig.values import After, Make, PowerOn, Rig
from simulator.devices.storage import Disk
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import Timings, parse
from simulator.trace import Entry, FlashChanged
from simulator.verdict import Judge, Verdict

RIG = Rig(Make(Timings(boot=0.3)), factory("ab"))
DELETED = """
name: deleted
devices: [{{group: all, layout: {layout}}}]
jobs:
  - {{id: fw, to: [all], version: "2.0"}}
  - {{id: fw-2, to: [all], version: "2.1", after: {{deletion_of: fw}}}}
deletions: [{{job: fw, when: {{step: write, progress: 50}}}}]
"""


def played(layout: Layout, at: float, for_seconds: float) -> tuple[Verdict, list[Entry]]:
    """A device whose power is taken at that second, in virtual time."""
    scenario = parse(DELETED.format(layout=layout))
    judge, entries = Judge(), list[Entry]()

    def sink(entry: Entry) -> None:
        judge.feed(entry)
        entries.append(entry)

    play = Play(scenario, 1, 1, sink, VirtualVenue(scenario, 1))

    async def unplugged() -> None:
        await asyncio.sleep(at)
        if play.fleet is not None:
            (device,) = play.fleet.devices
            device.unplug("pulled")
            assert (device.is_unplugged, device.rests, device.rig.is_on) == (True, False, False)
            await asyncio.sleep(for_seconds)
            device.plug_in()

    async def both() -> None:
        pulled = asyncio.create_task(unplugged())
        await play.play()
        pulled.cancel()

    run_virtually(both())
    return judge.verdict(), entries


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["ab", "swap", "single"]), st.floats(0.01, 2.5), st.sampled_from([0.0, 0.05, 3.0]))
@example("ab", 1.0, 0.05)
@example("swap", 0.4, 0.0)
def test_a_device_is_well_whenever_its_power_was_taken(layout: Layout, at: float, for_seconds: float):
    verdict, _ = played(layout, at, for_seconds)
    assert [each.violations for each in verdict.invariants if each.violations] == []
    assert verdict.outcome == "passed", verdict.why


def test_it_boots_once_the_power_is_back_and_not_before():
    _, entries = played("ab", 0.3, 5.0)
    lost = next(entry for entry in entries if isinstance(entry.event, PowerLost))
    booted = next(
        entry for entry in entries if isinstance(entry.event, DeviceBooted) and entry.event.why == "power-lost"
    )
    assert lost.event == PowerLost("pulled")
    assert booted.at - lost.at == pytest.approx(5.1)
    between = [entry for entry in entries if entry.source.startswith("device/") and lost.n + 1 < entry.n < booted.n]
    assert [type(entry.event) for entry in between] in ([], [FlashChanged])  # what the power finds there


def test_who_reboots_without_power_stays_down():
    down = power.reboot(steps.power_on(RIG).rig, "reboot").rig
    assert down.pending == (PowerOn("reboot"),)
    out = power.unplug(down, "pulled")
    assert (out.rig.power, out.rig.pending, out.tells) == ("off", (), (PowerLost("pulled"),))
    assert steps.happen(out.rig, PowerOn("reboot")).rig == out.rig  # a timer that rings late


def test_what_was_not_synced_is_lost_and_power_comes_back_with_a_boot():
    unsynced = RIG._replace(power="up", disk=Disk((b"a", b"b"), (b"a",)))
    out = power.unplug(unsynced)
    assert out.rig.disk == Disk((b"a",), (b"a",))
    back = power.plug_in(out.rig)
    assert back.after == After(0.3, PowerOn("power-lost"))
    assert power.plug_in(back.rig).after is None  # it boots already
    booted = steps.happen(back.rig._replace(disk=Disk()), PowerOn("power-lost"))
    assert isinstance(booted.event, Booted)
