"""Correct devices and those with a flaw really run; those of other libraries do so in `test_certified`."""

import asyncio
from pathlib import Path

import pytest

from simulator.trace import RequestReceived
from tests.devices import commands
from tests.devices.bench import Bench, DeviceProcess, bench, device, side_by_side
from tests.devices.building import built
from tests.devices.commands import COMMANDS
from tests.devices.paho_options import DESIGNS, FLAWS

LIMIT_SECONDS = 60.0
OFTEN = ("--settings", '{"gateway": {"connects_per_second": null}}')
"""A client id may come back as soon as it likes."""
MODELS = ("model-reference", "model-http-data-plane")
CORRECT = ("agent-paho", "agent-awsiot", "paho", "paho-clean", *(f"paho-{name}" for name in DESIGNS if name != "plain"))


def runs(running: DeviceProcess, name: str) -> str:
    """The version in its flash."""
    where = COMMANDS[name].version
    return "" if where is None else (running.flash / where.format(thing=name)).read_text().strip()


def versions(name: str, *brought: str) -> list[str]:
    """What it runs after jobs that bring these."""
    return [each if COMMANDS[name].version else "" for each in brought]


async def finishes(on: Bench, name: str, job: str, version: str, running: DeviceProcess, namespace: str = "") -> str:
    """The version that it runs once it has done a job."""
    await on.job(f"{name}-{job}", commands.document(name, version), namespace or None, name)
    assert await on.end_of(f"{name}-{job}") == "SUCCEEDED", running.log
    return runs(running, name)


async def loses_a_job(on: Bench, name: str, directory: Path, namespace: str = "") -> list[str]:
    """One job done, one deleted as it begins, one done: the versions that it runs after the first and the last."""
    place = directory / name
    place.mkdir()
    where = built(COMMANDS[name].needs, place)
    async with device(on, name, place / "flash", built=where, namespace=namespace, thing=name) as running:
        first = await finishes(on, name, "first", "2.0", running, namespace)
        await on.job(f"{name}-gone", commands.document(name, "3.0"), namespace or None, name)
        await on.is_at(f"{name}-gone")
        await on.delete(f"{name}-gone", namespace or None)
        return [first, await finishes(on, name, "next", "4.0", running, namespace)]


async def all_lose_a_job(names: tuple[str, ...], directory: Path, namespace: str = "") -> dict[str, list[str]]:
    async with bench(directory, things=names) as on, asyncio.timeout(LIMIT_SECONDS), asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(loses_a_job(on, name, directory, namespace), name=name) for name in names}
    return {name: task.result() for name, task in tasks.items()}


async def test_correct_devices_of_all_designs_take_jobs_and_lose_one(tmp_path: Path):
    names = (*CORRECT, *MODELS)
    ran = await all_lose_a_job(names, tmp_path)
    assert ran == {name: versions(name, "2.0", "4.0") for name in names}


async def test_in_a_namespace_it_is_the_same(tmp_path: Path):
    names = ("agent-awsiot", "paho-http-only", "model-reference")
    ran = await all_lose_a_job(names, tmp_path, "lab")
    assert ran == {name: versions(name, "2.0", "4.0") for name in names}


async def test_a_device_with_a_flaw_does_what_nobody_disturbs(tmp_path: Path):
    flashes = {f"flaw-{flaw}": tmp_path / f"flaw-{flaw}" for flaw in FLAWS}
    on_the_bench = bench(tmp_path, things=tuple(flashes))
    async with on_the_bench as on, asyncio.timeout(LIMIT_SECONDS), side_by_side(on, flashes) as running:
        ran = await asyncio.gather(*(finishes(on, name, "first", "2.0", each) for name, each in running.items()))
    assert dict(zip(flashes, ran, strict=True)) == dict.fromkeys(flashes, "2.0")


@pytest.mark.parametrize("name", ["paho", "model-reference"])
async def test_a_device_whose_power_is_cut_goes_on_with_what_its_flash_has(tmp_path: Path, name: str):
    on_the_bench = bench(tmp_path, *OFTEN, things=(name,))
    async with on_the_bench as on, device(on, name, tmp_path / name, thing=name, step_seconds=0.3) as running:
        await on.job("goes-on", commands.document(name, "2.0"), None, name)
        await on.is_at("goes-on", "install" if name == "paho" else "write")
        await running.kill()
        assert runs(running, name) == "1.0"
        cut = len(on.entries)
        await running.power_on()
        assert await on.end_of("goes-on") == "SUCCEEDED", running.log
        assert runs(running, name) == "2.0"
        requests = [entry.event for entry in on.entries[cut:] if isinstance(entry.event, RequestReceived)]
        assert requests[0].request == "describe", "it knew what it had in hand, and asked for that"
        assert await running.stop() == 0


async def test_every_command_line_is_complete(tmp_path: Path):
    filled = dict.fromkeys(("host", "mqtts_port", "data_port", "ca", "cert", "key", "thing"), "x")
    for name, command in COMMANDS.items():
        namespaces = ("", "lab") if command.namespaced is not None else ("",)
        for namespace in namespaces:
            words = commands.argv(name, flash=tmp_path, certs=tmp_path, built=tmp_path, namespace=namespace)
            assert not [each for each in words if "{" in each.format(**filled)], name
