"""The buttons of a certification's page: it stops between two cells, goes on, ends early, and no cell is touched."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from simulator.certify.certificate import Certificate
from simulator.certify.matrix import QUICK
from simulator.cli.certifying_controls import ENDED, CertifyControls
from simulator.page.orders import Order, Refused
from tests.cli.certifying import Certifying, device
from tests.cli.test_page import looked
from tests.within import within

SECONDS = 20.0
FIRST, SECOND = QUICK[:2]


def press(url: str, do: str) -> str:
    order = Request(f"{url}orders", json.dumps({"do": do}).encode(), {"Content-Type": "application/json"})
    with urlopen(order, timeout=SECONDS) as answer:
        return str(json.load(answer)["said"])


def test_a_session_stops_after_a_cell_and_what_is_not_played_then_is_told(tmp_path: Path):
    cells = ("--only", FIRST.id, "--only", SECOND.id)
    shown = ("--json", "--page", "--page-for", "0", "--out", "out")
    with Certifying(tmp_path, "--thing", "pump-7", *cells, *shown, command=device(step_seconds=0.2)) as certify:
        url = certify.until("page")["url"]
        controls = (told["controls"] for _, told in looked(url) if told.get("controls"))
        assert next(each for each in controls if each["also"])["also"] == ["pause", "end"]
        assert press(url, "pause") == "It stops as soon as the first job is done."
        stands = next(each for each in controls if each["paused_at"].startswith("between"))
        assert stands["paused_at"] == f"between two cells; {FIRST.id} is next"
        assert press(url, "go") == "It goes on."
        assert certify.until("cell.began")["id"] == FIRST.id
        assert press(url, "pause") == f"It stops as soon as {FIRST.id} is done."
        assert certify.until("cell.ended")["result"]["outcome"] == "passed"
        next(each for each in controls if each["paused_at"] == f"between two cells; {SECOND.id} is next")
        assert press(url, "end") == "It ends; what was certified by now is kept."
        code, _, err = certify.end()
    assert code == 3, err
    kept = Certificate.model_validate_json((tmp_path / "out" / "certificate.json").read_text())
    assert [(cell.id, cell.outcome) for cell in kept.cells] == [(FIRST.id, "passed"), (SECOND.id, "inconclusive")]
    assert kept.cells[1].why == f"not played: {ENDED}"
    assert (kept.outcome, ENDED in kept.why) == ("inconclusive", True)


# ── by itself ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def refused(controls: CertifyControls, do: Any) -> str:
    with pytest.raises(Refused) as why:
        await controls.carry_out(Order(do=do))
    return str(why.value)


async def test_what_would_touch_a_cell_is_refused_and_so_is_what_says_nothing_new():
    controls = CertifyControls()
    assert (controls.offered().also, await refused(controls, "end")) == ((), "There is no session that goes on.")
    over = asyncio.Event()

    async def play() -> None:
        await over.wait()

    playing = asyncio.create_task(controls.unless_ended(play()))
    await asyncio.sleep(0)
    assert await refused(controls, "go") == "It goes on as it is."
    for do in ("force-delete", "cancel", "cut-network", "cut-power", "slow"):
        assert (await refused(controls, do)).startswith("That would touch the cell that is being played")
    await controls.carry_out(Order(do="pause"))
    assert await refused(controls, "pause") == "It stops already."
    over.set()
    assert await within(playing, SECONDS)
    assert controls.offered().also == ()


async def test_the_cell_at_hand_is_cut_short_by_the_end_and_what_fails_by_itself_is_told():
    controls, began = CertifyControls(), asyncio.Event()

    async def play() -> None:
        await controls.before(FIRST)
        began.set()
        await asyncio.Event().wait()

    playing = asyncio.create_task(controls.unless_ended(play()))
    await within(began.wait(), SECONDS)
    await controls.carry_out(Order(do="end"))
    assert not await within(playing, SECONDS)

    async def fail() -> None:
        raise ValueError("the device's own")

    with pytest.raises(ValueError, match="the device's own"):
        await CertifyControls().unless_ended(fail())


async def test_whoever_interrupts_it_interrupts_the_cell():
    controls, cells, began = CertifyControls(), list[str](), asyncio.Event()

    async def play() -> None:
        try:
            await controls.before(FIRST)
            began.set()
            await asyncio.Event().wait()
        finally:
            cells.append("left")

    playing = asyncio.create_task(controls.unless_ended(play()))
    await within(began.wait(), SECONDS)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert cells == ["left"]
