"""A page whose picture fails says so, and in the end how it ended; who feeds it notices nothing."""

import pytest

from simulator.page.contained import SENTENCE, ContainedPicture
from simulator.page.roster import Roster
from simulator.page.shown import Shown
from simulator.trace import Entry
from tests.cli.faulty import fail
from tests.simulator.page.samples import run


def contained() -> tuple[ContainedPicture, list[str]]:
    told: list[str] = []
    return ContainedPicture("x", "", "run", told.append), told


def test_without_a_fault_it_is_as_any_picture():
    (picture, told), sample = contained(), run()
    for entry in sample.entries:
        picture.feed(entry)
    picture.judged(sample.verdict, final=True)
    assert (picture.whole().state, picture.has_stopped, told) == ("passed", False, [])
    assert picture.drawn() == picture.whole()


def test_a_fold_that_fails_stops_the_page_and_is_told_once(monkeypatch: pytest.MonkeyPatch):
    (picture, told), sample = contained(), run()
    half = len(sample.entries) // 2
    for entry in sample.entries[:half]:
        picture.feed(entry)
    before = picture.news()
    assert before["state"] == "running"
    monkeypatch.setattr(Roster, "feed", fail)
    for entry in sample.entries[half:]:
        picture.feed(entry)
    assert list(picture.drawing()) == []
    news = picture.news()
    assert (news["state"], news["sentence"]) == ("undrawn", SENTENCE)
    assert "lanes" not in news, "who looks keeps what was drawn"
    assert picture.news() == {}
    assert (picture.whole().state, picture.whole().lanes) == ("undrawn", {})
    picture.judged(sample.verdict, final=True)
    assert picture.is_final
    assert picture.news()["state"] == "passed"
    whole = picture.whole()
    assert (whole.state, whole.is_over) == ("passed", True)
    assert whole.sentence.startswith("Passed: ")
    assert whole.story[0].startswith("What is drawn is not all that happened: ghostjob itself failed")
    assert [each.startswith("the page stopped, as ghostjob itself failed: KeyError") for each in told] == [True]
    monkeypatch.undo()
    with pytest.raises(KeyError):
        picture.drawn()


def test_what_could_be_taken_in_is_drawn_for_the_report_though_the_live_page_has_stopped(
    monkeypatch: pytest.MonkeyPatch,
):
    (picture, told), sample = contained(), run()
    monkeypatch.setattr(Shown, "all", fail)
    entries: list[Entry] = list(sample.entries)
    for entry in entries:
        picture.feed(entry)
    assert picture.news()["state"] == "undrawn"
    monkeypatch.undo()
    assert picture.whole().state == "undrawn"
    assert len(told) == 1
    drawn = picture.drawn()
    assert drawn.lanes
    assert drawn.state == "ended"
