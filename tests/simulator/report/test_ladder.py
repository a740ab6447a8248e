"""The diagram of a way: each choice in its column, what changed below it, and never wider than a terminal."""

import pytest

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    ExecutionGone,
    ExecutionTaken,
    HintReceived,
    JournalWritten,
    PhaseChanged,
    PowerLost,
    RequestSent,
    StepStarted,
)
from agent.values import ExecutionKey
from simulator.report.ladder import Step, ladder
from simulator.trace import (
    CLOUD,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionRemoved,
    FlashArea,
    FlashChanged,
    JobDeletionBegan,
    RequestAnswered,
    device_source,
)

KEY = ExecutionKey(None, "fw", 1, 1_700_000_001)
FLASH = FlashChanged((FlashArea("A", "1.0", "whole", "#" * 16), FlashArea("B", "", "empty", "." * 16)), "A", "A")
BRICK = FlashChanged((FlashArea("A", "1.0", "partial", "x" * 16), FlashArea("B", "", "empty", "." * 16)), "", "")


def step(choice: str, *events: Event) -> Step:
    source = CLOUD if choice.startswith(("arrive", "delete", "records")) else device_source("dev-1")
    return choice, [Entry(source, number, 0.0, event) for number, event in enumerate(events, 1)]


def drawn(*steps: Step) -> list[str]:
    """What stands below the head."""
    return list(ladder(steps))[2:]


def test_columns_are_named_and_what_was_known_before_stands_first():
    lines = list(ladder([], [Entry("device/dev-1", 1, 0.0, FLASH)]))
    assert lines[0].split() == ["cloud", "wire", "agent", "hardware"]
    assert lines[2] == "     flash   A [################] 1.0 runs; B [................] empty"
    assert lines[3] == "     journal empty"
    assert lines[4] == "     is      nothing of a job"


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (step("deliver notify"), "   1                    notify ─►"),
        (step("deliver twice notify"), "   1                    notify ═► (a copy"),
        (step("lose start-next accepted"), "   1                    ╳ start-next: yes"),
        (step("delay notify-next"), "   1                    ~ notify-next is"),
        (step("disconnect"), "   1                    ╳ connection lost"),
        (
            step("arrive update fw IN_PROGRESS", ExecutionChanged("dev-1", KEY, "IN_PROGRESS", 3, "device")),
            "   1 fw@1 IN_PROGRESS   ◄─ update fw",
        ),
        (
            step("arrive describe fw", RequestAnswered("dev-1", "describe", False, "t", "ResourceNotFound")),
            "   1 no:                ◄─ describe fw",
        ),
        (step("delete fw", JobDeletionBegan("fw", True)), "   1 DELETE fw --force"),
        (step("records go fw", ExecutionRemoved("dev-1", KEY, "IN_PROGRESS")), "   1 fw@1 GONE"),
        (
            step("timer retry", RequestSent("t", "start-next", None)),
            "   1                                        timer retry runs",
        ),
        (step("work write 8/32"), f"   1{' ' * 58}write 8/32"),
        (step("power-cut", PowerLost("x", ())), f"   1{' ' * 58}POWER CUT"),
    ],
)
def test_a_choice_stands_in_its_column(one: Step, line: str):
    assert line in drawn(one)


def test_what_has_changed_stands_below_and_what_has_not_does_not():
    lines = drawn(
        step("deliver notify", HintReceived("notify", None, (KEY,))),
        step("deliver start-next accepted", ExecutionTaken(KEY), PhaseChanged("executing", "idle", "", KEY)),
        step("work download 8/16"),
        step("deliver x", AnswerReceived("t", False, "ResourceNotFound"), ExecutionGone(KEY, "gone")),
    )
    at = [number for number, line in enumerate(lines) if line[:4].strip()]
    below = [
        [line.strip() for line in lines[one + 1 : then] if line.startswith("     ") and line[5] != " "]
        for one, then in zip(at, [*at[1:], len(lines)], strict=True)
    ]
    assert below == [
        ["told    notify lists fw@1"],
        ["is      executing with fw@1"],
        [],
        ["told    fw@1 is gone"],
    ]


def test_a_power_cut_takes_what_was_told_and_the_journal_stays():
    lines = drawn(
        step("a", JournalWritten("working", 1, 0), HintReceived("notify", None, ())),
        step("power-cut", PowerLost("x", ())),
        step("power on", DeviceBooted("1.0", "power-on")),
    )
    text = "\n".join(lines)
    assert text.index("journal working: 1 steps begun, 0 done") < text.index("is      off: what it did not write down")
    assert text.index("is      off") < text.index("is      idle, but for what its journal says")
    assert text.count("journal working") == 1


def test_of_two_devices_the_second_bears_its_number():
    other = device_source("dev-2")
    before = [Entry(device_source("dev-1"), 1, 0.0, FLASH), Entry(other, 1, 0.0, FLASH)]
    lines = list(ladder([("deliver x device 2", [Entry(other, 2, 0.0, ExecutionTaken(KEY))])], before))
    assert sum(line.startswith("     2: flash   A [") for line in lines) == 1
    assert lines[-1] == "   1                    x device 2 ─►       2: takes fw@1"


def test_a_device_that_cannot_boot_any_more_is_loud():
    assert any("NOTHING WOULD BOOT" in line for line in drawn(step("work write 1/32", BRICK)))


def test_nothing_is_wider_than_a_terminal_whatever_names_there_are():
    key = ExecutionKey("n" * 64, "j" * 64, 1, 1_700_000_001)
    lines = drawn(
        step(
            "deliver update " + "j" * 64 + " SUCCEEDED accepted", ExecutionTaken(key), StepStarted(key, "s" * 90, False)
        ),
        step("arrive x", ExecutionChanged("dev-1", key, "IN_PROGRESS", 2, "device")),
        step("a", AnswerReceived("t", True, None, "IN_PROGRESS", key), PhaseChanged("suspect", "idle", "", key)),
    )
    assert max(map(len, lines)) <= 80
