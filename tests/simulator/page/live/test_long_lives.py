"""What a page remembers is bounded, whoever comes by, and for however long a cloud or an open play goes on."""

import gc
import json
from collections.abc import Iterator, Sequence
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest

from agent.values import ExecutionKey
from simulator.page import happenings, losses, roster
from simulator.page import picture as picture_module
from simulator.page.picture import Picture
from simulator.trace import CLOUD, Entry, ExecutionQueued, RunEnded, RunStarted, read_line, write_line
from tests.simulator.page import samples
from tests.simulator.page.shown import applied, dumped, news, same

THINGS, ENTRIES = 1_000, 40


def test_of_many_who_come_by_the_page_of_a_cloud_remembers_little_each(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roster, "KEPT", 1_000)
    picture = Picture("cloud", "", "cloud")
    number = 0
    for round_ in range(ENTRIES):
        for index in range(THINGS):
            number += 1
            key = ExecutionKey(None, f"job-{round_}", 1, round_)
            picture.feed(Entry(CLOUD, number, number / 100, ExecutionQueued(f"thing-{index}", key)))
    devices = picture._roster.devices.values()
    assert len(devices) == THINGS
    crowd = [device for number, device in enumerate(devices) if number >= roster.MANY]
    assert {len(device.kept) for device in crowd} == {roster.FEWEST}
    assert len(picture.whole().lanes) == roster.SHOWN


DEVICES, SECONDS = 4, 10.0


def rounds(entries: Sequence[Entry], number: int) -> Iterator[Iterator[Entry]]:
    """The same over and over, each time later, of jobs of their own, and asked for with tokens of their own."""
    told = [(entry, write_line(entry)) for entry in entries]
    last: dict[str, int] = {}
    for entry in entries:
        last[entry.source] = max(last.get(entry.source, 0), entry.n)
    for count in range(number):
        yield (_later(entry, line, count, last[entry.source]) for entry, line in told)


def _later(entry: Entry, line: str, count: int, numbers: int) -> Entry:
    text = line.replace('"fw', f'"fw{count}').replace('"client_token":"', f'"client_token":"{count}/')
    told = json.loads(text) | {"at": entry.at + count * SECONDS, "n": entry.n + count * numbers}
    again = read_line(json.dumps(told))
    assert again is not None
    return again


def test_jobs_that_are_long_over_leave_the_page_of_a_play_that_goes_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roster, "LEAST", 40)
    monkeypatch.setattr(happenings, "LINES", 40)
    monkeypatch.setattr(losses, "LOSSES", 8)
    monkeypatch.setattr(roster, "DRAWN", DEVICES * 160)
    entries = samples.run(devices=DEVICES).entries
    started = next(entry for entry in entries if isinstance(entry.event, RunStarted))
    picture = Picture("lab", "", "run")
    picture.feed(started)
    body = [entry for entry in entries if not isinstance(entry.event, RunStarted | RunEnded)]
    sizes = []
    for again in rounds(body, 20):
        for entry in again:
            picture.feed(entry)
        sizes.append(len(picture.whole().model_dump_json()))
    page = picture.whole()
    assert max(sizes[15:]) < 1.1 * max(sizes[:15]), sizes
    shown = {part.job for lane in page.lanes.values() for part in (*lane.spans, *lane.marks)}
    assert {"fw19", "fw19-next"} <= shown
    assert not {f"fw{number}{job}" for number in range(10) for job in ("", "-lab", "-next", "-lab-next")} & shown
    assert all(lane.dropped for lane in page.lanes.values())


def reached(root: object) -> int:
    """How many objects are kept alive by one, as the collector counts them; what is kept by types is anybody's."""
    seen: dict[int, object] = {}
    left = [root]
    while left:
        each = left.pop()
        if id(each) not in seen and not isinstance(each, type | ModuleType | FunctionType | BuiltinFunctionType):
            seen[id(each)] = each
            left += gc.get_referents(each)
    return len(seen)


def test_of_a_play_that_has_gone_on_for_long_news_are_what_came(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(roster, "LEAST", 100)
    monkeypatch.setattr(roster, "DRAWN", DEVICES * 100)
    monkeypatch.setattr(picture_module, "EXTRA", 100)
    entries = samples.run(devices=DEVICES).entries
    picture = Picture("lab", "", "run")
    picture.feed(next(entry for entry in entries if isinstance(entry.event, RunStarted)))
    body = [entry for entry in entries if not isinstance(entry.event, RunStarted | RunEnded)]
    known = dumped(picture)
    sizes: list[list[int]] = []
    kept: list[int] = []
    for again in rounds(body, 9):
        sizes.append([])
        for number, entry in enumerate(again):
            picture.feed(entry)
            if not number % 24:
                told = news(picture)
                applied(known, told)
                sizes[-1].append(len(json.dumps(told)))
        if len(sizes) in (5, 9):
            kept.append(reached(picture))
    applied(known, news(picture))
    same(known, dumped(picture))
    assert len(known["entries"]) <= len(picture.whole().entries) + 100
    assert all(lane.dropped for lane in picture.whole().lanes.values())
    # It has forgotten a part of all that it was told from the third round on, and goes on forgetting.
    assert kept[1] < 1.2 * kept[0], kept
    mean = [sum(round_) / len(round_) for round_ in sizes]
    assert max(mean[6:]) < 1.2 * max(mean[3:6]), mean
    assert max(max(round_) for round_ in sizes[3:]) < len(json.dumps(dumped(picture))) / 8
