"""Devices are processes, certified over MQTT with certificates: right ones pass, and wrong ones are told what of."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.certify.matrix import choose
from simulator.cli.certify import certify
from simulator.cli.certifying import CertifyCall
from simulator.cli.certifying_account import Account
from simulator.cli.page import PageWanted
from tests.certify_sessions.sessions import Plan, Session, command, session, violated

PROBED = ("--probe", "file:{flash}/dut.version")


def plan(device: str, *cells: str, more: tuple[str, ...] = ()) -> Plan:
    return Plan(device, 0, (*(word for cell in cells for word in ("--only", cell)), *more), step_seconds=0.1)


RIGHT = (
    plan("model-reference", "step-middle/calm", "report/held", "provoked/other-namespace", more=PROBED),
    plan("paho", "step-middle/calm", "asking/held", "recreated/same-document"),
    plan("paho-no-steps", "step-middle/calm"),
)
WRONG = {
    plan("model-greengrass-nucleus", "report/recreated"): {"no-cross-incarnation"},
    plan("model-sends-no-expected-version", "report/recreated"): {"no-cross-incarnation"},
    plan("flaw-job-id-only", "report/recreated"): {"no-cross-incarnation"},
}
"""With what is found in the one cell."""


async def hold(held: Plan, directory: Path) -> Session:
    """A session in this process; only its device has one of its own."""
    await asyncio.to_thread(directory.mkdir)
    words = list(command(held, directory))
    given: dict[str, Any] = certify.make_context("certify", words[words.index("certify") + 1 :]).params
    assert PageWanted.taken(given) is None
    for name in ("quick", "full", "is_list", "log_format", "log_level", "engine", "cluster", "until_stdin_closes"):
        del given[name]
    assert not Account.taken_from(given).is_meant
    await CertifyCall(choose(given["only"]), **given).run()
    return session(held, json.loads((directory / "out" / "certificate.json").read_text("utf-8")))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[Plan, Session]:
    """All of them, side by side."""
    directory, plans = tmp_path_factory.mktemp("sessions"), (*RIGHT, *WRONG)

    async def hold_all() -> list[Session]:
        return list(await asyncio.gather(*(hold(each, directory / str(n)) for n, each in enumerate(plans))))

    return dict(zip(plans, asyncio.run(hold_all()), strict=True))


def _id(each: Plan) -> str:
    return each.device


@pytest.mark.parametrize("right", RIGHT, ids=_id)
def test_a_device_that_does_right_gets_a_clean_sheet(right: Plan, sessions: dict[Plan, Session]):
    held = sessions[right]
    assert (held.findings, held.unclear, held.trouble) == ((), (), None)
    assert [outcome for _, outcome, _ in held.said] == ["passed"] * right.options.count("--only")


@pytest.mark.parametrize("wrong", WRONG, ids=_id)
def test_a_device_that_does_wrong_is_told_what(wrong: Plan, sessions: dict[Plan, Session]):
    held = sessions[wrong]
    assert held.accuses
    assert {*violated(held)} >= WRONG[wrong]
