"""WCAG 2 at the levels A and AA, as axe-core checks it; and what it cannot check: what is written on bars."""

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.simulator.page.browser import made
from tests.simulator.page.browser.tab import PHONE, Json, Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")

LEVELS: Json = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a"], "resultTypes": ["violations"]}
AA = 4.5
"""The contrast of text that is not large."""


def everything() -> Json:
    """A page that has all there is: a brick, a violation, a matrix, a fleet, buttons and a pause."""
    whole = made.failed()
    fleet = made.fleet()
    controls = made.offered(paused_at="thing-1 is erasing slot A", also=["add-device", "go", "slow"])
    return {
        **whole,
        "matrix": made.certified()["matrix"],
        "crowd": fleet["crowd"],
        "times": fleet["times"],
        "controls": controls,
    }


async def violations(tab: Tab, **only: str) -> list[str]:
    found = await Axe().run(tab.page, context=only or None, options=LEVELS)
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("way", ["by day", "by night", "on a phone"])
async def test_all_there_is_has_no_violations(tab: Tab, way: str) -> None:
    if way == "by night":
        await tab.page.emulate_media(color_scheme="dark")
    if way == "on a phone":
        await tab.page.set_viewport_size(PHONE)
    await tab.show(everything())
    await tab.page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")
    await tab.drawn()
    assert await violations(tab) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_opens_has_no_violations(tab: Tab, scheme: str) -> None:
    await tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await tab.show(made.running())
    await tab.at(".lane .span[data-kind=executing]").click()
    assert await violations(tab, include="#raw") == []
    await tab.page.keyboard.press("Escape")
    await tab.at("button[data-do=force-delete]").click()
    assert await violations(tab, include="#ask") == []
    await tab.page.keyboard.press("Escape")


async def test_the_verdict_can_be_read_in_every_state(untouched: Tab) -> None:
    for data in (made.waiting, made.running, made.passed, made.inconclusive, made.ended, made.undrawn):
        whole = data()
        await untouched.show({name: whole[name] for name in ("state", "sentence", "title")})
        assert await violations(untouched, include="#verdict") == [], data


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_is_written_on_a_bar_or_a_flag_stands_out_from_it(tab: Tab, scheme: str) -> None:
    await tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await tab.show(made.every_kind())
    found = await tab.page.evaluate(CONTRASTS)
    assert len(found) > 15
    assert [each for each in found if each[1] < AA] == []


CONTRASTS = """() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const light = colour => {
        const [red, green, blue] = numbers(colour).map(channel);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const contrast = (one, other) => {
        const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05);
    };
    return [...document.querySelectorAll('.lane .span, .flag')].flatMap(bar => {
        const text = getComputedStyle(bar.querySelector('text'));
        const ground = getComputedStyle(bar.querySelector('rect')).fill;
        if (!bar.querySelector('text').textContent || !ground.startsWith('rgb(')) return [];
        return [[bar.dataset.kind, contrast(text.fill, ground)]];
    });
}"""
