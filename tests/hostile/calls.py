"""Odd REST calls to everything that speaks HTTP: API port with and without access keys, files, WebSockets, data port.

A finding is an answer of 5xx, no answer, a log line that tells of an error of ours, an error that left something behind
in the registry or among the jobs, and a cloud that does not answer any more at the end.
"""

import asyncio
import json
import logging
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import structlog

from agent.values import Describe, GetPending, StartNext
from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.registry import RegistryChange
from simulator.cloud.settings.cloud import CloudSettings
from simulator.trace import CLOUD, ClientRefused, CloudEvent, Recorder, write_line
from tests.hostile.raw import Answer, NoAnswerError, Wire
from tests.hostile.report import Bounds, Report
from tests.hostile.requests import KEY, SECRET, Call, Caller, Port

MOST_FINDINGS: Final = 50
THINGS: Final = ("a", "b", "t")
WITHOUT_BODY: Final = ("file", "websocket")
"""What answers in another shape than JSON."""


class _Faults(logging.Handler):
    """Gathers what the log tells of faults of ours."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info or record.levelno >= logging.ERROR or "Traceback" in text:
            self.told.append(text[-600:] if record.exc_info is None else f"{text} {record.exc_info[1]!r}")


@contextmanager
def _overheard() -> Iterator[_Faults]:
    """What is logged meanwhile, whatever logging the process has."""
    was = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    faults, root = _Faults(), logging.getLogger()
    root.addHandler(faults)
    try:
        yield faults
    finally:
        root.removeHandler(faults)
        if was is not None:
            structlog.configure(**was)


@dataclass
class Target:
    """One cloud: its ports, its wires, and what changed in it since the last look."""

    cloud: LocalCloud
    ports: list[Port]
    wires: list[Wire]
    changes: list[RegistryChange] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)

    def jobs(self) -> frozenset[str]:
        """The ids of all jobs."""
        return frozenset(job.job_id for job in self.cloud.core.jobs.jobs())


@asynccontextmanager
async def _target(directory: Path, certs: Path, *, keys: bool) -> AsyncIterator[Target]:
    files = directory / f"files-{keys}"
    (files / "bucket").mkdir(parents=True)
    (files / "bucket" / "key").write_bytes(bytes(1000))
    unreadable: Counter[str] = Counter()
    recorder = Recorder(CLOUD, time.monotonic, lambda entry: write_line(entry).encode())

    def observe(event: CloudEvent) -> None:
        recorder(event)
        if isinstance(event, ClientRefused) and "cannot be read" in event.why:
            unreadable[event.why[:120]] += 1

    options = CloudSettings(
        api_port=0,
        mqtt_port=None,
        mqtts_port=None,
        data_port=0 if keys else None,
        certs=certs if keys else None,
        files=files,
        access_keys=((KEY, SECRET),) if keys else (),
    )
    async with LocalCloud(options, observe) as cloud:
        urls = cloud._urls
        assert urls is not None
        api = (cloud.endpoints["api"] or "").removeprefix("http://")
        url = "https://s3.amazonaws.com/bucket/key"
        ports = [Port(api, keys=keys, file_url=lambda: urls.url(url, time.time(), 60))]
        wires = [Wire("127.0.0.1", int(api.rpartition(":")[2]))]
        if (data := cloud.endpoints["data"]) is not None:
            authority = data.removeprefix("https://")
            tls = client_context(certs / "ca.pem", certs / "t.pem", certs / "t.key")
            ports.append(Port(authority, is_tls=True))
            wires.append(Wire("127.0.0.1", int(authority.rpartition(":")[2]), tls))
        target = Target(cloud, ports, wires, unreadable=unreadable)
        for name in THINGS:
            cloud.core.registry.things.create(name)
        for wire in wires:  # a certificate is registered when its holder first comes
            await wire.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        cloud.core.registry.watch(target.changes.append)
        yield target
        for wire in wires:
            wire.close()


async def attack(bounds: Bounds) -> Report:
    """So many calls, or for so long."""
    report, statuses = Report(), Counter[str]()
    until = time.monotonic() + bounds.seconds
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        faults = stack.enter_context(_overheard())
        make_certificates(directory / "certs", ["t"])
        targets = [
            await stack.enter_async_context(_target(directory, directory / "certs", keys=keys))
            for keys in (True, False)
        ]
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.told.append(f"the loop: {context}"))
        rng = Random(f"{bounds.seed}/calls")
        caller = Caller(
            rng, frozenset(targets[0].cloud._http.serve(targets[0].cloud._tenants.home).control_plane.operations)
        )
        while report.tried < bounds.count and time.monotonic() < until and len(report.findings) < MOST_FINDINGS:
            target = targets[rng.randrange(3) == 0]
            at = rng.randrange(8) == 0 if len(target.ports) > 1 else 0
            await _try(target, int(at), caller.draw(target.ports[at]), report, statuses)
            report.findings += [f"in the log: {told}" for told in faults.told]
            faults.told.clear()
        for target in targets:
            await _look_round(target, report)
        report.findings += [f"in the log: {told}" for told in faults.told]
        unreadable = sum((target.unreadable for target in targets), Counter[str]())
    report.figures["answers"] = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    report.figures["kinds that only the boundary could not read"] = str(dict(unreadable))
    return report


async def _try(target: Target, at: int, call: Call, report: Report, statuses: Counter[str]) -> None:
    report.tried += 1
    wire = target.wires[at]
    target.changes.clear()
    before = target.jobs() if call.operation.startswith("Create") else None
    try:
        answer = await wire.ask(call.wire(), call.method)
    except NoAnswerError as error:
        report.findings.append(f"no answer ({error}) to {call}")
        return
    if call.is_odd:
        wire.close()
    statuses[f"{answer.status}"] += 1
    if (wrong := _wrong(call, answer)) is not None:
        report.findings.append(f"{answer.status}, {wrong}: {answer.body[:200]!r} to {call}")
    if answer.status >= 400:
        left = [change for change in target.changes if change.kind != "tags" or change.record is not None]
        if left or (before is not None and target.jobs() - before):
            report.findings.append(f"{answer.status} left {left or target.jobs()} behind, to {call}")


def _wrong(call: Call, answer: Answer) -> str | None:
    """What is the matter with an answer; None if nothing is."""
    if answer.status >= 500:
        return "which nobody asked for"
    if answer.status < 400 or call.method == "HEAD" or call.operation in WITHOUT_BODY or b"<Error>" in answer.body:
        return None
    try:
        told = json.loads(answer.body)
    except ValueError:
        return "no JSON"
    if not told.get("message") or "x-amzn-errortype" not in answer.headers:
        return "not in AWS's shape"
    return None


async def _look_round(target: Target, report: Report) -> None:
    """Whatever is there can be told: to its operator, and to its devices."""
    core, operations = target.cloud.core, target.cloud._http.serve(target.cloud._tenants.home).control_plane
    lists = [name for name in operations.operations if name.startswith("List")]
    asked: list[tuple[str, dict[str, str]]] = [
        (name, {})
        for name in lists
        if name in ("ListJobs", "ListThings", "ListPolicies", "ListThingGroups", "ListJobTemplates", "ListCertificates")
    ]
    asked += [
        (name, {"jobId": job_id})
        for job_id in target.jobs()
        for name in ("DescribeJob", "GetJobDocument", "ListJobExecutionsForJob")
    ]
    asked += [("ListJobExecutionsForThing", {"thingName": thing}) for thing in THINGS]
    for name, given in asked:
        try:
            operations.call(name, given)
        except Exception as error:
            if type(error).__name__ != "ApiError":
                report.findings.append(f"{name} {given} is not told any more: {error!r}")
    for thing in THINGS:
        for request in (Describe("$next"), GetPending(None, None), StartNext(None)):
            try:
                core.answer(thing, request)
            except Exception as error:
                report.findings.append(f"{request} of {thing} is not answered any more: {error!r}")
