"""Who may import whom: the dependency direction that keeps both cores free of I/O."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STDLIB = frozenset(sys.stdlib_module_names)
IO = frozenset(
    {
        "asyncio",
        "socket",
        "ssl",
        "select",
        "subprocess",
        "threading",
        "os",
        "io",
        "pathlib",
        "time",
        "datetime",
        "random",
        "secrets",
        "uuid",
        "http",
        "urllib",
        "tempfile",
        "shutil",
        "signal",
        "logging",
    }
)

# A row: this part of the tree may import, of our own packages, only these prefixes; and of others, only those named.
RULES = [
    pytest.param("agent/json_text.py", (), (), False, id="reading JSON within bounds knows nothing"),
    pytest.param("agent/envelope.py", (), (), False, id="what the bytes of a message tell knows nothing"),
    pytest.param("agent/values.py", ("agent.json_text",), (), False, id="values know how JSON is read"),
    pytest.param(
        "agent/partial.py", ("agent.envelope", "agent.topics", "agent.values"), (), False, id="a message in part"
    ),
    pytest.param("agent/bodies.py", ("agent.values",), ("pydantic",), False, id="shapes of messages know values"),
    pytest.param("agent/account.py", ("agent.values",), (), False, id="the account knows values"),
    pytest.param("agent/topics.py", ("agent.values",), (), False, id="topics know values"),
    pytest.param("agent/causes.py", (), (), False, id="the vocabulary of causes knows nothing"),
    pytest.param("agent/names.py", (), (), False, id="what is said of a name knows no third party"),
    pytest.param("agent/wording.py", (), ("pydantic",), False, id="the wording of errors knows no model"),
    pytest.param("agent/plan.py", ("agent.causes",), (), False, id="plans know no document"),
    pytest.param("agent/abilities.py", (), (), False, id="what a device can do knows nothing of what it is asked"),
    pytest.param(
        "agent/documents",
        ("agent.documents", "agent.abilities", "agent.causes", "agent.plan", "agent.values", "agent.wording"),
        ("pydantic",),
        False,
        id="documents know plans and JSON",
    ),
    pytest.param("agent/recovery.py", ("agent.account", "agent.values"), (), False, id="recovery knows values"),
    pytest.param(
        "agent/core",
        (
            "agent.core",
            "agent.abilities",
            "agent.account",
            "agent.causes",
            "agent.documents",
            "agent.plan",
            "agent.recovery",
            "agent.values",
        ),
        (),
        False,
        id="the device core does no I/O and knows no third party",
    ),
    pytest.param(
        "agent/messages.py",
        (
            "agent.bodies",
            "agent.values",
            "agent.topics",
            "agent.errors",
            "agent.wording",
            "agent.envelope",
            "agent.partial",
        ),
        ("pydantic", "pydantic_core"),
        False,
        id="messages alone know JSON",
    ),
    pytest.param(
        "agent/handlers",
        (
            "agent.handlers",
            "agent.abilities",
            "agent.causes",
            "agent.values",
            "agent.plan",
            "agent.errors",
            "agent.hosts",
            "agent.jitter",
        ),
        ("aiohttp", "yaml", "yarl"),
        True,
        id="handlers know steps, and neither the journal nor the transports nor the core",
    ),
    pytest.param(
        "agent/journal.py", ("agent.errors",), (), True, id="the journal knows bytes, and what holds them durably"
    ),
    pytest.param(
        "agent/transports",
        ("agent.transports", "agent.values", "agent.topics", "agent.messages", "agent.errors", "agent.jitter"),
        ("paho", "awscrt", "awsiot"),
        True,
        id="transports carry requests, and know nothing of what they are for",
    ),
    pytest.param("agent", ("agent",), None, True, id="the agent imports nothing of the simulator"),
    pytest.param(
        "simulator/cloud/jobs",
        ("simulator.cloud.jobs", "agent.values"),
        (),
        False,
        id="the service core does no I/O and knows no third party",
    ),
    pytest.param(
        "simulator/cloud/registry",
        ("simulator.cloud.registry",),
        ("cryptography", "luqum"),
        False,
        id="the registry does no I/O and knows no jobs",
    ),
    pytest.param(
        "simulator/cloud/api",
        (
            "simulator.cloud.api",
            "simulator.cloud.basic_ingest",
            "simulator.cloud.buckets",
            "simulator.cloud.contained",
            "simulator.cloud.denials",
            "simulator.cloud.device_api",
            "simulator.cloud.faults",
            "simulator.cloud.holders",
            "simulator.cloud.http_settings",
            "simulator.cloud.jobs",
            "simulator.cloud.policies",
            "simulator.cloud.presigned",
            "simulator.cloud.refusals",
            "simulator.cloud.registry",
            "simulator.cloud.signatures",
            "simulator.cloud.traced",
            "simulator.cloud.strangers",
            "simulator.certs",
            "agent.values",
            "agent.errors",
            "agent.log",
        ),
        ("aiohttp", "botocore", "cryptography", "regex"),
        True,
        id="the APIs know neither the broker nor the store",
    ),
    pytest.param(
        "simulator/cloud/mqtt",
        (
            "simulator.cloud.mqtt",
            "simulator.cloud.basic_ingest",
            "simulator.cloud.contained",
            "simulator.cloud.refusals",
            "simulator.cloud.strangers",
            "agent.errors",
            "agent.values",
            "agent.topics",
        ),
        None,
        True,
        id="the gateway knows MQTT, not Jobs",
    ),
    pytest.param(
        "simulator/cloud/variables.py",
        ("simulator.cloud.policies",),
        ("cryptography",),
        False,
        id="variables know certificates",
    ),
    pytest.param(
        "simulator/cloud/basic_ingest.py",
        ("simulator.cloud.refusals",),
        (),
        False,
        id="Basic Ingest knows topics",
    ),
    pytest.param("simulator/cloud/contained.py", ("agent.log",), (), True, id="what contains faults knows none"),
    pytest.param("simulator/cloud/refusals.py", (), (), False, id="what is refused knows nothing of who tells it"),
    pytest.param("simulator/cloud/policies.py", (), (), False, id="policies know nothing but their documents"),
    pytest.param(
        "simulator/cloud/store/encoding.py", (), (), False, id="how records are written knows nothing of what they are"
    ),
    pytest.param(
        "simulator/cloud/store",
        (
            "simulator.cloud.store",
            "simulator.cloud.jobs",
            "simulator.cloud.registry",
            "simulator.cloud.mqtt.lasting",
            "agent.values",
            "agent.errors",
        ),
        (),
        True,
        id="the store knows records, and neither MQTT nor HTTP nor a third party",
    ),
    pytest.param(
        "simulator/cloud",
        ("simulator.cloud", "simulator.certs", "simulator.heartbeat", "simulator.trace", "agent"),
        None,
        True,
        id="the cloud imports nothing of fleets, engines or reports",
    ),
    pytest.param(
        "simulator/devices/models",
        (
            "simulator.devices.models",
            "agent.core",
            "agent.values",
            "agent.account",
            "agent.documents",
            "agent.plan",
            "agent.recovery",
            "agent.errors",
            "agent.names",
        ),
        (),
        False,
        id="device models do no I/O and know no third party",
    ),
    pytest.param("simulator/trace.py", ("agent",), ("pydantic",), True, id="the trace knows values"),
    pytest.param("simulator/heartbeat.py", ("simulator.trace",), (), True, id="the heartbeat knows the trace"),
    pytest.param(
        "simulator/scenario",
        (
            "simulator.scenario",
            "agent.abilities",
            "agent.errors",
            "agent.names",
            "agent.recovery",
            "agent.wording",
            "simulator.cloud.settings",
        ),
        ("pydantic", "yaml"),
        True,
        id="scenarios know names",
    ),
    pytest.param(
        "simulator/verdict",
        (
            "simulator.verdict",
            "simulator.trace",
            "simulator.scenario",
            "agent.values",
            "agent.account",
            "agent.errors",
            "agent.wording",
        ),
        ("pydantic",),
        False,
        id="the verdict reads the trace and nothing else",
    ),
    pytest.param(
        "simulator/devices/models/designs",
        (
            "simulator.devices.models.asker",
            "simulator.devices.models.designs",
            "simulator.devices.models.model",
            "agent.values",
            "agent.account",
            "agent.documents",
            "agent.plan",
            "agent.recovery",
            "agent.core.events",
            "agent.core.record",
            "agent.core.state.Policy",
        ),
        (),
        False,
        id="devices of other designs share no decision with our own core, only what it takes in and gives out",
    ),
    pytest.param(
        "simulator/report",
        (
            "simulator.report",
            "simulator.trace",
            "simulator.verdict",
            "simulator.scenario.thing_of_agent",
            "agent.values",
            "agent.account",
        ),
        None,
        False,
        id="reports read the trace and the verdict",
    ),
]


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in _imports(path)}


def _sources(part: str) -> list[Path]:
    path = ROOT / part
    return [path] if path.suffix else sorted(path.rglob("*.py"))


@pytest.mark.parametrize(("part", "ours", "others", "may_do_io"), RULES)
def test_imports_point_one_way(part: str, ours: tuple[str, ...], others: tuple[str, ...] | None, may_do_io: bool):
    sources = _sources(part)
    assert sources, f"{part} has gone: take its row away"
    for path in sources:
        for name in sorted(_imports(path)):
            top = name.partition(".")[0]
            where = f"{path.relative_to(ROOT)} imports {name}"
            if top in ("agent", "simulator"):
                assert any(name == prefix or name.startswith(f"{prefix}.") for prefix in ours), where
            elif top in STDLIB:
                assert may_do_io or top not in IO, where
            else:
                assert others is None or top in others, where


def test_only_the_log_knows_structlog_so_that_a_library_prints_nothing():
    sources = [*_sources("agent"), *_sources("simulator")]
    users = [path.relative_to(ROOT).as_posix() for path in sources if "structlog" in _tops(path)]
    assert users == ["agent/log.py"]
