"""One device against one local cloud, by hand: make a job, delete it at a point, and see message by message what comes.

    python -m tests.devices.by_hand NAME [--at STEP] [--namespace NS] [--how delete|execution|cancel] [--after SECONDS]
        [--kill] [--again same|other] [--settings JSON] [--built DIR]

NAME is a row of `commands`. Printed is the cloud's trace of that device, then what the device itself wrote, then its
flash.
"""

import argparse
import asyncio
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from agent.values import ExecutionKey
from tests.devices import commands
from tests.devices.bench import THING, Bench, DeviceProcess, bench, device

LIMIT_SECONDS = 20.0


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root, name = Path(directory), options.name
        more = ("--settings", options.settings) if options.settings else ()
        async with bench(root, *more) as on:
            flash = root / "flash"
            how = {"step_seconds": options.step_seconds, "built": options.built, "namespace": options.namespace or ""}
            async with device(on, name, flash, **how) as running:
                print(await _play(on, options, running))
                await running.stop()
            _tell(on)
            print("── the device's own words\n" + running.log[-6000:])
            print("── its flash")
            for path in sorted(flash.iterdir()):
                if path.is_file() and path.name != "log" and path.stat().st_size < 200:
                    print(f"{path.name}: {path.read_text(errors='replace').strip()}")


async def _play(on: Bench, options: argparse.Namespace, running: DeviceProcess) -> str:
    namespace, name = options.namespace, options.name

    def document(version: str) -> str:
        return commands.document(name, version, options.step_seconds)

    next_job = "job-a" if options.again else "job-b"
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await on.job("job-a", document("2.0"), namespace)
            await on.is_at("job-a", options.at)
            await asyncio.sleep(options.after)
            if options.kill:
                await running.kill()
            await _remove(on, options)
            if options.again:
                await asyncio.sleep(1.1)  # in one second two incarnations look alike
            await on.job(next_job, document("2.0" if options.again == "same" else "3.0"), namespace)
            if options.kill:
                await running.power_on()
            return f"── the next job: {await on.end_of(next_job)}"
    except TimeoutError:
        return f"── the next job did not end within {LIMIT_SECONDS:g} s"


async def _remove(on: Bench, options: argparse.Namespace) -> None:
    if options.how == "delete":
        await on.delete("job-a", options.namespace)
    elif options.how == "execution":
        await on.hand.delete_execution(THING, "job-a", number=1, force=True, namespace_id=options.namespace)
    else:
        await on.hand.cancel_job("job-a", force=True)


def _tell(on: Bench) -> None:
    start = on.entries[0].at
    for entry in on.entries:
        print(f"{entry.at - start:7.3f} {_words(entry.event)}")


def _words(event: Any) -> str:
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    kind, request = fields.pop("type"), fields.pop("request", "")
    told = (f"{name}={_value(value)}" for name, value in fields.items() if value not in (None, (), {}, "", False, 0.0))
    return " ".join((kind, request, *told))


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value.job_id}@{value.queued_at % 1000}" if isinstance(value, ExecutionKey) else str(value)[:60]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=commands.COMMANDS)
    parser.add_argument("--at", help="the step; else as soon as it is in progress")
    parser.add_argument("--after", type=float, default=0.0, help="so many seconds after that")
    parser.add_argument("--namespace")
    parser.add_argument("--how", choices=("delete", "execution", "cancel"), default="delete")
    parser.add_argument("--kill", action="store_true", help="cut its power before, and give it back after")
    parser.add_argument("--again", choices=("same", "other"), help="create the job again under its id")
    parser.add_argument("--settings", help="the cloud's, as JSON")
    parser.add_argument("--built", type=Path)
    parser.add_argument("--step-seconds", type=float, default=0.3)
    asyncio.run(main(parser.parse_args()))
