"""A whole simulated device in virtual time: power, network, memory, bootloader, and the steps of its agent."""

from dataclasses import replace
from typing import TypeVar

import pytest

from agent.device_events import (
    DeviceBooted,
    DeviceConnected,
    DeviceCrashed,
    DeviceDisconnected,
    HardwareChanged,
    PowerLost,
    RequestSent,
    StepFinished,
    StepProgressed,
    StepStarted,
    StepUndone,
    VersionCommitted,
)
from agent.journal import Journal
from simulator.devices.models import MODELS
from simulator.devices.storage import FlashFile
from simulator.engines.play import Play
from simulator.engines.virtual import VirtualVenue, judged
from simulator.engines.virtual_time import run_virtually
from simulator.scenario import parse
from simulator.trace import Entry, ExecutionChanged
from simulator.verdict import Judge

E = TypeVar("E")
UPDATE = """
name: update
devices: [{{group: all, layout: {layout}, model: {model}}}]
jobs: [{{id: fw, to: [all], version: "2.0", image: {{{image}}}}}]
{more}
"""


class Run:
    """One device through one scenario: its verdict, and what was told on the way."""

    def __init__(self, layout: str = "ab", more: str = "", image: str = "", model: str = "reference") -> None:
        scenario = parse(UPDATE.format(layout=layout, more=more, image=image, model=model))
        judge = Judge()
        self.entries: list[Entry] = []

        def sink(entry: Entry) -> None:
            judge.feed(entry)
            self.entries.append(entry)

        play = Play(scenario, 1, 1, sink, VirtualVenue(scenario, 1))
        run_virtually(play.play())
        assert play.fleet is not None
        self.device = play.fleet.devices[0]
        self.verdict = judge.verdict()

    def told(self, kind: type[E]) -> list[E]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    def at(self, kind: type[E]) -> list[float]:
        return [round(entry.at, 6) for entry in self.entries if isinstance(entry.event, kind)]

    @property
    def statuses(self) -> list[str]:
        return [changed.status for changed in self.told(ExecutionChanged)]


# ── power ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("layout", ["ab", "swap", "single"])
def test_an_update_without_trouble_ends_committed_and_whole(layout: str):
    run = Run(layout)
    assert run.verdict.passed
    assert run.told(VersionCommitted)[0].version == "2.0"
    assert (run.device.hardware.version, run.device.hardware.is_whole) == ("2.0", True)


def test_the_power_can_go_in_the_middle_of_the_exchange_of_slots_by_name_and_the_bootloader_goes_on():
    run = Run("swap", "power_cuts: [{instant: exchange 7/16, off_seconds: 0.5}]")
    assert [lost.instant for lost in run.told(PowerLost)] == ["exchange 7/16"]
    boots = run.told(DeviceBooted)
    assert [(boot.version, boot.why) for boot in boots] == [("1.0", "power-on"), ("2.0", "power-lost")]
    assert run.statuses[-1] == "SUCCEEDED"
    assert run.verdict.passed


def test_the_power_can_go_at_every_instant_of_reboot_and_exchange_by_number():
    through = Run("swap")
    reached = set()
    for nth in range(through.device.instants // 2, through.device.instants):
        run = Run("swap", f"power_cuts: [{{nth: {nth}}}]")
        reached |= {lost.instant for lost in run.told(PowerLost)}
        assert run.verdict.passed, run.told(PowerLost)
        assert run.device.hardware.is_whole
    assert {f"exchange {number}/16" for number in range(1, 17)} <= reached


def test_the_exchange_takes_the_time_that_writing_its_sectors_takes():
    ab, swap = Run("ab"), Run("swap")
    gap = swap.at(DeviceBooted)[1] - swap.at(DeviceDisconnected)[0]
    assert gap - (ab.at(DeviceBooted)[1] - ab.at(DeviceDisconnected)[0]) == pytest.approx(0.2)


def test_an_undo_takes_time_and_can_be_cut_at_any_of_its_sectors():
    deleted = "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]\n"
    whole = Run("ab", deleted)
    assert {undone.step for undone in whole.told(StepUndone)} == {"write", "download"}
    stopped = next(
        entry.at for entry in whole.entries if isinstance(entry.event, StepFinished) and entry.event.step == "write"
    )
    took = whole.at(StepUndone)[-1] - stopped
    assert took == pytest.approx(0.1, abs=1e-5), "a twentieth of a second for the write, and for the download"
    for instant in ("undo download", "undo download 1/16", "undo download 16/16"):
        cut = Run("ab", f"{deleted}power_cuts: [{{instant: {instant}}}]")
        assert [lost.instant for lost in cut.told(PowerLost)] == [instant]
        assert cut.verdict.passed
        assert cut.device.hardware.is_whole


def test_what_is_in_memory_is_gone_after_a_reboot_and_what_is_on_record_is_not():
    run = Run("ab", "power_cuts: [{step: write, progress: 50}]")
    prefixes = {sent.client_token.partition("-")[0] for sent in run.told(RequestSent)}
    assert len(prefixes) == len(run.told(DeviceBooted)) == 3
    assert [step.step for step in run.told(StepStarted)].count("download") == 1, "it was on record as done"
    assert [step.step for step in run.told(StepStarted)].count("write") == 2, "it was not"
    assert run.verdict.passed


def test_the_network_goes_in_the_middle_of_a_step_and_the_step_goes_on():
    run = Run("ab", "outages: [{step: write, progress: 10, seconds: 3}]")
    assert not run.told(DeviceDisconnected)[0].planned
    assert run.at(DeviceConnected)[1] - run.at(DeviceDisconnected)[0] == pytest.approx(3, abs=0.02)
    assert [boot.version for boot in run.told(DeviceBooted)] == ["1.0", "2.0"]
    assert run.at(DeviceBooted)[1] < run.at(DeviceConnected)[1], "a reboot brings no network back"
    assert run.statuses[-1] == "SUCCEEDED"


def test_a_device_whose_record_means_nothing_to_its_agent_says_that_it_cannot_begin():
    scenario = parse(
        UPDATE.format(
            layout="ab", model="reference", more="power_cuts: [{step: write}]\ntime_limit_seconds: 5", image=""
        )
    )
    told: list[object] = []

    def sink(entry: Entry) -> None:
        told.append(entry.event)
        if isinstance(entry.event, PowerLost):
            assert play.fleet is not None
            device = play.fleet.devices[0]
            file = FlashFile(device.rig.disk)
            foreign = Journal(file)
            foreign.open()
            foreign.append(b'{"doing": "levitating"}')
            device.rig = device.rig._replace(disk=file.disk)

    play = Play(scenario, 1, 1, sink, VirtualVenue(scenario, 1))
    run_virtually(play.play())
    (crashed,) = [event for event in told if isinstance(event, DeviceCrashed)]
    assert crashed.reason.startswith("the agent cannot begin: journal: doing: ")
    assert not any(isinstance(event, DeviceBooted) for event in told[told.index(crashed) + 1 :])


# ── firmware that is no good ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("layout", ["ab", "swap"])
@pytest.mark.parametrize(
    ("image", "reason"),
    [
        pytest.param("flaw: hash", "SHA-256", id="damaged on the way"),
        pytest.param("flaw: signature", "not signed", id="not signed"),
        pytest.param("flaw: boot", "came back with 1.0", id="hangs"),
        pytest.param("flaw: self-test", "self-test failed", id="fails its self-test"),
    ],
)
def test_bad_firmware_is_reported_failed_and_the_old_one_runs_on(layout: str, image: str, reason: str):
    run = Run(layout, image=image)
    assert run.statuses[-1] == "FAILED"
    failed = run.told(ExecutionChanged)[-1].details
    assert failed is not None
    assert reason in failed["reason"]
    assert (run.device.hardware.version, run.device.hardware.is_whole) == ("1.0", True)
    assert run.verdict.passed


@pytest.mark.parametrize("image", ['{"flaw": "rust"}', '{"counter": "many"}'])
def test_a_document_that_speaks_of_an_image_that_cannot_be_fails_and_crashes_nobody(image: str):
    document = f'{{"operation": "update", "version": "2.0", "image": {image}}}'
    scenario = parse(f"name: x\ndevices: [{{group: a}}]\njobs: [{{id: fw, to: [a], document: {document}}}]")
    changed: list[ExecutionChanged] = []

    def sink(entry: Entry) -> None:
        if isinstance(entry.event, ExecutionChanged):
            changed.append(entry.event)

    assert judged(scenario, 1, 1, sink=sink).passed
    assert changed[-1].status == "FAILED"


def test_the_watchdog_resets_an_image_that_hangs():
    run = Run("ab", image="flaw: boot")
    assert [boot.why for boot in run.told(DeviceBooted)] == ["power-on", "watchdog"]


# ── steps on the workbench ────────────────────────────────────────────────────────────────────────────────────


def test_a_step_reports_progress_in_its_middle_and_where_it_is_held():
    held = "deletions: [{job: fw, do: cancel-job, when: {step: download, progress: 80}, hold: true, hold_seconds: 2}]"
    run = Run("ab", held)
    assert [(step.step, step.percent) for step in run.told(StepProgressed)][:2] == [("download", 50), ("download", 80)]
    assert [step.outcome for step in run.told(StepFinished)] == ["stopped"]
    assert [undone.step for undone in run.told(StepUndone)] == ["download"]


def test_a_step_that_is_stopped_shows_what_is_half_done_until_it_is_taken_back():
    run = Run("ab", "deletions: [{job: fw, when: {step: write, progress: 50}, hold: true}]")
    pending = [hardware.pending for hardware in run.told(HardwareChanged)]
    assert ("download", "spare slot") in pending or ("download",) in pending
    assert pending[-1] == ()


def test_every_sector_and_write_is_an_instant():
    run = Run("ab")
    sectors = 16 + 32 + 1 + 4 + 1
    begins, reboot = 5, 1
    journal = run.device.instants - sectors - begins - reboot
    assert journal > 0
    cut = Run("ab", f"power_cuts: [{{nth: {run.device.instants + 1}}}]")
    assert not cut.told(PowerLost)
    last = Run("ab", f"power_cuts: [{{nth: {run.device.instants}}}]")
    assert len(last.told(PowerLost)) == 1


def test_a_device_that_erases_the_firmware_that_runs_crashes_and_restarts():
    text = "deletions: [{job: fw, when: {step: self-test, progress: 50}, hold: true}]"
    scenario = parse(UPDATE.format(layout="ab", model="reference", more=text, image="")).cast(
        "undoes-in-the-wrong-order"
    )
    told: list[object] = []
    run_virtually(Play(scenario, 1, 1, lambda entry: told.append(entry.event), VirtualVenue(scenario, 1)).play())
    assert any(isinstance(event, DeviceCrashed) and "erased the firmware" in event.reason for event in told)
    assert [event.why for event in told if isinstance(event, DeviceBooted)][-1] == "watchdog"


# ── what the hardware does for nobody ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("layout", "deleted_in", "model"),
    [
        pytest.param("ab", "commit", "undoes-past-the-point-of-no-return", id="a commit undone"),
        pytest.param("single", "write", "undoes-past-the-point-of-no-return", id="the write of the only slot undone"),
        pytest.param("single", "self-test", "undoes-past-the-point-of-no-return", id="and later"),
        pytest.param("ab", "self-test", "undoes-in-the-wrong-order", id="the write undone of what is on trial"),
    ],
)
def test_whatever_an_agent_wants_undone_the_hardware_keeps_what_runs_and_what_boots_next(
    layout: str, deleted_in: str, model: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(MODELS, model, replace(MODELS[model], guarded=True))
    gone = f"deletions: [{{job: fw, when: {{step: {deleted_in}, later_seconds: 0.05}}, hold: true}}]"
    run = Run(layout, gone, model=model)
    assert not run.told(DeviceCrashed)
    assert all(changed.bootable for changed in run.told(HardwareChanged))
    assert run.device.hardware.running is not None
