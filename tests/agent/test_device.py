"""A real device from one beginning of its agent to the next."""

import asyncio
import os
import zlib
from pathlib import Path

import pytest
import structlog

from agent.core import DevicePolicy
from agent.core.events import Booted
from agent.core.record import Record, Work
from agent.device import Settings, _Device
from agent.device_events import DeviceEvent, PhaseChanged
from agent.handlers.beginnings import MOST_KILLS, Beginning
from agent.handlers.download import IMAGE
from agent.handlers.files import write_json
from agent.handlers.handler import Handler, StepTask
from agent.handlers.slots import SlotFiles
from agent.jitter import Jitter
from agent.journal import FRAME, HEADER
from agent.plan import Plan, Step
from agent.record_json import numbered, write_record
from agent.transports.endpoint import Endpoint
from agent.transports.paho import PahoFleet
from agent.transports.upkeep import Shared
from tests.agent.handlers.bench import FW, context_in, left_in, task_in
from tests.within import within


def device_in(directory: Path, **settings: object) -> _Device:
    transport = PahoFleet(Shared(Jitter("test"))).transport("dev", Endpoint("127.0.0.1", 1), ())
    context = context_in(directory, **settings)
    return _Device(Settings(context, DevicePolicy(), "test"), transport, lambda _: None, asyncio.Event())


async def begun(directory: Path) -> tuple[_Device, Booted]:
    """A device that knows what it finds, and has not connected yet."""
    device = device_in(directory)
    return device, await device._boot()


@pytest.mark.parametrize("boot", ["a1b2", ""], ids=["as Linux names its boots", "as where boots have no names"])
async def test_an_agent_that_made_way_for_the_next_has_rebooted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str
):
    monkeypatch.setattr("agent.device.boot_id", lambda: boot)
    device, first = await begun(tmp_path)
    device._restart()
    _, second = await begun(tmp_path)
    assert (first.rebooted, second.rebooted) == (True, True)


@pytest.mark.parametrize("remembers", [True, False])
async def test_firmware_that_nobody_remembers_is_swept_away_as_the_agent_begins(tmp_path: Path, remembers: bool):
    device, _ = await begun(tmp_path)
    firmware = tmp_path / "state" / "firmware"
    (firmware / "b").write_bytes(b"half an image")
    if remembers:
        device._journal.append(write_record(Record(Work(FW, Plan("2.0", (Step("write", "write"),)), "", 2, 0, 1))))
    await begun(tmp_path)
    assert (firmware / "b").exists() is remembers


async def with_a_trial(directory: Path, *, began_before: bool = True) -> None:
    """An update has been switched to, and the machine restarted; no journal tells of it."""
    slots = SlotFiles(context_in(directory))
    slots.booted(True)
    if began_before:
        write_json(directory / "state" / "boot.json", {"boot": "the one before"})
    image = task_in(directory, "write", version="2.0")
    (image.aside / IMAGE).write_bytes(b"firmware")
    await slots.do(image)
    await slots.do(task_in(directory, "switch", version="2.0"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a device begins with its jobs."""
    event = asyncio.Event()
    monkeypatch.setattr("agent.device.Runner.start", lambda runner, booted: event.set())
    return event


async def test_a_trial_of_which_nobody_knows_is_left_by_a_restart(tmp_path: Path):
    await with_a_trial(tmp_path)
    assert await within(device_in(tmp_path).run(), 20) == "restart"
    _, booted = await begun(tmp_path)
    assert (booted.running, booted.on_trial, booted.unproven) == ("factory", False, False)
    assert not [each for each in left_in(tmp_path / "state") if each.startswith("work/")]


async def test_a_trial_that_an_agent_finds_as_it_first_begins_is_left_to_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: asyncio.Event
):
    log = structlog.testing.CapturingLogger()
    monkeypatch.setattr("agent.device.log", log)
    await with_a_trial(tmp_path, began_before=False)
    device = device_in(tmp_path)
    running = asyncio.ensure_future(device.run())
    await within(started.wait(), 20)
    device._over.set()
    assert await within(running, 20) == "stopped"
    assert [call.args[0] for call in log.calls if call.args[0].startswith("trial.")] == ["trial.of_another"]
    assert SlotFiles(context_in(tmp_path)).booted(False) == ("2.0", True)


async def test_a_trial_that_is_on_record_is_gone_on_with(tmp_path: Path, started: asyncio.Event):
    await with_a_trial(tmp_path)
    device = device_in(tmp_path)
    work = Work(FW, Plan("2.0", (Step("write", "write"), Step("switch", "switch"))), "", 2, 2, 2)
    device._journal.open()
    device._journal.append(write_record(Record(work)))
    _, booted = await begun(tmp_path)
    assert (booted.running, booted.on_trial) == ("2.0", True)
    device = device_in(tmp_path)
    running = asyncio.ensure_future(device.run())
    await within(started.wait(), 20)
    device._over.set()
    assert await within(running, 20) == "stopped"


async def test_a_machine_that_will_not_restart_runs_on_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: asyncio.Event
):
    log = structlog.testing.CapturingLogger()
    monkeypatch.setattr("agent.device.log", log)
    await with_a_trial(tmp_path)
    device = device_in(tmp_path, reboot=("false",))
    running = asyncio.ensure_future(device.run())
    await within(started.wait(), 20)
    device._over.set()
    assert await within(running, 20) == "stopped"
    said = [(call.args[0], call.kwargs.get("fault", "")) for call in log.calls if call.args[0] == "trial.forgotten"]
    assert said == [("trial.forgotten", ""), ("trial.forgotten", "the reboot command failed: exit status 1")]


@pytest.mark.parametrize(
    ("reverts", "fault"),
    [
        (True, "its handler of 'reboot' has ended, and the machine is up"),
        (False, "its handler says that there is nothing to go back from"),
    ],
)
async def test_a_plug_in_that_does_not_restart_the_machine_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reverts: bool, fault: str
):
    async def do(handler: Handler, task: StepTask) -> str:
        return ""

    monkeypatch.setattr("agent.handlers.reboot.Reboot.do", do)
    monkeypatch.setattr("agent.handlers.slots.SlotFiles.revert", lambda slots: reverts)
    assert await device_in(tmp_path)._bench.fall_back(Beginning(tmp_path / "state", "leave 2.0")) == fault


async def test_a_restart_that_is_yet_to_come_is_not_taken_for_one_by_the_next_agent(tmp_path: Path):
    await with_a_trial(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    device = device_in(tmp_path, reboot=("sh", "-c", f"echo > {pipe}; sleep 100"))
    asyncio.get_running_loop().add_reader(reader, device._over.set)
    try:
        assert await within(device.run(), 20) == "stopped"
    finally:
        asyncio.get_running_loop().remove_reader(reader)
        os.close(reader)
    _, booted = await begun(tmp_path)
    assert (booted.running, booted.on_trial, booted.rebooted, booted.unproven) == ("2.0", True, False, True)


class _Stuck(SlotFiles):
    """Of a machine that comes up with the new firmware whatever is asked of it."""

    def booted(self, rebooted: bool) -> tuple[str, bool]:
        super().booted(rebooted)
        return "2.0", True

    def revert(self) -> bool:
        return True


async def test_a_machine_that_stays_on_a_trial_of_which_nobody_knows_is_not_restarted_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: asyncio.Event
):
    monkeypatch.setattr("agent.device.firmware_of", lambda handlers, layout: _Stuck(context_in(tmp_path)))
    device_in(tmp_path)._note_boot()
    ends = []
    while not started.is_set() and len(ends) <= MOST_KILLS:
        device = device_in(tmp_path)
        running = asyncio.ensure_future(device.run())
        starts = asyncio.ensure_future(started.wait())
        await within(asyncio.wait({running, starts}, return_when=asyncio.FIRST_COMPLETED), 20)
        starts.cancel()
        if started.is_set():
            device._over.set()
        ends.append(await within(running, 20))
    assert ends == ["restart"] * MOST_KILLS + ["stopped"]


async def test_a_reboot_that_is_to_undo_a_trial_and_does_not_is_not_begun_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agent.device.firmware_of", lambda handlers, layout: _Stuck(context_in(tmp_path)))
    device = device_in(tmp_path)
    steps = tuple(Step(name, name) for name in ("write", "switch", "reboot", "self-test"))
    device._journal.open()
    device._journal.append(write_record(Record(Work(FW, Plan("2.0", steps), "", 2, 3, 3), "restoring", "gone")))
    ends: list[str] = []
    phases: list[str] = []
    while "safe" not in phases and len(ends) <= MOST_KILLS:
        device = device_in(tmp_path)

        def observe(event: DeviceEvent, device: _Device = device) -> None:
            if isinstance(event, PhaseChanged):
                phases.append(event.phase)
                if event.phase == "safe":
                    device._over.set()

        device._observe_with = observe
        ends.append(await within(device.run(), 20))
    assert ends == ["restart"] * MOST_KILLS + ["stopped"]


class _Flash(SlotFiles):
    """Of a plug-in that was written before there was anything to sweep."""

    sweep = None  # type: ignore[assignment]  # as if it were not there


async def test_firmware_of_an_older_plug_in_need_not_know_how_to_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.device.firmware_of", lambda handlers, layout: _Flash(context_in(tmp_path)))
    _, booted = await begun(tmp_path)
    assert booted.running == "factory"


@pytest.mark.parametrize(
    ("order", "says"),
    [((0, 1), []), ((1, 0), ["journal.disordered"]), ((), ["journal.bare"])],
    ids=["in order", "an old record at the end", "no record"],
)
async def test_what_is_odd_about_a_journal_is_said_as_the_agent_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...], says: list[str]
):
    log = structlog.testing.CapturingLogger()
    monkeypatch.setattr("agent.device.log", log)
    await begun(tmp_path)
    records = [numbered(write_record(Record(unaccounted=version)), n) for n, version in enumerate(("1.0", "2.0"), 1)]
    frames = [FRAME.pack(len(record), zlib.crc32(record)) + record for record in records]
    (tmp_path / "state" / "journal").write_bytes(HEADER + b"".join(frames[index] for index in order))
    _, booted = await begun(tmp_path)
    assert [call.args[0] for call in log.calls if call.args[0].startswith("journal.")] == says
    assert booted.record == Record(unaccounted="2.0" if order else None)
