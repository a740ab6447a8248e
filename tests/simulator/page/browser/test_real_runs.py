"""Reports of real runs, as `report_html` writes them: what a person sees is what the page's data say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.page import offline
from tests.simulator.page import samples
from tests.simulator.page.browser.tab import Tab

pytestmark = pytest.mark.asyncio(loop_scope="package")

RUNS: dict[str, Callable[[], Any]] = {
    **{name: samples.SAMPLES[name] for name in ("empty", "running", "bricked", "powerless", "certification")},
    "fleet": lambda: samples.run(devices=120).picture.whole(),
}


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Any:
    """Of that run. It is played here, where no loop runs: virtual time has one of its own."""
    return RUNS[request.param]()


@pytest.mark.parametrize("page", list(RUNS), indirect=True)
async def test_a_report_opens_off_line_and_shows_what_it_is_told(tab: Tab, tmp_path: Path, page: Any) -> None:
    (tmp_path / "report.html").write_text(offline.report_html(page), "utf-8")
    await tab.open((tmp_path / "report.html").as_uri())
    await tab.drawn()
    assert await tab.at("#state").get_attribute("data-state") == page.state
    assert await tab.text("#sentence") == page.sentence
    assert await tab.texts("#story li") == list(page.story)
    assert await attributes(tab, "#invariants > li", "id", "outcome") == [
        [each.id, each.outcome] for each in sorted(page.invariants, key=lambda each: ORDER.index(each.outcome))
    ]
    cells = page.matrix.cells if page.matrix else ()
    assert sorted(await attributes(tab, "[data-cell]:is(button)", "cell", "outcome")) == sorted(
        [each.id, each.outcome] for each in cells
    )
    assert await tab.sees("#crowd") is (page.crowd is not None)
    bricks = [thing.thing for thing in page.things if thing.bricked]
    assert [
        thing for thing, bricked in await attributes(tab, ".lane", "thing", "bricked") if bricked == "true"
    ] == bricks


@pytest.mark.parametrize("page", ["powerless"], indirect=True)
async def test_each_lane_of_a_real_run_has_its_deletion_and_what_its_device_did_not_know(tab: Tab, page: Any) -> None:
    await tab.show(json.loads(page.model_dump_json(by_alias=True)))
    things = [thing.thing for thing in page.things]
    for kind in ("ghost", "off"):
        shaded = await tab.page.locator(f".lane:has(.shade[data-shade={kind}])").evaluate_all(
            "lanes => lanes.map(lane => lane.dataset.thing)"
        )
        assert shaded == things, kind
    assert await tab.count(".through[data-kind=deletion]") == len(things) * sum(
        line.kind == "deletion" for line in page.lines
    )


@pytest.mark.parametrize("page", ["bricked"], indirect=True)
async def test_any_message_of_a_real_run_is_shown_as_it_stands_in_the_trace(tab: Tab, page: Any) -> None:
    await tab.show(json.loads(page.model_dump_json(by_alias=True)))
    await tab.at("#filter-thing").fill("thing-0")
    await tab.drawn()
    bar = tab.at(".lane .span[data-kind=bricked]")
    event_id = await bar.get_attribute("data-event") or ""
    await bar.click()
    assert json.loads(await tab.text("#raw pre")) == json.loads(json.dumps(page.entries[event_id].raw))


ORDER = ("violated", "undecided", "held", "not-exercised")


async def attributes(tab: Tab, selector: str, *names: str) -> list[list[str]]:
    """Of each such element its `data-` attributes of these names."""
    found = await tab.page.locator(selector).evaluate_all(
        "(all, names) => all.map(each => names.map(name => each.dataset[name]))", list(names)
    )
    return [[str(value) for value in each] for each in found]
