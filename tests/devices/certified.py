"""Devices of `commands`, certified side by side in this process: mostly they wait."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.certify.certificate import Certificate
from simulator.certify.matrix import CELLS
from simulator.cli.certifying import CertifyCall
from simulator.cli.schedule_cells import schedule_cells
from tests.devices import commands

THING = "dut"
USUAL: Mapping[str, Any] = {
    "thing": THING,
    "namespace_id": None,
    "probes": (),
    "out": None,
    "only": (),
    "document": None,
    "artifacts": (),
    "steps": (),
    "schedules": (),
    "bounds": (),
    "reset_cmd": None,
    "power_cmd": None,
    "host": "127.0.0.1",
    "address": None,
    "allow_topics": (),
    "mqtts_port": None,
    "data_port": None,
    "api_port": None,
    "mqtt_port": "off",
    "certs": None,
    "wait_seconds": 60.0,
    "first_job_seconds": 60.0,
    "is_json": True,
    "cells_from_stdin": False,
    "seed": 0,
}


async def certified(
    name: str,
    cells: Sequence[str],
    directory: Path,
    *,
    built: Path,
    bounds: Sequence[str] = (),
    step_seconds: float = 0.1,
    schedules: Sequence[Path] = (),
) -> tuple[int, Certificate]:
    """The exit code, and what a device is certified. It has a probe if it keeps its version in a file.

    It is put through the cells of these names, and held to schedules.
    """
    flash, certs, out = (directory / each for each in ("flash", "certs", "out"))
    flash.mkdir(parents=True)
    version = commands.COMMANDS[name].version
    given = {
        "command": commands.argv(name, flash=flash, certs=certs, step_seconds=step_seconds, built=built),
        "probes": () if version is None else (f"file:{flash / version.replace('{thing}', THING)}",),
        "certs": certs,
        "out": out,
        "bounds": tuple(bounds),
        "schedules": tuple(schedules),
    }
    chosen = [each for each in CELLS if each.id in cells]
    assert len(chosen) == len(cells), cells
    code = await CertifyCall([*chosen, *schedule_cells(schedules)], **{**USUAL, **given}).run()
    return code, Certificate.model_validate_json((out / "certificate.json").read_text())


def all_at_once(*calls: Any) -> list[tuple[int, Certificate]]:
    """What several come to."""

    async def gather() -> list[tuple[int, Certificate]]:
        return await asyncio.gather(*calls)

    return asyncio.run(gather())
