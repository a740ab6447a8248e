"""A fault of ghostjob's own while the table is drawn costs the table alone, wherever in it that is."""

from collections.abc import Callable
from io import StringIO
from typing import NoReturn

import pytest
from rich.console import Console

from simulator.report.contained import STOPPED, ContainedRecent, ContainedTable
from simulator.report.live_columns import Columns
from simulator.report.live_table import LiveTable
from simulator.report.recent import Recent
from simulator.trace import CLOUD, ENGINE, Entry, JobCreated, RunEnded


def fail(*_: object, **__: object) -> NoReturn:
    raise KeyError("fw-3")


class Undrawable:
    """Only who draws it meets the fault."""

    __rich_console__ = fail


def drawn(table: LiveTable) -> str:
    console = Console(file=StringIO(), width=100, height=24)
    console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


CREATED = Entry(CLOUD, 1, 0.0, JobCreated("fw", None, ("thing-0",)))


@pytest.mark.parametrize(
    ("where", "instead"),
    [
        pytest.param((LiveTable, "feed"), fail, id="an entry comes"),
        pytest.param((Columns, "table"), fail, id="its rows are made"),
        pytest.param((Columns, "table"), lambda *_, **__: Undrawable(), id="its rows are drawn"),
    ],
)
def test_a_table_says_that_it_has_stopped_and_what_kept_it(
    where: tuple[type, str], instead: Callable[..., object], monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    table = ContainedTable("main", {"thing-0": None}, tell=told.append)
    assert "thing-0" in drawn(table)
    monkeypatch.setattr(*where, instead)
    for _ in range(2):
        table.feed(CREATED)
        assert drawn(table) == f"{STOPPED}\n"
    (sentence,) = told
    assert sentence.startswith("the table stopped, as ghostjob itself failed: KeyError: 'fw-3'")


def test_what_happened_last_is_lost_and_said_to_be(monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    recent = ContainedRecent(told.append)
    monkeypatch.setattr(Recent, "feed", fail)
    recent.feed(CREATED)
    recent.feed(Entry(ENGINE, 1, 0.0, RunEnded("finished")))
    assert list(recent.entries_of("thing-0")) == []
    (sentence,) = told
    assert sentence.startswith("what happened last is lost, as ghostjob itself failed: KeyError: 'fw-3'")
