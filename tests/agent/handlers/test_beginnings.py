"""A step in which the agent dies again and again is not begun for ever; one that loses power, or gets on, is."""

from pathlib import Path

import pytest

from agent.causes import Cause
from agent.handlers import beginnings
from agent.handlers.beginnings import MOST_CUTS, NOTE, Beginning
from agent.handlers.handler import StepError


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The machine's boot, the last of the list."""
    boots = ["first"]
    monkeypatch.setattr(beginnings, "boot_id", lambda: boots[-1])
    return boots


def begun(aside: Path, what: str = "do 1") -> Beginning:
    beginning = Beginning(aside, what)
    beginning.put_on_record()
    return beginning


def test_after_two_deaths_it_is_not_begun_again_however_often_that_is_tried(tmp_path: Path, boot: list[str]):
    begun(tmp_path)
    begun(tmp_path)
    for _ in range(3):
        with pytest.raises(StepError, match="the agent died 2 times while it did this: not begun again") as refused:
            begun(tmp_path)
        assert refused.value.cause is Cause.KILLED


def test_a_power_cut_is_no_death_of_the_agent_alone_but_they_are_not_without_end_either(
    tmp_path: Path, boot: list[str]
):
    begun(tmp_path)
    for number in range(MOST_CUTS - 1):
        boot.append(f"after cut {number}")
        begun(tmp_path)
    boot.append("the last")
    with pytest.raises(StepError, match=f"the machine went down {MOST_CUTS} times in this"):
        begun(tmp_path)


def test_kills_are_counted_beside_cuts(tmp_path: Path, boot: list[str]):
    begun(tmp_path)
    begun(tmp_path)
    boot.append("second")
    begun(tmp_path)
    with pytest.raises(StepError, match="the agent died 2 times"):
        begun(tmp_path)


def test_where_boots_have_no_names_every_death_counts_as_a_kill(tmp_path: Path, boot: list[str]):
    boot.append("")
    begun(tmp_path)
    begun(tmp_path)
    with pytest.raises(StepError, match="died 2 times"):
        begun(tmp_path)


def test_another_step_or_an_undoing_begins_to_count_anew(tmp_path: Path, boot: list[str]):
    for what in ("do 1", "do 1", "do 2", "do 2", "undo 2", "undo 2"):
        begun(tmp_path, what)
    with pytest.raises(StepError, match="died 2 times"):
        begun(tmp_path, "undo 2")


def test_an_attempt_that_came_to_an_end_is_no_death(tmp_path: Path, boot: list[str]):
    for _ in range(5):
        begun(tmp_path).ended()
    assert not (tmp_path / NOTE).exists()


def test_what_gets_further_each_time_may_die_as_often_as_it_likes(tmp_path: Path, boot: list[str]):
    for percent in range(5, 100, 5):
        begun(tmp_path).got_to(percent)
    begun(tmp_path).got_to(10)
    with pytest.raises(StepError, match="died"):
        begun(tmp_path)


def test_a_note_that_makes_no_sense_is_none(tmp_path: Path, boot: list[str]):
    for text in ("", "{", "[]", '{"what": "do 1", "kills": "many", "cuts": null, "boot": 7}'):
        (tmp_path / NOTE).write_text(text)
        begun(tmp_path)
        begun(tmp_path)
        with pytest.raises(StepError, match="died 2 times"):
            begun(tmp_path)
