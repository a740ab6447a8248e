"""What is remembered of a play, however much a device sends; and that a fault of ours is not taken for a pass."""

import pytest

import simulator.certify.one_play as one_play
from simulator.certify.one_play import Account
from simulator.certify.wiretap import Wiretap
from simulator.trace import CLOUD, ClientSubscribed, Entry, FaultOver

FLOOD = ClientSubscribed("pump-7", ("a",))
LET_GO = FaultOver("pump-7", "mark", "limit")


def test_of_a_flood_the_beginning_and_the_end_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(one_play, "MOST_ENTRIES", 10)
    account = Account()
    for n in range(1, 101):
        account.feed(Entry(CLOUD, n, 0.0, FLOOD))
    assert [entry.n for entry in account.entries] == [*range(1, 6), *range(96, 101)]


def test_a_hold_that_met_its_limit_is_told_whatever_else_came(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(one_play, "MOST_ENTRIES", 10)
    account = Account()
    for n in range(1, 101):
        account.feed(Entry(CLOUD, n, 0.0, LET_GO if n == 50 else FLOOD))
    assert "cloud#50" in (account.trouble or "")


def test_a_listener_that_fails_keeps_nobody_else_from_hearing_and_is_counted():
    wiretap, heard = Wiretap(), list[Entry]()

    def fail(entry: Entry) -> None:
        raise KeyError(entry.id)

    wiretap.join(fail)
    wiretap.join(heard.append)
    wiretap.feed(Entry(CLOUD, 1, 0.0, FLOOD))
    assert (len(heard), wiretap.faults) == (1, 1)
