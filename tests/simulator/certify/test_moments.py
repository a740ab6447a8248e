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
