"""The short form of `python -m tests.hostile journals`."""

import pytest

from tests.hostile import journals
from tests.hostile.report import Bounds


async def test_no_damage_to_a_journal_is_a_traceback_a_program_run_twice_or_a_start_without_a_word():
    report = await journals.attack(Bounds(seed=1, count=300, seconds=600))
    assert report.findings == []
    assert report.tried == 300


async def test_an_agent_that_takes_the_last_record_for_the_newest_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journals, "number_of", lambda record: 0)
    report = await journals.attack(Bounds(seed=1, count=300, seconds=600))
    assert any("not a word" in finding for finding in report.findings)
