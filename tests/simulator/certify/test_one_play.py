"""What is remembered of a play, however much a device sends; and that a fault of ours is not taken for a pass."""

from collections.abc import Callable
from typing import Any

import pytest

import simulator.certify.one_play as one_play
from agent.values import ExecutionKey
from simulator.certify.draft import undisturbed
from simulator.certify.means import AtTheDesk
from simulator.certify.names import Names
from simulator.certify.one_play import Account, DevicePlays
from simulator.certify.probes import Sample
from simulator.certify.wiretap import Wiretap
from simulator.trace import CLOUD, ClientSubscribed, Entry, ExecutionChanged, ExecutionQueued, FaultOver

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


def test_an_id_that_is_used_again_has_not_ended_as_the_first_did():
    account, first, second = Account(), ExecutionKey(None, "fw", 1, 1), ExecutionKey(None, "fw", 1, 3)
    done = ExecutionChanged("pump-7", first, "SUCCEEDED", 2, by="device")
    for n, event in enumerate((ExecutionQueued("pump-7", first), done), 1):
        account.feed(Entry(CLOUD, n, 0.0, event))
    assert account.ended == {"fw": "SUCCEEDED"}
    account.feed(Entry(CLOUD, 3, 0.0, ExecutionQueued("pump-7", second)))
    assert account.ended == {}


def test_a_listener_that_fails_keeps_nobody_else_from_hearing_and_is_counted():
    wiretap, heard = Wiretap(), list[Entry]()

    def fail(entry: Entry) -> None:
        raise KeyError(entry.id)

    wiretap.join(fail)
    wiretap.join(heard.append)
    wiretap.feed(Entry(CLOUD, 1, 0.0, FLOOD))
    assert (len(heard), wiretap.faults) == (1, 1)


# ── the last look at the probes ───────────────────────────────────────────────────────────────────────────────


class OldVersion:
    """Probes that show the version of before, however long one waits: for how long that was, in seconds."""

    def __init__(self) -> None:
        self.waited = 0.0

    async def until(self, enough: Callable[[Sample], bool], within_seconds: float) -> Sample:
        sample = Sample(True, "1.0.0")
        self.waited += 0.0 if enough(sample) else within_seconds
        return sample


@pytest.mark.parametrize(
    ("is_failed", "usual_seconds", "seconds"),
    [
        pytest.param(False, 20.0, 601.0, id="it would be held against the device, which has all the time it may need"),
        pytest.param(True, 20.0, 2 * one_play.UNKNOWN_SECONDS, id="the play has failed, so it is seen where it is"),
        pytest.param(True, None, 601.0, id="nothing is known of the device as yet"),
    ],
)
async def test_a_version_that_does_not_come_is_waited_for_as_long_as_it_counts(
    is_failed: bool, usual_seconds: float | None, seconds: float
):
    probes, names, nobody = OldVersion(), Names("seen"), Any
    scenario = undisturbed(names, None, 600)
    means = AtTheDesk(nobody, Wiretap(), probes, 0)  # type: ignore[arg-type]
    plays = DevicePlays(means, nobody, names, 0, None, lambda says: None)  # type: ignore[arg-type]
    plays.runs, plays.usual_seconds = "1.0.0", usual_seconds
    await plays._look(scenario, Account(ended={scenario.jobs[0].id: "SUCCEEDED"}), lambda entry: None, is_failed)
    assert probes.waited == pytest.approx(seconds)
