"""Entries as a click shows them: whatever a device sent, they are bounded."""

from agent.values import ExecutionKey
from simulator.page.entries import RAW, shown
from simulator.trace import Entry, ExecutionChanged

FW = ExecutionKey(None, "fw", 1, 1)
FLOOD = {f"key-{number}": "x" * 1_000 for number in range(200)}


def changed(details: dict[str, str]) -> Entry:
    event = ExecutionChanged("thing-0", FW, "IN_PROGRESS", 2, "device", details)
    return Entry("cloud", 1, 1.0, event)


def test_an_entry_is_kept_as_it_stands_in_the_trace():
    raw = shown(changed({"step": "write", "progress": "40"}), lambda when: when.at).raw
    assert raw["details"] == {"step": "write", "progress": "40"}
    assert raw["status"] == "IN_PROGRESS"


def test_of_a_flood_of_details_the_beginning_is_kept():
    kept = shown(changed(FLOOD), lambda when: when.at)
    assert len(kept.model_dump_json()) < 2 * RAW
    assert kept.raw["details"]["key-0"].startswith("xxx")
    assert kept.raw["by"] == "device"


def test_what_cannot_be_seen_or_turns_the_text_around_stands_as_its_escape():
    raw = shown(changed({"note": "\u202egnp.exe\x1b[2J<b>"}), lambda when: when.at).raw
    assert raw["details"]["note"] == "\\u202egnp.exe\\x1b[2J<b>"
