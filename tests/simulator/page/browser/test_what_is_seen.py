"""What a person sees of each kind of page."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.page.data import PageData
from simulator.page.offline import report_html
from tests.simulator.page.browser import made, parts
from tests.simulator.page.browser.tab import PHONE, Json, Tab, written

pytestmark = pytest.mark.asyncio(loop_scope="package")

STATES: list[tuple[Callable[[], Json], str, str]] = [
    (made.waiting, "waiting", "Waiting"),
    (made.running, "running", "Running"),
    (made.passed, "passed", "Passed"),
    (made.failed, "failed", "Failed"),
    (made.inconclusive, "inconclusive", "Inconclusive"),
    (made.ended, "ended", "Ended"),
    (made.undrawn, "undrawn", "Page stopped"),
]


@pytest.mark.parametrize(("data", "state", "word"), STATES, ids=[state for _, state, _ in STATES])
async def test_the_verdict_is_a_word_and_a_sentence(
    untouched: Tab, data: Callable[[], Json], state: str, word: str
) -> None:
    shown = data()
    await untouched.show(shown)
    assert await untouched.at("#state").get_attribute("data-state") == state
    assert (await untouched.text("#state")).casefold() == word.casefold()
    assert await untouched.text("#sentence") == shown["sentence"]
    assert (await untouched.page.title()).startswith(word)
    assert await untouched.texts("#story li") == shown.get("story", [])


async def test_the_report_has_its_data_inside_and_shows_it_when_it_is_opened(tab: Tab, tmp_path: Path) -> None:
    whole = made.failed()
    (tmp_path / "report.html").write_text(written(whole), "utf-8")
    await tab.open((tmp_path / "report.html").as_uri())
    await tab.drawn()
    assert await tab.text("#sentence") == whole["sentence"]
    assert await tab.count(".lane") == 3


async def test_data_that_is_packed_is_shown_as_well(tab: Tab, tmp_path: Path) -> None:
    whole = made.failed()
    whole["entries"]["cloud#9"] = {"at": 0, "source": "cloud", "type": "x", "text": "é" * 1_000_000, "raw": {}}
    (tmp_path / "report.html").write_text(report_html(PageData.model_validate(whole)), "utf-8")
    await tab.open((tmp_path / "report.html").as_uri())
    await tab.at(".lane").wait_for()
    assert await tab.text("#sentence") == whole["sentence"]
    assert await tab.count(".lane") == 3


async def test_a_job_that_waits_does_not_hide_the_one_in_progress(tab: Tab) -> None:
    whole = made.running()
    lane = whole["lanes"]["thing-0"]
    lane["spans"] = [
        parts.span("cloud", 0.1, None, "IN_PROGRESS", "fw IN_PROGRESS", events=["cloud#10"]),
        parts.span("cloud", 0.2, None, "QUEUED", "fw-2 QUEUED", job="fw-2", events=["cloud#11"]),
    ]
    lane["marks"] = []
    await tab.show(whole)
    above = await tab.page.evaluate(
        """() => {
            const span = document.querySelector(".lane[data-thing=thing-0] .span[data-kind=QUEUED]");
            const box = span.getBoundingClientRect();
            const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return seen.closest(".span").dataset.kind;
        }"""
    )
    assert above == "IN_PROGRESS"


async def test_what_devices_are_called_is_text_and_never_markup(tab: Tab, tmp_path: Path) -> None:
    whole = made.page(["<img src=x onerror=alert(1)>"])
    whole["sentence"] = "</script><b>bold</b>"
    (tmp_path / "report.html").write_text(written(whole), "utf-8")
    await tab.open((tmp_path / "report.html").as_uri())
    await tab.drawn()
    assert await tab.text(".lane h3") == "<img src=x onerror=alert(1)>"
    assert await tab.text("#sentence") == "</script><b>bold</b>"
    assert await tab.count("main img, #sentence b") == 0


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString"])
async def test_a_device_may_be_called_as_what_every_object_has(tab: Tab, name: str) -> None:
    whole = made.page([name, "pump"], flash={})
    await tab.open(tab.page.url)
    await tab.show(whole)
    assert await tab.texts(".lane h3") == [name, "pump"]
    assert await tab.count(".flash") == 0
    await tab.page.evaluate("news => showNews(news)", {f"lanes.{name}": parts.lane(name, 1.5), "entries+": {}})
    await tab.drawn()
    assert await tab.count(f".lane[data-thing={name}] .span") > 3
    tab.check_silence()


async def test_lanes_that_have_become_too_long_say_so_and_are_all_there_is_of_the_axis(untouched: Tab) -> None:
    whole = made.page(["thing-0", "thing-1"], now=4000.0, flash={})
    for lane, start in zip(whole["lanes"].values(), (3000.0, 3100.0), strict=True):
        lane["dropped"] = 1500
        for each in (*lane["spans"], *lane["marks"]):
            for end in {"start", "end", "at"} & set(each):
                each[end] = each[end] and each[end] + start
    await untouched.show(whole)
    first = min(mark["at"] for mark in whole["lanes"]["thing-1"]["marks"])
    minutes, rest = divmod(round(first), 60)
    said = f"3,000 events before {minutes} min {rest} s are drawn no longer; a trace has them."
    assert said in await untouched.text("#lanes-note")
    await untouched.at("#zoom-all").click()
    await untouched.drawn()
    begins = min(span["start"] for lane in whole["lanes"].values() for span in lane["spans"])
    assert await untouched.at("#lanes").get_attribute("data-from") == f"{begins:.4f}"
    del whole["lanes"]["thing-0"]["dropped"], whole["lanes"]["thing-1"]["dropped"]
    await untouched.show(whole)
    assert not await untouched.sees("#lanes-note")
    assert await untouched.at("#lanes").get_attribute("data-from") == "0.0000"


async def test_a_name_that_turns_the_line_around_stands_as_it_is_written(untouched: Tab) -> None:
    await untouched.show(made.page(["\u202egnp.exe"]) | {"sentence": "\u202egnp.exe is off line."})
    assert await untouched.text(".lane h3") == r"\u202egnp.exe"
    assert await untouched.text("#sentence") == r"\u202egnp.exe is off line."


async def test_of_a_device_that_is_not_ours_there_are_no_empty_tracks(untouched: Tab) -> None:
    whole = made.page(["pump"], kind="cloud")
    lane = whole["lanes"]["pump"]
    for items in ("spans", "marks"):
        lane[items] = [each for each in lane[items] if each["track"] not in ("agent", "hardware")]
    await untouched.show(whole)
    assert await untouched.texts(".lane .names text") == ["cloud", "wire"]
    is_cut = "who => who.scrollHeight > who.clientHeight + 1"
    assert not await untouched.at(".lane .who").evaluate(is_cut)


@pytest.mark.parametrize(
    ("state", "devices", "of", "outcome", "words"),
    [
        ("passed", 3, 3, "held", "on 3 of 3 devices"),
        ("passed", 1, 3, "held", "on 1 of 3 devices"),
        ("inconclusive", 1, 3, "undecided", "on 1 of 3 devices"),
        ("passed", 0, 0, "not-exercised", "asked of no device"),
    ],
)
async def test_a_place_is_as_reached_as_the_verdict_says(
    untouched: Tab, state: str, devices: int, of: int, outcome: str, words: str
) -> None:
    place = {"id": "recovered fw", "devices": devices, "of": of, "about": ""}
    await untouched.show(made.page(["thing-0"], state=state, reached=[place]))
    assert await untouched.at("#reached li").get_attribute("data-outcome") == outcome
    assert words in await untouched.text("#reached li")


@pytest.mark.parametrize("more", [[], [f"notification-reordered-{n}" for n in range(28)]])
async def test_a_matrix_of_all_conditions_fits_a_projector(untouched: Tab, more: list[str]) -> None:
    whole = made.certified()
    conditions = ["calm", "held", "lost", "cut", "other-head", "cut-same-document", "throttled", *more]
    cells = [
        {**whole["matrix"]["cells"][0], "id": f"execution-deleted/{name}", "point": "execution-deleted",
         "condition": name, "outcome": "inconclusive"}
        for name in conditions
    ]  # fmt: skip
    whole["matrix"] = {"points": ["execution-deleted"], "conditions": conditions, "cells": cells}
    await untouched.show(whole)
    assert await untouched.at("#matrix table").evaluate("t => t.offsetWidth <= t.closest('.scrolls').clientWidth")
    assert await untouched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_without_a_device_it_says_what_is_waited_for(untouched: Tab) -> None:
    await untouched.show(made.waiting())
    assert "No device yet" in await untouched.text("#lanes-note")
    for section in ("#controls", "#flash-section", "#invariants-section", "#matrix-section", "#times", "#crowd"):
        assert not await untouched.sees(section), section


async def test_a_lane_has_a_track_for_each_part_and_the_deletion_goes_through_all_lanes(untouched: Tab) -> None:
    await untouched.show(made.failed())
    assert await untouched.texts(".lane h3") == ["thing-0", "thing-1", "thing-2"]
    for track in ("cloud", "wire", "agent", "hardware", "ghost"):
        assert await untouched.count(f".lane[data-thing=thing-0] [data-track={track}]"), track
    assert await untouched.text(".flag[data-kind=deletion] text") == "fw force-deleted"
    places = await untouched.page.evaluate(
        "() => [...document.querySelectorAll('line.through[data-kind=deletion]')].map(line => {"
        "  const {x, top, bottom} = line.getBoundingClientRect(); return [Math.round(x), top, bottom]; })"
    )
    assert len({x for x, _, _ in places}) == 1
    assert all(below[1] - above[2] < 2 for above, below in pairwise(places)), "the line has gaps"


async def test_what_a_device_does_not_know_yet_is_shaded_from_the_deletion_on(untouched: Tab) -> None:
    await untouched.show(made.failed())
    shade = untouched.at(".lane[data-thing=thing-0] .shade[data-shade=ghost]")
    assert "#hatch" in await shade.evaluate("rect => getComputedStyle(rect).fill")
    line = await untouched.at(".lane[data-thing=thing-0] .through[data-kind=deletion]").get_attribute("x1")
    assert float(await shade.get_attribute("x") or 0) == pytest.approx(float(line or 1), abs=0.5)
    assert "does not know yet" in await untouched.text("#legend-main")


async def test_a_power_cut_is_a_bolt_and_darkness(untouched: Tab) -> None:
    await untouched.show(made.passed())
    lane = ".lane[data-thing=thing-3]"
    assert await untouched.count(f"{lane} .mark[data-kind=power-lost]") == 1
    assert (
        await untouched.count(f"{lane} .span[data-kind=off]")
        == await untouched.count(f"{lane} .shade[data-shade=off]")
        == 1
    )
    assert await untouched.text(f"{lane} .span[data-kind=off] text") == "without power"


async def test_a_bricked_device_is_a_word_a_sign_and_a_shape(untouched: Tab) -> None:
    await untouched.show(made.failed())
    assert await untouched.text(".lane[data-thing=thing-1] .state") == "BRICKED"
    assert await untouched.sees(".lane[data-thing=thing-1] .state .icon")
    assert "bricked" in (await untouched.text(".lane[data-thing=thing-1] .span[data-kind=bricked] text")).casefold()
    flash = untouched.at(".flash[data-thing=thing-1]")
    assert await flash.get_attribute("data-bricked") == "true"
    assert (await untouched.text(".flash[data-thing=thing-1] .condition")).casefold() == "bricked: nothing to boot from"
    assert await untouched.at(".flash[data-thing=thing-0]").get_attribute("data-bricked") == "false"
    assert "1 device bricked" in await untouched.page.title()
    assert await untouched.texts(".flash[data-thing=thing-1] .slot-holds") == ["an image, in part", "2.0"]


async def test_the_flash_is_shown_at_any_instant_of_it(tab: Tab) -> None:
    await tab.show(made.failed())
    card = ".flash[data-thing=thing-1]"
    await tab.at("#flash-at").evaluate("slider => { slider.value = 0.9; slider.dispatchEvent(new Event('input')); }")
    await tab.drawn()
    cells = tab.page.locator(f"{card} .slot:nth-child(2) i")
    assert await cells.evaluate_all("all => all.map(each => each.dataset.cell).join('')") == "####>..........."
    assert await tab.at(f"{card} .slot:first-child").get_attribute("data-boots") == "true"
    assert await tab.at(card).get_attribute("data-bricked") == "false"
    assert await tab.text("#flash-time") == "0.90 s"
    await tab.at("#flash-next").click()
    await tab.drawn()
    assert await cells.evaluate_all("all => all.map(each => each.dataset.cell).join('')") == "#####>.........."
    assert await tab.count(".playhead line") == 3


async def test_it_plays_from_before_the_deletion_to_the_end(tab: Tab) -> None:
    await tab.show(made.failed())
    await tab.page.evaluate(
        """() => {
            const time = document.querySelector('#flash-time');
            window.seen = new Set();
            new MutationObserver(() => seen.add(time.textContent)).observe(time, {childList: true});
        }"""
    )
    await tab.at("#flash-play").click()
    await tab.page.wait_for_function("() => seen.size > 5")
    assert await tab.text("#flash-play") == "Stop"
    await tab.at("#flash-play").click()
    at = await tab.at("#flash-at").evaluate("slider => Number(slider.value)")
    assert 0.8 < at < made.failed()["now"]


async def test_an_invariant_says_how_often_it_was_at_stake_and_shows_what_broke_it(untouched: Tab) -> None:
    await untouched.show(made.failed())
    outcomes = await untouched.page.locator("#invariants > li").evaluate_all(
        "all => all.map(each => [each.dataset.id, each.dataset.outcome])"
    )
    assert outcomes[0] == ["bootable", "violated"]
    assert outcomes[-1] == ["ready-in-time", "not-exercised"]
    assert "at stake 42 times" in await untouched.text("#invariants [data-id=bootable]")
    assert await untouched.texts("#invariants [data-id=bootable] .evidence .event") == [
        "1.20 s writes slot A, 50 %",
        "1.60 s is idle, slot A half done",
    ]


async def test_a_violation_is_drawn_as_a_sequence_and_written_for_mermaid(untouched: Tab) -> None:
    await untouched.show(made.failed())
    assert await untouched.text("#diagram-heading") == "bootable: thing-1 on job fw"
    assert await untouched.texts("#diagram .participant text") == ["operator", "cloud", "thing-1"]
    assert await untouched.count("#diagram .message") == 6
    assert await untouched.count("#diagram .message[data-ok=false] .lost") == 1
    mermaid = await untouched.at("#mermaid").text_content()
    assert (mermaid or "").startswith("sequenceDiagram\n    operator->>cloud: force-delete fw")


async def test_dangerous_places_say_on_how_many_devices(untouched: Tab) -> None:
    await untouched.show(made.inconclusive())
    assert [re.sub(r" the job.*", "", each) for each in await untouched.texts("#reached li")] == [
        "deleted-in-step fw write on 2 of 2 devices",
        "deleted-while-rebooting fw on 0 of 2 devices",
    ]


async def test_the_matrix_is_a_grid_whose_cells_tell_why(tab: Tab) -> None:
    await tab.show(made.certified())
    assert await tab.texts("#matrix thead th") == ["point", "plain", "offline", "power-cut", "re-created"]
    assert await tab.count("#matrix [data-cell]") == 23
    cell = tab.at("#matrix [data-outcome=failed]")
    assert await cell.inner_text() == "failed"
    await cell.click()
    await tab.drawn()
    assert "pump-7 went on writing for 12 s" in await tab.text("#cell")
    assert "stops-in-time: violated" in await tab.text("#cell")


async def test_times_are_a_dot_for_each_device_beside_the_bound(untouched: Tab) -> None:
    await untouched.show(made.passed())
    assert (
        await untouched.count("[data-times=detection] circle")
        == await untouched.count("[data-times=recovery] circle")
        == 6
    )
    assert "6 times, half within 0.275 s, all within 0.40 s" in await untouched.text("[data-times=detection]")
    assert "at most 2.00 s" in await untouched.text("[data-times=detection] svg")
    assert "at most" not in await untouched.text("[data-times=recovery] svg")


async def test_of_a_fleet_there_are_curves_and_a_heat_map_first_and_few_lanes(tab: Tab) -> None:
    await tab.show(made.fleet())
    assert "bricked 3" in await tab.text("#crowd-legend")
    assert await tab.at("#crowd canvas").evaluate("canvas => [canvas.width, canvas.height]") == [120, 100]
    assert await tab.text("#lanes-note") == "3 of 1,000 devices shown. Show 20"
    assert await tab.count("[data-times=detection] rect") >= 30
    await tab.at("#filter-all").click()
    await tab.drawn()
    assert await tab.count(".lane") == 20


async def test_a_good_one_stands_beside_a_bad_one(tab: Tab) -> None:
    await tab.show(made.versus())
    assert (
        await tab.texts("#lanes-columns h3.group")
        == await tab.texts("#flash h3.group")
        == ["The good one", "The bad one"]
    )
    await tab.show(made.versus("thing-2"))
    assert await tab.texts("#lanes-columns h3.group") == ["The good ones", "The bad one"]
    await tab.show(made.versus())
    assert await tab.texts("#flash h3.group") == ["The good one", "The bad one"]
    good, bad = [await tab.at(f".column[data-group={group}] .lane").bounding_box() for group in ("good", "bad")]
    assert good is not None
    assert bad is not None
    assert good["y"] == bad["y"]
    assert good["x"] + good["width"] <= bad["x"]
    await tab.page.set_viewport_size(PHONE)
    await tab.page.wait_for_function(
        "() => { const [a, b] = [...document.querySelectorAll('.lane')].map(each => each.getBoundingClientRect());"
        " return a.bottom <= b.top; }"
    )


EVERYTHING = (made.failed, made.paused, made.versus, made.certified, made.fleet)


@pytest.mark.parametrize("phone", [False, True], ids=["projector", "phone"])
async def test_nothing_is_cut_and_nothing_sticks_out(tab: Tab, phone: bool) -> None:
    if phone:
        await tab.page.set_viewport_size(PHONE)
    for data in EVERYTHING:
        await tab.show(data())
        assert await tab.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, data
        assert await tab.page.evaluate(CUT) == [], data


CUT = """() => {
    const wide = (element, room) => element.getBoundingClientRect().width > room.getBoundingClientRect().width + 1;
    const bars = [...document.querySelectorAll('.lane .span:not([data-track=ghost]), .flag')].filter(bar => {
        const text = bar.querySelector('text');
        return text.textContent && wide(text, bar.querySelector('rect'));
    });
    const boxes = [...document.querySelectorAll('button, h1, h2, h3, .state, .condition, .outcome, .event')].filter(
        box => box.offsetParent && getComputedStyle(box).display !== 'inline' && box.scrollWidth > box.clientWidth + 1);
    return [...bars, ...boxes].map(each => each.textContent);
}"""
