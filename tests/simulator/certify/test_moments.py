"""Moments that a device prints: what came, and what is said of what did not."""

from simulator.certify.moments import Moments
from simulator.trace import Entry


def test_a_pattern_that_nothing_was_printed_for_is_named():
    told: list[Entry] = []
    moments = Moments("pump-7", ["erasing sector", "swap"], told.append)
    moments.line("now erasing sector 7")
    assert [entry.event.type for entry in told] == ["fault.struck"]
    assert moments.why_not("said-1") is None
    assert moments.why_not("said-2") == "while it did its first job it printed no line with swap"
    assert moments.why_not("step-middle") is None
