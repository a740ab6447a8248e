"""Moments that a device prints."""

from types import SimpleNamespace

import pytest

import simulator.certify.moments as moments
from simulator.certify.moments import MOST_A_SECOND, Moments
from simulator.trace import Entry


def test_a_flood_of_one_line_is_told_so_often_only_and_others_are(monkeypatch: pytest.MonkeyPatch):
    now, entries = [100.0], list[Entry]()
    monkeypatch.setattr(moments, "time", SimpleNamespace(monotonic=lambda: now[0]))
    heard = Moments("pump-7", ("eras", "boot"), entries.append)
    for _ in range(1000):
        heard.line("erasing sector")
    heard.line("booting")
    assert [entry.event.fault for entry in entries] == ["said-1"] * MOST_A_SECOND + ["said-2"]
    now[0] += 1.1
    heard.line("erasing sector")
    assert len(entries) == MOST_A_SECOND + 2


def test_a_pattern_that_takes_for_ever_is_given_up_for_that_line():
    told: list[Entry] = []
    heard = Moments("pump-7", (r"^(\w+\s?)*\$", "eras"), told.append)
    heard.line("erasing sector " * 100 + "!")
    assert [entry.event.fault for entry in told] == ["said-2"]


def test_a_pattern_that_nothing_was_printed_for_is_named():
    told: list[Entry] = []
    moments = Moments("pump-7", ["erasing sector", "swap"], told.append)
    moments.line("now erasing sector 7")
    assert [entry.event.type for entry in told] == ["fault.struck"]
    assert moments.why_not("said-1") is None
    assert moments.why_not("said-2") == "while it did its first job it printed no line with swap"
    assert moments.why_not("step-middle") is None
