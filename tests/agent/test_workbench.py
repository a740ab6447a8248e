"""The real machine's workbench where a plug-in is at fault."""

import asyncio
import errno
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import structlog

from agent.causes import Cause
from agent.core.events import BeginStep, Event, StepAdvanced, StepEnded, StepRestored, UndoStep, Verified, Verify
from agent.device_events import HardwareChanged
from agent.handlers.handler import (
    Handler,
    NotBegunError,
    StaleDocumentError,
    StepError,
    StepTask,
    UnknownOperationError,
)
from agent.handlers.slots import SlotFiles
from agent.plan import Step
from agent.values import ExecutionKey
from agent.workbench import HandlerWorkbench
from tests.agent.handlers.bench import FW, context_in
from tests.within import within


class Able(Handler):
    async def do(self, task: StepTask) -> str:
        return ""


class Clumsy(Able):
    def pending(self, asides: Sequence[Path]) -> tuple[str, ...]:
        raise RuntimeError("cannot look")

    async def settle(self, aside: Path) -> None:
        raise RuntimeError("cannot let go")


class Mute(SlotFiles):
    @property
    def bootable(self) -> bool:
        raise RuntimeError("cannot look")


def bench_of(
    directory: Path, handler: Handler, firmware: SlotFiles, told: Callable[[Event], None] = lambda _: None
) -> HandlerWorkbench:
    return HandlerWorkbench({"calibrate": handler}, firmware, directory / "work", lambda _: None, told)


@pytest.mark.parametrize(
    ("handler", "firmware", "says"),
    [
        pytest.param(Clumsy, SlotFiles, (True, ("whatever Clumsy did",)), id="what is half done"),
        pytest.param(Able, Mute, (False, ()), id="whether the machine would come up"),
    ],
)
def test_a_plug_in_that_cannot_say_something_ends_no_agent_and_is_not_believed_to_be_whole(
    tmp_path: Path, handler: type[Handler], firmware: type[SlotFiles], says: tuple[bool, tuple[str, ...]]
):
    firmware_at_hand, told = firmware(context_in(tmp_path)), list[Event]()
    firmware_at_hand.booted(rebooted=True)
    bench = bench_of(tmp_path, handler(), firmware_at_hand, told.append)
    assert bench.describe() == HardwareChanged(says[0], "", says[1])
    bench.verify(Verify())
    assert told == [Verified(False)]


@pytest.mark.parametrize(("again", "outcome"), [(False, "failed"), (True, "done")])
async def test_a_full_disk_keeps_a_step_from_beginning_unless_it_has_begun_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool, outcome: str
):
    def full(path: Path, value: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("agent.handlers.beginnings.write_json", full)
    told = asyncio.get_running_loop().create_future()
    bench = bench_of(tmp_path, Able(), SlotFiles(context_in(tmp_path)), told.set_result)
    bench.begin(BeginStep(FW, 0, Step("calibrate", "calibrate", reversible=False), "", again=again))
    ended = await within(told, 20)
    assert isinstance(ended, StepEnded)
    assert ended.outcome == outcome


@pytest.mark.parametrize("name", ["fw", "../../../x", "/etc/x", "x/y", ".."])
async def test_what_is_kept_of_a_job_lies_below_work_whatever_the_job_is_called(tmp_path: Path, name: str):
    asides: list[Path] = []
    done = asyncio.Event()

    class Looks(Able):
        async def do(self, task: StepTask) -> str:
            asides.append(task.aside.resolve())
            done.set()
            return ""

    bench = bench_of(tmp_path, Looks(), SlotFiles(context_in(tmp_path)))
    bench.begin(BeginStep(ExecutionKey(None, name, 1, 1), 0, Step("calibrate", "calibrate"), ""))
    await done.wait()
    await bench.close()
    assert [aside.parent for aside in asides] == [tmp_path / "work"]


async def test_a_plug_in_that_fails_to_settle_keeps_neither_the_agent_from_beginning_nor_its_leftovers(tmp_path: Path):
    (tmp_path / "work" / "left-behind").mkdir(parents=True)
    firmware = SlotFiles(context_in(tmp_path))
    await bench_of(tmp_path, Clumsy(), firmware).sweep(None)
    assert list((tmp_path / "work").iterdir()) == []


# ── why it does not get on ────────────────────────────────────────────────────────────────────────────────────

BUSY = (Cause.UNREACHABLE, "HTTP 503")
BROKEN = (Cause.BAD_ANSWER, "broke off")


async def events_of(directory: Path, handler: Handler) -> list[Event]:
    """What the core is told while a handler does a step, to its end."""
    events, ended = list[Event](), asyncio.Event()

    def told(event: Event) -> None:
        events.append(event)
        if isinstance(event, StepEnded):
            ended.set()

    bench = bench_of(directory, handler, SlotFiles(context_in(directory)), told)
    bench.begin(BeginStep(FW, 0, Step("fetch", "calibrate"), ""))
    await ended.wait()
    await bench.close()
    return events


class Waits(Able):
    """Says these things one after the other: why it waits, or how far it is."""

    def __init__(self, *said: tuple[Cause, str] | int) -> None:
        self._said = said

    async def do(self, task: StepTask) -> str:
        for each in self._said:
            if isinstance(each, int):
                task.progress(each)
            else:
                task.waiting(*each)
        return ""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch):
    """What was logged under a name: each line's level and fields."""
    log = structlog.testing.CapturingLogger()
    monkeypatch.setattr("agent.workbench.log", log)
    return lambda event: [call.kwargs | {"level": call.method_name} for call in log.calls if call.args == (event,)]


@pytest.mark.parametrize(
    ("said", "lines", "reports"),
    [
        pytest.param([BUSY], 1, [], id="once: the log alone"),
        pytest.param([BUSY] * 9, 1, [(0, BUSY)], id="again and again: one line, one report"),
        pytest.param([BUSY, BROKEN] * 4, 8, [(0, BROKEN)], id="this and that: a line for each, one report"),
        pytest.param([40, BUSY, BUSY], 1, [(40, None), (40, BUSY)], id="half way: no percent is taken back"),
        pytest.param([BUSY, 40, BUSY], 2, [(40, None)], id="it got on in between"),
        pytest.param(
            [BUSY, BUSY, 40, BUSY, BUSY], 2, [(0, BUSY), (40, None), (40, BUSY)], id="it got on, and waits once more"
        ),
    ],
)
async def test_a_step_that_waits_is_in_the_log_at_once_and_reported_after_the_first_retry(
    tmp_path: Path, logged, said: list[tuple[Cause, str] | int], lines: int, reports: list[tuple[int, object]]
):
    advanced = [event for event in await events_of(tmp_path, Waits(*said)) if isinstance(event, StepAdvanced)]
    expected = [StepAdvanced(0, at, f"{why[0]}: {why[1]}" if why else "") for at, why in reports]  # type: ignore[index]
    assert advanced == expected
    waiting = logged("step.waiting")
    assert len(waiting) == lines
    assert all((line["level"], line["job_id"], line["step"]) == ("warning", "fw", "fetch") for line in waiting)


async def test_after_a_minute_the_same_cause_is_said_once_more_and_another_one_reported(
    tmp_path: Path, logged, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agent.workbench.SAID_AGAIN_SECONDS", 0.0)
    events = await events_of(tmp_path, Waits(BUSY, BUSY, BROKEN))
    assert [event.waiting for event in events if isinstance(event, StepAdvanced)] == [
        "unreachable: HTTP 503",
        "bad-answer: broke off",
    ]
    assert [(line["why"], line["tries"]) for line in logged("step.waiting")] == [
        ("unreachable: HTTP 503", 1),
        ("unreachable: HTTP 503", 2),
        ("bad-answer: broke off", 3),
    ]


async def test_words_without_end_are_cut_to_what_status_details_hold(tmp_path: Path, logged):
    events = await events_of(tmp_path, Waits(*[(Cause.UNREACHABLE, "x\n" * 9_000)] * 2))
    (advanced,) = [event for event in events if isinstance(event, StepAdvanced)]
    assert len(advanced.waiting) <= 1024
    assert "\n" not in advanced.waiting


class OfItsOwnError(StepError):
    """As a plug-in wrote it before errors had causes."""

    def __init__(self, code: int) -> None:
        Exception.__init__(self, f"error {code}")


class SaysNothing(Able):
    async def do(self, task: StepTask) -> str:
        return None  # type: ignore[return-value]  # as plug-ins without types do


async def test_a_plug_in_that_returns_nothing_has_done_its_step(tmp_path: Path):
    (ended,) = await events_of(tmp_path, SaysNothing())
    assert isinstance(ended, StepEnded)
    assert (ended.outcome, ended.said) == ("done", "")


class Raises(Able):
    def __init__(self, error: Exception) -> None:
        self._error = error

    async def do(self, task: StepTask) -> str:
        raise self._error


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        pytest.param(StepError("no", Cause.SIGNATURE), "failed", Cause.SIGNATURE, id="what it says"),
        pytest.param(StepError("no"), "failed", Cause.STEP_FAILED, id="a plug-in that does not say"),
        pytest.param(OfItsOwnError(7), "failed", Cause.STEP_FAILED, id="an older plug-in's own error"),
        pytest.param(PermissionError(13, "Permission denied"), "failed", Cause.PERMISSION, id="the system"),
        pytest.param(OSError(28, "No space left on device"), "failed", Cause.SPACE, id="the disk"),
        pytest.param(KeyError("x"), "failed", Cause.HANDLER_CRASHED, id="a fault of its own"),
        pytest.param(UnknownOperationError("no"), "refused", Cause.UNKNOWN_OPERATION, id="nothing that it knows"),
        pytest.param(NotBegunError("no"), "refused", Cause.STEP_FAILED, id="nothing that there is any more"),
        pytest.param(StaleDocumentError("expired"), "stale", "", id="a document that is stale"),
    ],
)
async def test_a_step_that_ends_badly_names_its_cause(
    tmp_path: Path, logged, error: Exception, outcome: str, cause: str
):
    (ended,) = await events_of(tmp_path, Raises(error))
    assert isinstance(ended, StepEnded)
    assert (ended.outcome, ended.cause) == (outcome, cause)
    assert len(logged("step.stale")) == (outcome == "stale"), "asking for the document again is no silent matter"


async def test_a_step_past_the_point_of_no_return_is_not_taken_back_whoever_asks_for_it(tmp_path: Path):
    undone: list[StepTask] = []
    told: list[Event] = []
    over = asyncio.Event()

    class Willing(Able):
        async def undo(self, task: StepTask) -> None:
            undone.append(task)

    def tell(event: Event) -> None:
        told.append(event)
        over.set()

    firmware = SlotFiles(context_in(tmp_path))
    firmware.booted(rebooted=True)
    bench = bench_of(tmp_path, Willing(), firmware, tell)
    bench.undo(UndoStep(ExecutionKey(None, "fw", 1, 1), 3, Step("calibrate", "calibrate", reversible=False)))
    await over.wait()
    await bench.close()
    assert told == [StepRestored(3, False)]
    assert undone == []
