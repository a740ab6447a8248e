"""Debian's Chromium, driven by Playwright: one browser for all tests here that run in one process.

Where it is missing, these are skipped; not in CI, where it must not.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.simulator.page.browser.tab import Tab, written

CHROMIUM = shutil.which("chromium")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skip(reason="there is no Chromium: apt-get install chromium")
    for item in items:
        if item.path.parent == HERE and CHROMIUM is None and "CI" not in os.environ:
            item.add_marker(missing)


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def browser() -> AsyncIterator[Browser]:
    assert CHROMIUM is not None, "there is no Chromium: apt-get install chromium"
    async with async_playwright() as playwright:
        # As root it runs only without its sandbox; what it is shown is ours. The others spare it processes.
        opened = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--in-process-gpu",
                "--no-zygote",
                "--disable-features=site-per-process",
            ],
        )
        yield opened
        await opened.close()


@pytest.fixture(scope="package")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page in one file, without data."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(written({}), "utf-8")
    return path


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def one_tab(browser: Browser) -> AsyncIterator[Tab]:
    async with await browser.new_context(reduced_motion="reduce") as context:
        yield Tab(await context.new_page())


@pytest_asyncio.fixture(loop_scope="package")
async def tab(one_tab: Tab, report: Path) -> AsyncIterator[Tab]:
    """The report in a browser, to be shown data. In the end it has not complained, and has asked for nothing."""
    await one_tab.open(report.as_uri())
    yield one_tab
    one_tab.check_silence()


@pytest_asyncio.fixture(loop_scope="package")
async def untouched(one_tab: Tab, report: Path) -> AsyncIterator[Tab]:
    """The same, for a test that looks and touches nothing: not opened again if another such test had it before."""
    if not one_tab.is_untouched:
        await one_tab.open(report.as_uri())
    one_tab.is_untouched = True
    yield one_tab
    one_tab.check_silence()
