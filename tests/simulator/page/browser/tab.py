"""A tab of the browser with the page in it, and what a person sees in it."""

import json
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, ViewportSize

Json = dict[str, Any]

STATIC = Path(__file__).parents[4] / "simulator" / "page" / "static"
SHOW = """data => {
    showWhole(data);
    return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
LARGE: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}
READ = "each => each.innerText ?? each.textContent"
"""Pictures have no innerText."""
FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def written(data: Json) -> str:
    """The page in one file with that data in it."""
    page = (STATIC / "page.html").read_text("utf-8")
    page = re.sub(r'<link rel="stylesheet" href="(.*?)">', lambda found: f"<style>{_text(found[1])}</style>", page)
    page = re.sub(r'<script src="(.*?)"></script>', lambda found: f"<script>{_text(found[1])}</script>", page)
    inside = json.dumps(data).replace("<", "\\u003c")
    return page.replace('type="application/json">', f'type="application/json">{inside}')


def _text(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


class Tab:
    """`complaints` is what the page wrote to the console or threw since it was opened, `requests` what it asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.is_untouched = False
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    async def open(self, address: str) -> None:
        """Anew: in a large window, by day."""
        self.is_untouched = False
        await self.page.set_viewport_size(LARGE)
        await self.page.emulate_media(color_scheme="light")
        self.requests.clear()
        self.complaints.clear()
        await self.page.goto(address)

    def check_silence(self) -> None:
        """It has not complained, and has asked for nothing that is not in it."""
        assert self.complaints == []
        assert [each for each in self.requests if not each.startswith(("file:", "data:"))] == []

    async def show(self, data: Json) -> None:
        """Show that instead, and wait until it is drawn."""
        await self.page.evaluate(SHOW, data)

    async def drawn(self) -> None:
        """What was pressed has been drawn."""
        await self.page.evaluate(FRAME)

    async def text(self, selector: str) -> str:
        """What is to be read there, with single spaces."""
        return " ".join(str(await self.page.locator(selector).first.evaluate(READ)).split())

    async def texts(self, selector: str) -> list[str]:
        found = await self.page.locator(selector).evaluate_all(f"all => all.map({READ})")
        return [" ".join(str(each).split()) for each in found]

    async def sees(self, selector: str) -> bool:
        return await self.page.locator(selector).first.is_visible()

    async def count(self, selector: str) -> int:
        return await self.page.locator(selector).count()

    def at(self, selector: str) -> Locator:
        return self.page.locator(selector).first

    async def focused(self) -> str:
        """Which element has the focus: its id, or what it is called."""
        found = await self.page.evaluate(
            "() => (e => e.id || e.getAttribute('aria-label') || e.innerText || e.tagName)(document.activeElement)"
        )
        return str(found)
