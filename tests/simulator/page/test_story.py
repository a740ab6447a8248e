"""The story: what it says of runs, word for word, and what is said while one goes on."""

from itertools import pairwise

import pytest

from simulator.cli.cast import Cast
from simulator.engines.judged import JudgedPlay
from simulator.engines.virtual import VirtualVenue
from simulator.engines.virtual_time import run_virtually
from simulator.page import english
from simulator.page.orders import Offered
from simulator.page.picture import Picture
from simulator.scenario import load
from simulator.trace import Entry, ExecutionRemoved, JobDeletionBegan
from tests.simulator.page.samples import Run, part, run

WHO_DID_WHAT = [
    pytest.param(
        run,
        [
            "At 0.33 s fw and at 0.35 s fw-lab were force-deleted, each while 5 of 10 devices wrote it to flash.",
            "They found out 0.016 s to 0.063 s later.",
            "10 devices took back what had been done.",
            "All 10 devices took the next job after 0.12 s to 0.25 s.",
        ],
        id="the main job",
    ),
    pytest.param(
        lambda: run("delete-in-write", devices=1),
        [
            "At 0.38 s fw was force-deleted while thing-0 wrote it to flash.",
            "thing-0 found out 0.044 s later.",
            "thing-0 took back what had been done.",
            "thing-0 took the next job after 0.15 s.",
        ],
        id="one device",
    ),
    pytest.param(
        lambda: run("delete-in-write", "recovers-without-undoing", 2),
        [
            "At 0.38 s fw was force-deleted while both devices wrote it to flash.",
            "They found out 0.043 s to 0.044 s later.",
            "2 devices dropped it, and took nothing back.",
            "Both devices took the next job after 0.048 s to 0.049 s.",
            "thing-0 and thing-1 broke bootable: is idle with download, spare slot half done.",
        ],
        id="devices that undo nothing",
    ),
    pytest.param(
        lambda: run("delete-while-powerless", devices=10),
        [
            "At 0.63 s fw was force-deleted while 7 of 10 devices had no power; "
            "at 0.65 s fw-lab was force-deleted while 3 of 10 devices had no power.",
            "They found out 1.2 s later.",
            "All 10 devices lost their power.",
            "10 devices took back what had been done.",
            "All 10 devices took the next job after 0.12 s to 0.13 s.",
        ],
        id="without power",
    ),
    pytest.param(
        lambda: run("delete-before-start", devices=2),
        [
            "At 0.12 s waiting was force-deleted while thing-0 had it waiting; at 0.13 s waiting-lab was force-deleted "
            "while thing-1 had it waiting."
        ],
        id="before it had begun",
    ),
    pytest.param(lambda: run("bad-hash", devices=3), ["No job was deleted."], id="nothing was deleted"),
    pytest.param(
        lambda: run("cancel-then-delete", devices=2),
        ["At 0.33 s fw was cancelled by force; at 0.35 s fw was deleted; 2 others followed."],
        id="cancelled",
    ),
]


@pytest.mark.parametrize(("played", "sentences"), WHO_DID_WHAT)
def test_the_story_says_what_happened(played, sentences: list[str]):
    assert list(played().picture.whole().story) == sentences


def told(played: Run) -> list[str]:
    """What is said while a run goes on, each once."""
    picture = Picture("", "", "run")
    sentences = [picture.whole().sentence]
    for entry in played.entries:
        picture.feed(entry)
        sentences.append(picture.whole().sentence)
    return [first for first, then in pairwise([*sentences, ""]) if first != then]


def test_while_it_goes_on_it_is_said_what_is_going_on():
    assert told(run("delete-in-write", devices=1)) == [
        "No device has come by yet.",
        "thing-0 is off line.",
        "thing-0 waits for a job.",
        "thing-0 works on fw.",
        "thing-0 does not know yet that fw is gone.",
        "thing-0 asks whether the job is still there.",
        "thing-0 takes back what was done.",
        "thing-0 waits for a job.",
        "thing-0 works on fw-next.",
        "thing-0 asks whether the job is still there.",
        "thing-0 works on fw-next.",
        "thing-0 waits for a job.",
        "The run is over (finished), and is being judged.",
    ]


def test_who_does_not_know_yet_is_told():
    def removed_twice(entry: Entry) -> bool:
        return isinstance(entry.event, ExecutionRemoved) and entry.event.thing == "thing-2"

    page = part(run(), removed_twice)
    assert page.sentence == "2 of 10 devices do not know yet that fw is gone."
    assert page.story[-1] == "None of the 2 has been told yet."
    assert {span.kind for span in page.lanes["thing-2"].spans if span.end is None} >= {"ghost", "executing", "step"}


def test_who_works_on_what_is_told_of_each_job():
    page = part(run(), lambda entry: isinstance(entry.event, JobDeletionBegan))
    assert page.sentence == "5 of 10 devices work on fw and 5 on fw-lab."


def test_a_pause_is_told_before_all_else_until_it_is_over():
    picture = run("delete-in-write", devices=1).picture
    picture.offered(Offered(paused_at="thing-0 is erasing slot B"))
    assert picture.whole().sentence.startswith("Passed: ")
    going_on = Picture("", "", "run")
    going_on.offered(Offered(paused_at="thing-0 is erasing slot B"))
    assert going_on.whole().sentence == "Paused: thing-0 is erasing slot B."
    assert "controls" in going_on.news()


def test_a_deletion_is_told_before_any_record_goes():
    page = part(run(), lambda entry: isinstance(entry.event, JobDeletionBegan))
    assert page.story == ("At 0.33 s fw was force-deleted.",)
    assert [line.text for line in page.lines][-1] == "fw is force-deleted: all 5 devices reported write 50%"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0.0, "0 s"), (0.0421, "0.042 s"), (0.5, "0.50 s"), (1.24, "1.2 s"), (59.94, "59.9 s"), (95.2, "95 s")],
)
def test_seconds_have_as_many_digits_as_say_something(number: float, words: str):
    assert english.seconds(number) == words


@pytest.mark.parametrize(
    ("parts", "words"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (list("abcde"), "a, b and 3 more")],
)
def test_of_a_long_list_the_first_are_named(parts: list[str], words: str):
    assert english.listed(parts) == words


def test_of_those_that_play_side_by_side_it_is_said_which_are_bad():
    cast = Cast(load("hanging-image"), 6).beside("commits-without-a-trial")
    picture = Picture("hanging-image", "", "run")
    venue = VirtualVenue(cast.scenario, 1)
    with JudgedPlay(cast.scenario, venue, cast.devices, seed=1, also=(picture.feed,), groups=cast.groups) as play:
        result = run_virtually(play.result())
    picture.judged(result.verdict, final=True)
    assert picture.whole().story == (
        "No job was deleted.",
        "thing-3 (bad) is bricked and has nothing left to boot from.",
        "thing-3 (bad) broke bootable: had nothing whole to boot from, at version 1.0; "
        "2 other invariants were broken, too.",
    )
    assert [each.thing for each in picture.whole().things if each.bricked] == ["thing-3"]
