"""Who looks at the live page: when they are told what there is to tell."""

import asyncio

import pytest

from simulator.page.live import lookers as live_lookers
from simulator.page.live.lookers import Lookers
from simulator.page.live.server import ended
from simulator.page.picture import Picture
from tests.simulator.page.live.asking import SECONDS
from tests.simulator.page.samples import Run, run
from tests.within import within


@pytest.fixture
def played() -> Run:
    """In a loop of its own."""
    return run()


@pytest.fixture
def long_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    """News are not made again for ages."""
    monkeypatch.setattr(live_lookers, "NEWS_SPARING", 1e12)
    monkeypatch.setattr(live_lookers, "CHEAP_SECONDS", -1.0)
    monkeypatch.setattr(live_lookers, "FEW_SPARED", 1e12)
    monkeypatch.setattr(live_lookers, "SELDOM_SECONDS", 1e9)


@pytest.mark.usefixtures("long_spared")
async def test_however_long_news_are_spared_who_comes_is_told_at_once():
    lookers = Lookers(Picture("", "", "run"), lambda: None)
    telling = asyncio.create_task(lookers.keep_telling())
    try:
        for _ in range(3):
            looker = lookers.join()
            assert looker is not None
            whole = await within(looker.next(), SECONDS)
            assert whole is not None
            assert whole.startswith(b"event: whole")
    finally:
        await ended(telling)


@pytest.mark.usefixtures("long_spared")
async def test_however_long_news_are_spared_the_end_is_told_at_once(played: Run):
    picture = Picture("", "", "run")
    lookers = Lookers(picture, lambda: None)
    looker = lookers.join()
    assert looker is not None
    telling = asyncio.create_task(lookers.keep_telling())
    try:
        whole = await within(looker.next(), SECONDS)
        for entry in played.entries:
            picture.feed(entry)
        picture.judged(played.verdict, final=True)
        news = await within(looker.next(), SECONDS)
    finally:
        await ended(telling)
    assert whole is not None
    assert b'"state":"waiting"' in whole
    assert news is not None
    assert b'"state":"passed"' in news
