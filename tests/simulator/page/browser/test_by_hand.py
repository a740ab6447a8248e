"""What hands do on the page: zoom, filter, click; and all of it with the keys alone."""

import json

import pytest

from tests.simulator.page.browser import made, parts
from tests.simulator.page.browser.tab import Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")

STRETCH = (
    "() => [Number(document.querySelector('#lanes').dataset.from), Number(document.querySelector('#lanes').dataset.to)]"
)


async def stretch(tab: Tab) -> tuple[float, float]:
    await tab.drawn()
    start, end = await tab.page.evaluate(STRETCH)
    return start, end


async def test_buttons_zoom(tab: Tab) -> None:
    await tab.show(made.failed())
    start, end = await stretch(tab)
    await tab.at("#zoom-in").click()
    near = await stretch(tab)
    assert near[1] - near[0] == pytest.approx((end - start) / 2, rel=0.01)
    await tab.at("#zoom-out").click()
    assert await stretch(tab) == pytest.approx((start, end), rel=0.01)
    await tab.at("#zoom-in").click()
    await tab.at("#zoom-all").click()
    assert await stretch(tab) == pytest.approx((start, end), rel=0.01)


async def test_what_goes_on_is_followed_for_a_minute_until_all_of_it_is_asked_for(tab: Tab) -> None:
    await tab.show({**made.running(), "now": 30})
    assert (await stretch(tab))[0] == 0
    await tab.page.evaluate("() => showNews({now: 300})")
    start, end = await stretch(tab)
    assert start == 240
    assert end > 300
    await tab.at("#zoom-all").click()
    assert (await stretch(tab))[0] == 0
    await tab.page.evaluate("() => showNews({now: 600})")
    start, end = await stretch(tab)
    assert start == 0
    assert end > 600
    await tab.at("#zoom-now").click()
    assert (await stretch(tab))[0] == 540


async def test_the_wheel_zooms_with_ctrl_around_where_it_is_and_otherwise_leaves_the_page_alone(tab: Tab) -> None:
    await tab.show(made.failed())
    before = await stretch(tab)
    lane = tab.at(".lane[data-thing=thing-0] > svg")
    await lane.scroll_into_view_if_needed()
    box = await lane.bounding_box()
    assert box is not None
    await tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    await tab.page.mouse.wheel(0, 120)
    assert await stretch(tab) == before
    await tab.page.keyboard.down("Control")
    await tab.page.mouse.wheel(0, -300)
    await tab.page.keyboard.up("Control")
    await tab.page.wait_for_function(f"before => ({STRETCH})()[1] < before", arg=before[1])
    start, end = await stretch(tab)
    assert before[0] < start < 1.8 < end < before[1]


async def test_dragging_moves_what_is_shown_and_is_no_click(tab: Tab) -> None:
    await tab.show(made.failed())
    await tab.at("#zoom-in").click()
    before = await stretch(tab)
    bar = await tab.at(".lane[data-thing=thing-0] .span[data-kind=executing]").bounding_box()
    assert bar is not None
    x, y = bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2
    await tab.page.mouse.move(x, y)
    await tab.page.mouse.down()
    await tab.page.mouse.move(x + 100, y, steps=4)
    await tab.page.mouse.up()
    start, end = await stretch(tab)
    assert start < before[0]
    assert end - start == pytest.approx(before[1] - before[0], rel=0.01)
    assert not await tab.sees("#raw")


async def test_a_click_shows_the_entry_in_words_and_as_it_is(tab: Tab) -> None:
    whole = made.failed()
    await tab.show(whole)
    sign = tab.at(".lane[data-thing=thing-0] .mark[data-kind=to-cloud]")
    event_id = await sign.get_attribute("data-event") or ""
    await sign.click()
    assert await tab.text("#raw h2") == event_id
    assert await tab.text("#raw .raw-text") == whole["entries"][event_id]["text"]
    assert json.loads(await tab.text("#raw pre")) == whole["entries"][event_id]["raw"]


async def test_an_entry_that_the_page_does_not_have_is_told_where_to_get(tab: Tab) -> None:
    whole = made.failed()
    whole["entries"] = {}
    await tab.show(whole)
    await tab.at(".flag[data-kind=deletion] text").click()
    assert "ghostjob trace OUT 'cloud#19'" in await tab.text("#raw")


async def test_evidence_of_several_entries_shows_each(tab: Tab) -> None:
    whole = made.failed()
    span = next(each for each in whole["lanes"]["thing-0"]["spans"] if each["kind"] == "undo")
    span["events"] = ["device/thing-0#15", "device/thing-0#16"]
    await tab.show(whole)
    await tab.at(".lane[data-thing=thing-0] .span[data-kind=undo]").click()
    await tab.at("#raw .events button:nth-child(2)").click()
    assert await tab.text("#raw h2") == "device/thing-0#16"


async def test_lanes_are_filtered_by_thing(tab: Tab) -> None:
    await tab.show(made.passed())
    await tab.at("#filter-thing").fill("THING-3")
    await tab.drawn()
    assert await tab.texts(".lane h3") == await tab.texts(".flash h4") == ["thing-3"]
    await tab.at("#filter-thing").fill("nobody")
    await tab.drawn()
    assert await tab.count(".lane") == 0
    assert await tab.text("#lanes-note") == "No device fits what is chosen above."


async def test_lanes_are_filtered_by_job(tab: Tab) -> None:
    await tab.show(made.failed())
    await tab.at("#filter-job").select_option(label="fw-next")
    await tab.drawn()
    assert (
        await tab.count(".lane .span[data-kind=QUEUED], .flag[data-kind=deletion], .lane .shade[data-shade=ghost]") == 0
    )
    assert await tab.texts(".flag text") == ["fw-next created"]
    assert await tab.count(".lane[data-thing=thing-0] .span[data-track=cloud]") == 1


async def test_lanes_are_filtered_by_namespace(tab: Tab) -> None:
    await tab.show(made.namespaces())
    assert await tab.texts("#filter-namespace option") == ["any", "(default)", "lab"]
    await tab.at("#filter-namespace").select_option(label="lab")
    await tab.drawn()
    assert await tab.texts(".lane h3") == ["thing-1"]
    assert await tab.count(".flag") == 0


async def test_news_changes_nothing_that_somebody_has_chosen(tab: Tab) -> None:
    whole = made.running()
    await tab.show(whole)
    await tab.at("#zoom-in").click()
    await tab.at("#filter-thing").fill("thing-1")
    await tab.at("#thing-controls summary").click()
    await tab.drawn()
    before = await stretch(tab)
    await tab.page.evaluate(
        "news => showNews(news)", {"now": 2.5, "sentence": "All know it.", "lanes.thing-1": parts.lane("thing-1", 1.5)}
    )
    assert await stretch(tab) == before
    assert await tab.text("#sentence") == "All know it."
    assert await tab.texts(".lane h3") == ["thing-1"]
    assert await tab.sees("#thing-buttons button")
    await tab.at("#zoom-all").click()
    await tab.drawn()
    assert await tab.count(".lane [data-kind=undo]") == 1


async def test_the_tab_key_reaches_everything_that_can_be_pressed(tab: Tab) -> None:
    await tab.show(made.failed() | {"controls": made.offered(), "matrix": made.certified()["matrix"]})
    wanted = await tab.page.evaluate(
        """() => {
            const all = document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]');
            const seen = [...all].filter(each => each.checkVisibility({visibilityProperty: true}));
            seen.forEach((each, index) => each.dataset.stop = index);
            return seen.length;
        }"""
    )
    await tab.page.evaluate(
        """() => {
            window.stops = new Set();
            document.addEventListener('focusin', event => stops.add(event.target.dataset.stop));
        }"""
    )
    for _ in range(wanted + 2):
        await tab.page.keyboard.press("Tab")
    missed = await tab.page.evaluate(
        """() => [...document.querySelectorAll('[data-stop]')]
            .filter(each => !stops.has(each.dataset.stop)).map(each => each.outerHTML.slice(0, 90))"""
    )
    assert missed == []


async def test_keys_go_from_event_to_event_and_show_what_was_sent(tab: Tab) -> None:
    await tab.show(made.failed())
    await tab.at(".lane[data-thing=thing-0] > svg").focus()
    await tab.page.keyboard.press("ArrowRight")
    first = await tab.focused()
    await tab.page.keyboard.press("ArrowRight")
    await tab.page.keyboard.press("ArrowRight")
    third = await tab.focused()
    assert first.startswith("0 s to 0.12 s, agent: idle")
    assert third not in {first, ""}
    held = await tab.page.evaluate("() => document.activeElement.dataset.event")
    await tab.page.keyboard.press("Enter")
    assert await tab.text("#raw h2") == held
    assert await tab.focused() == "raw"
    await tab.page.keyboard.press("Escape")
    assert not await tab.sees("#raw")
    assert await tab.focused() == third
    await tab.page.keyboard.press("ArrowDown")
    assert await tab.page.evaluate("() => document.activeElement.closest('.lane').dataset.thing") == "thing-1"


async def test_keys_zoom_and_move(tab: Tab) -> None:
    await tab.show(made.failed())
    start, end = await stretch(tab)
    await tab.at(".lane[data-thing=thing-0] > svg").focus()
    await tab.page.keyboard.press("+")
    near = await stretch(tab)
    assert near[1] - near[0] == pytest.approx((end - start) / 2, rel=0.01)
    await tab.page.keyboard.press("Shift+ArrowRight")
    moved = await stretch(tab)
    assert moved[0] > near[0]
    await tab.page.keyboard.press("0")
    assert await stretch(tab) == pytest.approx((start, end), rel=0.01)


async def test_a_diagram_and_its_messages_are_reached_with_keys(tab: Tab) -> None:
    await tab.show(made.failed())
    await tab.at("#invariants .to-diagram").focus()
    await tab.page.keyboard.press("Enter")
    assert await tab.focused() == "diagram-heading"
    await tab.at("#diagram .message").focus()
    await tab.page.keyboard.press("Enter")
    assert await tab.text("#raw h2") == "device/thing-1#1"
