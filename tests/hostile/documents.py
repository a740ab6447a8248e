"""Job documents that no operator would write: is each refused or told by the cloud, and done or rejected by a device?

A document is made from one of those that people write, by changes to its values, its text and its bytes, or is one of a
few that are known to be bad. Three readers get each:

- the plan: a reason that fits into statusDetails, or steps that can be put on record;
- a device, in both protocols and in bytes: it reports an end, and begins the job that waits behind;
- the cloud: CreateJob refuses it by one of AWS's names, or start-next tells it, and the next request is answered too.

Found is a traceback, a wedge, something that is neither taken nor refused, and what takes longer than a second.
"""

import asyncio
import json
import resource
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from random import Random
from typing import Any, Final

from agent.abilities import ALL_ACTIONS, Abilities
from agent.core.record import Record, Work
from agent.documents import plan_of
from agent.log import configure
from agent.plan import Plan
from agent.record_json import read_record, write_record
from agent.values import ExecutionKey, JobDocument, details_text
from simulator.engines.virtual_time import run_virtually
from tests.agent.offline import played
from tests.agent.spoiling import Job, Service
from tests.fidelity.world import World
from tests.hostile.report import Bounds, Report

SLOW_SECONDS: Final = 1.0
MEMORY_BYTES: Final = 512 << 20
"""By how much the process may grow."""
MOST_FINDINGS: Final = 20
ABLE: Final = Abilities(actions=ALL_ACTIONS | {"run", "reboot"}, root="/srv/files", scripts="/srv/scripts")
STEP: Final = {"action": {"name": "one", "type": "runCommand", "input": {"command": "echo,hello"}, "runAsUser": "me"}}
WRITTEN: Final[tuple[Any, ...]] = (
    {"operation": "update", "version": "2.0", "url": "https://a/b?X-Amz-Signature=1", "sha256": "0" * 64, "size": 9},
    {"operation": "configure", "to": "a/b.yaml", "content": "a: 1\n", "format": "yaml", "version": "7"},
    {"operation": "download", "url": "https://a/b", "to": "c", "size": 1},
    {"operation": "run", "command": ["echo", "1"], "timeoutSeconds": 5, "restarts": ""},
    {"operation": "reboot"},
    {"version": "1.0", "steps": [STEP, STEP], "finalStep": STEP, "includeStdOut": "true"},
    {"operation": "restart-services.sh", "args": ["x"], "path": "default", "allowStdErr": 3},
    {"operation": "run", "command": ["x"], "conditions": [{"key": "operatingSystem", "value": ["linux"], "type": "a"}]},
)
VALUES: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1.5, 2**63, 10**300, -(10**4000), 1e308, float("inf"), float("nan")),
    *("", "\0", "\ud800", "é" * 300),
    *("x" * 40_000, "../../etc/passwd", "/", "a\nb\x1b[2J", "\u202e", "1.0", "true"),
    *([], {}, [[]], [None] * 2000, {"": ""}),
    *("https://[::1", "http://127.0.0.1:99999/", "a," * 3000, "\\," * 500),
    *(["\0"], ["a" * 30_000], {"a": {"b": {"c": 1}}}),
)  # fmt: skip
TEXTS: Final = (
    "",
    "[" * 100_000,
    '{"a":' * 250 + "1" + "}" * 250,
    '{"operation":"update","version":"2","x":' + "[" * 199 + "]" * 199 + "}",
    '{"operation":"update","version":"2","x":' + "[" * 5000 + "]" * 5000 + "}",
    '{"operation":"update","version":"2","x":' + "9" * 5000 + "}",
    '{"operation":"update","version":"2","x":1e999}',
    '{"operation":"update","version":"2","version":"3"}',
    '{"operation":"update","version":"2","x":"\\ud800"}',
    '{"operation":"update","version":"2","x":"' + "\\\\" * 16_000 + '"}',
    '{"operation":"run","command":["' + '","'.join(["\\u00e9" * 50] * 90) + '"]}',
    "\ufeff{}",
)


def texts(seed: int) -> Iterator[str]:
    """Without end: first those that are known to be bad, then changed ones."""
    yield from TEXTS
    rng = Random(seed)
    while True:
        value = deepcopy(rng.choice(WRITTEN))
        for _ in range(rng.randint(0, 4)):
            value = _changed(value, rng)
        text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
        for _ in range(rng.choice((0, 0, 0, 1, 1, 3))):
            text = _scratched(text, rng)
        yield text


def _changed(value: Any, rng: Random) -> Any:
    """Another value somewhere in it, a member more or less, or one under another name."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        depth = rng.choice((1, 10, 90, 180, 300))
        return json.loads("[" * depth + "]" * depth) if rng.random() < 0.1 else deepcopy(rng.choice(VALUES))
    where = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    chosen = rng.random()
    if chosen < 0.15:
        del value[where]
    elif chosen < 0.3 and isinstance(value, dict):
        value[rng.choice(("x", "\0", "é" * 100, "operation", "version", "conditions", "_comment"))] = deepcopy(
            rng.choice(VALUES)
        )
    else:
        value[where] = _changed(value[where], rng)
    return value


def _scratched(text: str, rng: Random) -> str:
    """A piece lost, doubled, or in another place; or a character that should not be there."""
    a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    b = min(b, a + rng.choice((1, 1, 2, 5, 100)))
    piece = rng.choice(
        ("", text[a:b] * 2, '"', "{", "]", ",", "\\", "\0", "1e999", "NaN", "\udcff", "\ud83d", "é", "//")
    )
    return text[:a] + piece + text[b:]


# ── the three readers ─────────────────────────────────────────────────────────────────────────────────────────


def plan(text: str, rng: Random) -> str:
    """What the plan comes to. Raises AssertionError if it is no good."""
    planned = plan_of(JobDocument(text), ABLE)
    JobDocument(text).digest  # noqa: B018 - it may raise
    if isinstance(planned, Plan):
        record = Record(Work(ExecutionKey(None, "j", 1, 1), planned, "d", 0))
        assert read_record(write_record(record)) == record, "another record than was written"
        assert len(write_record(record)) < 128 * 1024, "too long for the journal"
        return "planned"
    assert planned.reason == details_text(planned.reason) != "", "a reason that fits nowhere"
    return "rejected"


def device(text: str, rng: Random) -> str:
    """What a device reports of it, that is told it in bytes, which may be spoilt once more on the way."""
    namespace_id = rng.choice((None, "lab"))
    cut = rng.choice((None, None, rng.random()))

    def spoil(message: str) -> bytes:
        data = message.encode(errors="surrogateescape" if _has_no_halves(message) else "surrogatepass")
        if cut is None:
            return data
        at = int(cut * len(data))
        if data[at - 8 : at + 8].find(b'"bad"') >= 0:
            return data  # to name another job is no way to spoil an answer, but a lie
        return data[:at] + rng.choice((b"", b"\xff", b"\0", b'"', b"}")) + data[at + 1 :]

    bad, good = Job("bad", text, spoil), Job("good")
    told = run_virtually(played(namespace_id, Service(bad, good), ABLE))
    assert bad.status in ("REJECTED", "FAILED"), f"ended {bad.status}"
    # Where its own claim came back spoilt, it cannot know whether it had begun.
    is_honest = bad.status == "REJECTED" or "bad" in told.bench.begun or bad.details.get("cause") == "interrupted"
    assert is_honest, "failed without a beginning"
    assert "good" in told.bench.begun, "the next job was not begun"
    return bad.status.lower()


def _has_no_halves(message: str) -> bool:
    return not any("\ud800" <= character < "\udc80" or "\udcff" < character <= "\udfff" for character in message)


def cloud(text: str, rng: Random) -> str:
    """Whether the cloud takes it; then it tells it, whole, and goes on."""
    world = World()
    target = world.operate("CreateThing", thingName="thing")["thingArn"]
    refusal = world.refusal("CreateJob", jobId="bad", targets=[target], document=text)
    if refusal is not None:
        assert not refusal.startswith("Internal"), f"{refusal} is the cloud's own fault"
        return "refused"
    raw = world.raw("start-next")
    assert text.encode() in raw, "told otherwise than it was written"
    world.raw("bad/get")
    world.operate("DescribeJob", jobId="bad")
    world.operate("GetJobDocument", jobId="bad")
    assert world.device("get")[0] == "get/accepted"
    return "told"


READERS: Final[tuple[Callable[[str, Random], str], ...]] = (plan, device, cloud)


async def attack(bounds: Bounds, readers: tuple[Callable[[str, Random], str], ...] = READERS) -> Report:
    """Each document to each reader. It has a thread, because the virtual loop of a device is none of this one."""
    return await asyncio.to_thread(_attack, bounds, readers)


def _attack(bounds: Bounds, readers: tuple[Callable[[str, Random], str], ...]) -> Report:
    configure("text", "critical")
    report, ends, longest = Report(), Counter[str](), dict.fromkeys((reader.__name__ for reader in readers), 0.0)
    before, until = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic() + bounds.seconds
    for number, text in enumerate(texts(bounds.seed)):
        if report.tried >= bounds.count or time.monotonic() > until or len(report.findings) >= MOST_FINDINGS:
            break
        report.tried += 1
        for reader in readers:
            began = time.monotonic()
            with _found(report, f"{number}, {reader.__name__}, {text[:100]!r}"):
                ends[f"{reader.__name__}: {reader(text, Random(f'{bounds.seed}/{number}'))}"] += 1
            seconds = time.monotonic() - began
            longest[reader.__name__] = max(longest[reader.__name__], seconds)
            if seconds > SLOW_SECONDS:
                report.findings.append(f"{number}, {reader.__name__}: {seconds:.1f} s for {text[:100]!r}")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    if grown > MEMORY_BYTES:
        report.findings.append(f"{grown >> 20} MiB more than before")
    report.figures |= {name: f"{count:,}" for name, count in sorted(ends.items())}
    report.figures |= {f"longest {name}": f"{1000 * seconds:.0f} ms" for name, seconds in longest.items()}
    report.figures["memory"] = f"{grown >> 20} MiB more than before"
    return report


@contextmanager
def _found(report: Report, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        report.findings.append(f"{what}: {type(error).__name__}: {str(error)[:200]} at {place}")
