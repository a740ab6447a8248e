"""The page of a certification in a real browser, beside a device that somebody else has written: what fills in while it
is played, what can be pressed, and what is said in the end.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.async_api import Browser

from simulator.certify.certificate import Certificate
from simulator.certify.matrix import QUICK
from tests.cli.certifying import Certifying
from tests.devices.commands import argv
from tests.simulator.page.browser.tab import LARGE, Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")

FIRST, SECOND = (cell.id for cell in QUICK[:2])
PATIENCE_SECONDS = 120.0
"""Of who waits for a device on a busy machine."""


class Session(NamedTuple):
    """A certification with its page, whose device waits at the gate until somebody opens it."""

    certify: Certifying
    tab: Tab
    directory: Path

    async def stands_before_the_first_cell(self) -> None:
        """Somebody wants it to stop before the device has come, which then may."""
        await self.tab.at("button[data-do=pause]").click()
        await self.tab.page.get_by_text("Paused: not yet, but as soon as the first job is done").first.wait_for()
        (self.directory / "open").touch()
        await asyncio.to_thread((self.directory / "gate").write_text, "open\n")
        await self.tab.at("#paused button[data-do=go]").wait_for()
        await self.tab.page.get_by_text(f"Paused: between two cells; {FIRST} is next").first.wait_for()

    async def ended_by_itself(self) -> tuple[int, Certificate]:
        """As soon as nothing but its page is left, that is closed, too."""
        assert self.certify.process.stderr is not None
        await asyncio.to_thread(self._until_its_page_is_left, self.certify.process.stderr)
        return await self.ended()

    @staticmethod
    def _until_its_page_is_left(said: Iterable[str]) -> None:
        assert any("the page stays up" in line for line in said)

    async def ended(self) -> tuple[int, Certificate]:
        """Its page is closed: the exit code, and what was said last."""
        await self.tab.page.close()  # or it would complain that nobody is there
        self.certify.process.send_signal(signal.SIGTERM)
        code, out, _ = await asyncio.to_thread(self.certify.end)
        told = [json.loads(line)["certificate"] for line in out.splitlines() if '"event": "certificate"' in line]
        return code, Certificate.model_validate(told[-1])


@asynccontextmanager
async def certifying(browser: Browser, directory: Path) -> AsyncIterator[Session]:
    """A session of two cells. In the end the page has not complained, and has asked nobody but the session."""
    os.mkfifo(directory / "gate")
    device = argv("paho", flash=directory / "flash", certs=directory / "certs", step_seconds=0.2)
    command = ("sh", "-c", f'[ -e {directory}/open ] || read -r _ < {directory}/gate; exec "$@"', "device", *device)
    options = ("--thing", "pump-7", "--only", FIRST, "--only", SECOND, "--json", "--page")
    with Certifying(directory, *options, command=command) as certify:
        url = (await asyncio.to_thread(certify.until, "page"))["url"]
        async with await browser.new_context(viewport=LARGE, reduced_motion="reduce") as context:
            context.set_default_timeout(PATIENCE_SECONDS * 1000)
            tab = Tab(await context.new_page())
            await tab.open(url)
            session = Session(certify, tab, directory)
            try:
                yield session
            finally:
                if certify.process.poll() is None:  # who is killed leaves the device behind
                    await session.ended()
            assert tab.complaints == []
            assert [each for each in tab.requests if not each.startswith((url, "data:"))] == []


async def outcomes(tab: Tab) -> dict[str, str]:
    """Of all cells that are in sight."""
    return dict(
        await tab.page.locator("#matrix [data-cell]").evaluate_all(
            "all => all.map(each => [each.dataset.cell, each.dataset.outcome])"
        )
    )


async def test_cells_fill_in_under_a_real_device_and_the_verdict_is_one_sentence(browser: Browser, tmp_path: Path):
    async with certifying(browser, tmp_path) as session:
        tab = session.tab
        await session.stands_before_the_first_cell()
        assert await outcomes(tab) == {FIRST: "pending", SECOND: "pending"}
        await tab.at(f"[data-cell='{FIRST}']").click()
        assert await tab.text("#cell h3") == f"to come {FIRST}"
        await tab.at("#paused button[data-do=go]").click()
        await tab.at(f"[data-cell='{FIRST}'][data-outcome=passed]").wait_for()
        assert "It took" in await tab.text("#cell"), "what is chosen stays so, and says what came of it"
        await tab.at("#state[data-state=passed]").wait_for()
        assert await outcomes(tab) == {FIRST: "passed", SECOND: "passed"}
        assert await tab.text("#sentence") == "Passed: 2 of 2 cells passed."
        assert not await tab.sees("#controls"), "there is nothing left to press"
        code, certificate = await session.ended_by_itself()
    assert (code, certificate.outcome) == (0, "passed")


async def test_a_click_shows_what_a_real_device_sent(browser: Browser, tmp_path: Path):
    async with certifying(browser, tmp_path) as session:
        tab = session.tab
        await session.stands_before_the_first_cell()
        assert await tab.texts(".lane .thing") == ["pump-7"]
        await tab.page.locator(".lane .mark[data-kind=to-cloud]").last.click()  # others may lie under the next
        assert json.loads(await tab.text("#raw pre"))["thing"] == "pump-7"
        await tab.page.keyboard.press("Escape")
        assert not await tab.sees("#raw")


async def test_it_ends_early_once_that_was_confirmed_and_says_so(browser: Browser, tmp_path: Path):
    async with certifying(browser, tmp_path) as session:
        tab = session.tab
        await session.stands_before_the_first_cell()
        await tab.at("button[data-do=end]").click()
        assert "What was certified by now is kept" in await tab.text("#ask-sentence")
        await tab.at("#ask button[value=no]").click()
        assert await tab.at("#state").get_attribute("data-state") == "running"
        await tab.at("button[data-do=end]").click()
        await tab.at("#ask button[value=yes]").click()
        await tab.at("#state[data-state=inconclusive]").wait_for()
        assert "somebody ended the session on its page" in await tab.text("#sentence")
        code, certificate = await session.ended_by_itself()
    assert (code, certificate.outcome) == (3, "inconclusive")
