"""One call of `ghostjob certify` with a device of ours, in a process of its own, and what its certificate says."""

import asyncio
import json
import os
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.devices import commands
from tests.devices.paho_options import DESIGNS

THING: Final = "dut"
CORRECT: Final = (
    "agent-paho",
    "agent-awsiot",
    *(f"model-{name}" for name in ("reference", "start-next", "describe-update", "poller", "http-data-plane")),
    "paho",
    "paho-clean",
    *(f"paho-{name}" for name in DESIGNS if name != "plain"),
)
"""Devices that do nothing wrong."""

Said: TypeAlias = tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
"""Of each cell its id, its outcome, and the outcome of each invariant: all but times."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A session to be held. `options` are those of certify that choose the cells, or bound the device."""

    device: str
    seed: int = 0
    options: tuple[str, ...] = ("--quick",)
    namespace_id: str = ""
    step_seconds: float = 0.05


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was held. `said` is its certificate without times; `trouble` why there is none."""

    plan: Plan
    said: Said
    findings: tuple[str, ...]
    unclear: tuple[str, ...]
    trouble: str | None = None

    @property
    def accuses(self) -> bool:
        """Whether the device was told that it does something wrong."""
        return bool(self.findings)


async def hold(plan: Plan, directory: Path, limit_seconds: float = 1800.0) -> Session:
    """Hold it; all that it writes is in `directory`, which is made. It is ended after the limit."""
    await asyncio.to_thread(directory.mkdir, parents=True)
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command(plan, directory),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limit_seconds):
                await process.wait()
        except TimeoutError:
            return Session(plan, (), (), (), f"not done after {limit_seconds:g} s")
        finally:
            await _end(process)
    kept = directory / "out" / "certificate.json"
    if not kept.exists():
        return Session(plan, (), (), (), (directory / "log").read_text("utf-8", "replace")[-500:])
    return session(plan, json.loads(kept.read_text("utf-8")))


async def _end(process: asyncio.subprocess.Process) -> None:
    """With its device: an interruption lets it end that itself."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)
    with suppress(TimeoutError):
        async with asyncio.timeout(20):
            await process.wait()
            return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def command(plan: Plan, directory: Path) -> tuple[str, ...]:
    """The command line, with the device's own after `--`."""
    certs, flash = directory / "certs", directory / "flash"
    flash.mkdir(exist_ok=True)
    device = commands.argv(
        plan.device, flash=flash, certs=certs, step_seconds=plan.step_seconds, namespace=plan.namespace_id
    )
    where = ("--thing", THING, "--out", str(directory / "out"), "--certs", str(certs), "--seed", str(plan.seed))
    options = [each.replace("{flash}", str(flash)) for each in plan.options]
    if plan.namespace_id:
        options += ["--namespace-id", plan.namespace_id]
    if plan.device.startswith("agent-"):  # it carries out operations, of which it knows its own
        document = directory / "document.json"
        document.write_text(commands.document(plan.device, "{version}", plan.step_seconds), "utf-8")
        options += ["--document", str(document)]
    return (*commands.GHOSTJOB, "certify", *where, *options, "--", *device)


def session(plan: Plan, certificate: dict[str, Any]) -> Session:
    """What a certificate says."""
    cells = certificate["cells"]
    said = tuple((cell["id"], cell["outcome"], _invariants(cell)) for cell in cells)
    not_met = certificate["not_met"]
    findings = [*_whys(cells, "failed")]
    if certificate["bricked"] is not None:
        findings.append(f"bricked: {certificate['bricked']['why']}")
    if not_met is not None and not_met["failed"]:
        findings.append(f"first job: {not_met['why']}")
    trouble = not_met["why"] if not_met is not None and not not_met["failed"] else None
    return Session(plan, said, tuple(findings), tuple(_whys(cells, "inconclusive")), trouble)


def _invariants(cell: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((each["id"], each["outcome"]) for each in cell["invariants"])


def _whys(cells: Iterable[dict[str, Any]], outcome: str) -> list[str]:
    return [f"{cell['id']}: {cell['why']}" for cell in cells if cell["outcome"] == outcome]


def violated(held: Session) -> dict[str, tuple[str, ...]]:
    """By invariant, the cells in which it was violated."""
    found: dict[str, list[str]] = {}
    for cell, _, invariants in held.said:
        for invariant, outcome in invariants:
            if outcome == "violated":
                found.setdefault(invariant, []).append(cell)
    return {invariant: tuple(cells) for invariant, cells in sorted(found.items())}


def differences(several: Sequence[Session]) -> list[str]:
    """In which cells they do not all say the same, and what."""
    said: dict[str, dict[str, int]] = {}
    for held in several:
        for cell, outcome, invariants in held.said:
            told = ", ".join([outcome, *(f"{each} {how}" for each, how in invariants)])
            said.setdefault(cell, {}).setdefault(told, 0)
            said[cell][told] += 1
    return [f"{cell}: {_told_apart(ways)}" for cell, ways in said.items() if len(ways) > 1]


def _told_apart(ways: dict[str, int]) -> str:
    """Each way with its count, without what is the same in all."""
    split = {way: way.split(", ") for way in ways}
    same = set.intersection(*(set(parts) for parts in split.values()))
    return "; or ".join(
        f"{ways[way]} times {', '.join(part for part in parts if part not in same)}" for way, parts in split.items()
    )
