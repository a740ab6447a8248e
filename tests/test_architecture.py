"""Who may import whom: the dependency direction that keeps both cores free of I/O."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

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
    pytest.param("agent/device_events.py", ("agent.values",), (), False, id="the account knows values"),
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
    pytest.param("agent/recovery.py", ("agent.device_events",), (), False, id="recovery knows events"),
    pytest.param(
        "agent/core",
        (
            "agent.core",
            "agent.abilities",
            "agent.device_events",
            "agent.causes",
            "agent.plan",
            "agent.recovery",
            "agent.values",
        ),
        (),
        False,
        id="the device core does no I/O and knows no third party",
    ),
    pytest.param(
        "agent/correlation.py",
        ("agent.core", "agent.abilities", "agent.device_events", "agent.documents", "agent.plan", "agent.values"),
        (),
        False,
        id="who mints tokens knows what the core takes in and gives out",
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
        ("aiohttp", "yarl"),
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
    # ── the cloud around its jobs and its gateway ──────────────────────────────────────────────────────────────────
    pytest.param("simulator/cloud/arns.py", (), (), False, id="ARNs know nothing of what they name"),
    pytest.param("simulator/cloud/contained.py", ("agent.log",), (), True, id="what contains faults knows none"),
    pytest.param("simulator/cloud/pace.py", (), (), True, id="a pace knows nothing of what goes on at it"),
    pytest.param(
        "simulator/cloud/background.py",
        ("simulator.cloud.contained",),
        (),
        True,
        id="what a loop does in the background is contained",
    ),
    pytest.param(
        "simulator/cloud/asked.py",
        ("simulator.cloud.settings",),
        ("pydantic",),
        False,
        id="what is asked of a cloud that is up knows settings",
    ),
    pytest.param(
        "simulator/cloud/fidelity", ("simulator.cloud.fidelity",), (), False, id="claims know nothing but each other"
    ),
    pytest.param(
        "simulator/cloud/settings",
        ("simulator.cloud.settings", "simulator.cloud.arns", "simulator.cloud.jobs", "simulator.cloud.mqtt.limits"),
        ("pydantic", "pydantic_core"),
        True,
        id="settings know what can be set, and nobody who is set up by them",
    ),
    pytest.param(
        "simulator/cloud/notices",
        ("simulator.cloud.notices", "agent.log", "simulator.trace"),
        (),
        True,
        id="what is told knows the log and the trace",
    ),
    pytest.param(
        "simulator/cloud/notices/refusals.py", (), (), False, id="what is refused knows nothing of who tells it"
    ),
    pytest.param(
        "simulator/cloud/notices/basic_ingest.py",
        ("simulator.cloud.notices.refusals",),
        (),
        False,
        id="Basic Ingest knows topics",
    ),
    pytest.param(
        "simulator/cloud/notices/telling.py",
        ("simulator.cloud.notices.refusals", "agent.log", "simulator.trace"),
        (),
        False,
        id="who tells it has no clock",
    ),
    pytest.param(
        "simulator/cloud/registry",
        ("simulator.cloud.registry",),
        ("cryptography", "luqum"),
        False,
        id="the registry does no I/O and knows no jobs",
    ),
    pytest.param(
        "simulator/cloud/s3",
        ("simulator.cloud.jobs", "agent.values"),
        (),
        True,
        id="what stands for S3 knows documents and a directory",
    ),
    pytest.param(
        "simulator/cloud/access",
        (
            "simulator.cloud.access",
            "simulator.cloud.arns",
            "simulator.cloud.mqtt.authorization",
            "simulator.cloud.notices.refusals",
            "simulator.cloud.registry",
            "simulator.certificate_files",
        ),
        ("botocore", "cryptography"),
        True,
        id="who gets in knows the registry, and what the gateway asks",
    ),
    pytest.param("simulator/cloud/access/policies.py", (), (), False, id="policies know nothing but their documents"),
    pytest.param(
        "simulator/cloud/access/policy_variables.py",
        ("simulator.cloud.access.policies",),
        ("cryptography",),
        False,
        id="variables know certificates",
    ),
    pytest.param(
        "simulator/cloud/device_api",
        (
            "simulator.cloud.device_api",
            "simulator.cloud.arns",
            "simulator.cloud.contained",
            "simulator.cloud.jobs",
            "simulator.cloud.mqtt",
            "simulator.cloud.notices.refusals",
            "simulator.cloud.registry",
            "simulator.cloud.settings",
            "agent.device_events",
            "agent.jitter",
            "agent.log",
            "agent.messages",
            "agent.topics",
            "agent.values",
            "simulator.trace",
        ),
        ("pydantic_core",),
        False,
        id="the device API does no I/O, and knows messages, jobs and what the gateway asks of it",
    ),
    pytest.param(
        "simulator/cloud/api",
        (
            "simulator.cloud.api",
            "simulator.cloud.access",
            "simulator.cloud.arns",
            "simulator.cloud.contained",
            "simulator.cloud.device_api",
            "simulator.cloud.settings",
            "simulator.cloud.jobs",
            "simulator.cloud.notices",
            "simulator.cloud.registry",
            "simulator.cloud.s3",
            "simulator.certs",
            "agent.device_events",
            "agent.errors",
            "agent.log",
            "agent.values",
        ),
        ("aiohttp", "cryptography", "regex"),
        True,
        id="the APIs know neither the broker nor the store",
    ),
    pytest.param(
        "simulator/cloud/listeners",
        (
            "simulator.cloud.listeners",
            "simulator.cloud.access",
            "simulator.cloud.api",
            "simulator.cloud.settings",
            "simulator.cloud.mqtt",
            "simulator.cloud.notices",
            "simulator.cloud.s3",
            "simulator.cloud.tenant",
            "simulator.certificate_files",
        ),
        ("aiohttp",),
        True,
        id="listeners know what they serve, and not what keeps it",
    ),
    # ── its gateway and its store ──────────────────────────────────────────────────────────────────────────────────
    pytest.param(
        "simulator/cloud/mqtt",
        (
            "agent.transports.handshake",
            "simulator.secure_wire",
            "simulator.cloud.background",
            "simulator.cloud.mqtt",
            "simulator.cloud.notices.basic_ingest",
            "simulator.cloud.contained",
            "simulator.cloud.notices.refusals",
            "simulator.cloud.notices.strangers",
        ),
        (),
        True,
        id="the gateway knows MQTT, not Jobs",
    ),
    pytest.param(
        "simulator/cloud/mqtt/*.py",
        (
            "simulator.cloud.mqtt",
            "simulator.cloud.notices.basic_ingest",
            "simulator.cloud.contained",
            "simulator.cloud.notices.refusals",
            "simulator.cloud.notices.strangers",
        ),
        (),
        False,
        id="the broker has no loop, no clock and no socket",
    ),
    pytest.param(
        "simulator/cloud/workers",
        (
            "simulator.cloud.workers",
            "simulator.certificate_files",
            "simulator.processes",
            "simulator.cloud.background",
            "simulator.cloud.contained",
            "simulator.cloud.mqtt.shells.handshake",
            "simulator.cloud.mqtt.shells.listening",
            "simulator.cloud.notices.refusals",
            "simulator.cloud.notices.strangers",
            "agent.errors",
            "agent.log",
        ),
        (),
        True,
        id="workers know ports and TLS, and neither MQTT nor jobs",
    ),
    pytest.param(
        "simulator/cloud/store/encoding.py", (), (), False, id="how records are written knows nothing of what they are"
    ),
    pytest.param(
        "simulator/cloud/store",
        (
            "simulator.cloud.store",
            "simulator.cloud.jobs",
            "simulator.cloud.registry",
            "simulator.cloud.mqtt.records",
            "agent.values",
            "agent.errors",
        ),
        (),
        True,
        id="the store knows records, and neither MQTT nor HTTP nor a third party",
    ),
    pytest.param(
        "simulator/cloud",
        (
            "simulator.cloud",
            "simulator.certificate_files",
            "simulator.certs",
            "simulator.heartbeat",
            "simulator.processes",
            "simulator.secure_wire",
            "simulator.trace",
            "agent",
        ),
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
            "agent.device_events",
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
    pytest.param(
        "simulator/devices/rig",
        (
            "simulator.devices.rig",
            "simulator.devices.flash",
            "simulator.devices.hardware",
            "simulator.devices.sectors",
            "simulator.devices.storage",
            "simulator.scenario",
            "simulator.trace.flash_events",
            "agent.causes",
            "agent.core",
            "agent.device_events",
            "agent.errors",
            "agent.plan",
        ),
        (),
        False,
        id="the rig has no loop and no clock, and knows no agent",
    ),
    *(
        pytest.param(f"simulator/devices/{name}.py", ours, (), False, id=f"{name}: hardware without time")
        for name, ours in (
            ("hardware", ("agent.abilities", "agent.device_events")),
            ("flash", ("agent.abilities", "simulator.devices.hardware", "simulator.trace.flash_events")),
            ("sectors", ("agent.causes", "agent.plan", "simulator.devices.hardware")),
            ("storage", ("agent.core.record", "agent.journal", "agent.record_json")),
        )
    ),
    pytest.param(
        "simulator/devices",
        ("simulator.devices", "simulator.pace", "simulator.scenario", "simulator.trace.flash_events", "agent"),
        (),
        True,
        id="devices know no cloud and no engine",
    ),
    pytest.param("simulator/pace.py", ("agent.loop_time",), (), True, id="what time runs by knows what waits for it"),
    pytest.param("simulator/secure_wire.py", (), (), True, id="TLS on a socket knows nothing of who speaks on it"),
    pytest.param(
        "simulator/certificate_files.py", ("agent.errors", "agent.tls"), (), True, id="a certificate's files know TLS"
    ),
    pytest.param(
        "simulator/certs.py",
        ("simulator.certificate_files", "agent.errors"),
        ("cryptography",),
        True,
        id="certificates are made for their files",
    ),
    pytest.param(
        "simulator/http_connections.py",
        ("agent.messages", "agent.runner", "agent.topics", "agent.values", "simulator.scenario"),
        ("aiohttp",),
        True,
        id="devices' connections over HTTP carry requests, and know no cloud and no engine",
    ),
    pytest.param(
        "simulator/engines/chip.py",
        ("agent.errors", "simulator.devices.device", "simulator.devices.hardware"),
        (),
        True,
        id="a flash in a file knows hardware, and no engine",
    ),
    pytest.param("simulator/schemas", (), (), False, id="schemas are files, and know no model"),
    pytest.param(
        "simulator/engines",
        (
            "simulator.engines",
            "simulator.cloud",
            "simulator.controller",
            "simulator.devices",
            "simulator.exit_codes",
            "simulator.heartbeat",
            "simulator.own_fault",
            "simulator.pace",
            "simulator.processes",
            "simulator.scenario",
            "simulator.secure_wire",
            "simulator.trace",
            "simulator.verdict",
            "agent",
        ),
        ("numpy", "pydantic", "yaml"),
        True,
        id="engines play and judge, and know no report and no command line",
    ),
    pytest.param(
        "simulator/engines/explore",
        (
            "simulator.cloud.device_api.trace_events",
            "simulator.cloud.jobs",
            "simulator.cloud.settings.service",
            "simulator.devices.hardware",
            "simulator.devices.models",
            "simulator.devices.rig",
            "simulator.devices.sectors",
            "simulator.devices.storage",
            "simulator.engines.explore",
            "simulator.engines.forks",
            "simulator.processes",
            "simulator.scenario",
            "simulator.trace",
            "simulator.verdict",
            "agent.abilities",
            "agent.causes",
            "agent.core",
            "agent.correlation",
            "agent.device_events",
            "agent.errors",
            "agent.journal",
            "agent.recovery",
            "agent.values",
            "agent.wording",
        ),
        ("numpy", "pydantic", "yaml"),
        True,
        id="what is explored is values, and the search knows arrays and processes",
    ),
    pytest.param(
        "simulator/engines/ray",
        (
            "simulator.engines.afar",
            "simulator.engines.explore",
            "simulator.engines.meeting",
            "simulator.engines.ray",
            "simulator.engines.shards",
            "simulator.processes",
            "agent.errors",
        ),
        (),
        True,
        id="what is spread over a cluster is made elsewhere, and only the command line knows it",
    ),
    pytest.param(
        "simulator/engines/*.py",
        (
            "simulator.engines",
            "simulator.cloud",
            "simulator.controller",
            "simulator.devices",
            "simulator.exit_codes",
            "simulator.heartbeat",
            "simulator.own_fault",
            "simulator.pace",
            "simulator.processes",
            "simulator.scenario",
            "simulator.secure_wire",
            "simulator.trace",
            "simulator.verdict",
            "agent",
        ),
        (),
        True,
        id="what plays devices needs no third party",
    ),
    pytest.param(
        "simulator/engines/conductor",
        (
            "simulator.cloud",
            "simulator.controller",
            "simulator.devices",
            "simulator.engines.casting",
            "simulator.engines.conductor",
            "simulator.engines.explore",
            "simulator.engines.live",
            "simulator.engines.mqtt_connections",
            "simulator.engines.virtual",
            "simulator.pace",
            "simulator.scenario",
            "simulator.trace",
            "simulator.verdict",
            "agent",
        ),
        (),
        True,
        id="the conductor knows the explorer and both engines, and neither knows it",
    ),
    pytest.param(
        "simulator/certify",
        (
            "simulator.certify",
            "simulator.certs",
            "simulator.cloud",
            "simulator.controller",
            "simulator.engines",
            "simulator.exit_codes",
            "simulator.heartbeat",
            "simulator.processes",
            "simulator.report",
            "simulator.scenario",
            "simulator.trace",
            "simulator.verdict",
            "agent",
        ),
        ("aiohttp", "cryptography", "paho", "pydantic", "regex", "rich", "yaml", "yarl"),
        True,
        id="certifying knows everything but the command line, and only that knows it",
    ),
    pytest.param(
        "simulator/certify/arrival.py",
        ("simulator.certify", "simulator.trace"),
        (),
        False,
        id="who arrives is read from the trace",
    ),
    pytest.param(
        "simulator/certify/refused_arrival.py",
        ("simulator.certify", "simulator.trace"),
        (),
        False,
        id="why somebody was refused is read from the trace",
    ),
    pytest.param(
        "simulator/certify/standing.py",
        ("simulator.certify", "simulator.trace"),
        (),
        False,
        id="what stands is read from the trace",
    ),
    pytest.param("simulator/certify/filters.py", (), (), False, id="what a filter brings knows nothing"),
    pytest.param(
        "simulator/certify/aws",
        (
            "simulator.certify",
            "simulator.certs",
            "simulator.cloud.arns",
            "simulator.cloud.jobs",
            "simulator.cloud.settings",
            "simulator.controller",
            "simulator.engines.venue",
            "simulator.heartbeat",
            "simulator.scenario",
            "simulator.trace",
            "simulator.verdict",
            "agent",
        ),
        ("paho",),
        True,
        id="an account is reached through the controller's carriers, and no cloud of ours runs",
    ),
    pytest.param(
        "simulator/certify/aws/afar.py",
        ("simulator.certify.learning", "simulator.trace", "simulator.verdict", "agent.values"),
        (),
        False,
        id="what is seen from afar is read from the trace",
    ),
    pytest.param(
        "simulator/certify/wrong_topics.py",
        ("agent.topics", "simulator.certify.filters"),
        (),
        False,
        id="what is wrong knows topics",
    ),
    pytest.param(
        "simulator/certify/learning.py",
        (
            "simulator.certify.first_job",
            "simulator.certify.not_learned",
            "simulator.trace",
            "simulator.verdict",
            "agent",
        ),
        (),
        False,
        id="what a device shows is read from the trace",
    ),
    pytest.param(
        "simulator/certify/cells",
        ("simulator.certify.cell", "simulator.certify.conditions", "simulator.certify.points"),
        (),
        False,
        id="cells are rows of points and conditions",
    ),
    pytest.param(
        "simulator/certify/draft.py",
        (
            "simulator.certify",
            "simulator.cloud.jobs",
            "simulator.cloud.settings",
            "simulator.scenario",
            "simulator.verdict.bounds",
        ),
        (),
        False,
        id="a cell comes to a scenario",
    ),
    pytest.param(
        "simulator/certify/probes",
        (
            "simulator.certify.offer",
            "simulator.certify.probes",
            "simulator.trace",
            "agent.errors",
            "agent.json_text",
            "agent.log",
        ),
        ("aiohttp", "regex", "yarl"),
        True,
        id="probes know what they ask, and write it into the trace",
    ),
    pytest.param(
        "simulator/forecast",
        (
            "simulator.forecast",
            "simulator.cloud.jobs",
            "simulator.cloud.settings.service",
            "simulator.controller",
            "simulator.engines",
            "simulator.pace",
            "simulator.scenario",
            "simulator.trace",
            "simulator.verdict.peak",
            "agent.device_events",
            "agent.errors",
            "agent.jitter",
            "agent.names",
            "agent.values",
            "agent.wording",
        ),
        ("pydantic",),
        True,
        id="forecasts play and count, and know no page but their own and no command line",
    ),
    pytest.param("simulator/cli", ("simulator", "agent"), None, True, id="the command line is above everything"),
    pytest.param(
        "simulator/face/ghostjob",
        (),
        ("ghostjob",),
        True,
        id="the face is imported by anybody: the standard library alone",
    ),
    pytest.param(
        "simulator/face/pytest_ghostjob",
        (),
        ("ghostjob", "pytest", "pytest_ghostjob"),
        True,
        id="the plug-in is loaded by every pytest: it knows pytest and the face",
    ),
    pytest.param("simulator/exit_codes.py", (), (), False, id="the table of exit codes knows nothing"),
    pytest.param("simulator/own_fault.py", ("agent.log",), (), True, id="what a fault costs is told by who meets it"),
    pytest.param(
        "simulator/processes.py",
        ("agent.errors",),
        (),
        True,
        id="how a process begins and ends knows the root of errors",
    ),
    pytest.param(
        "simulator/controller",
        (
            "simulator.controller",
            "simulator.scenario",
            "simulator.trace",
            "simulator.cloud.api",
            "agent.errors",
            "agent.hosts",
            "agent.jitter",
            "agent.log",
            "agent.values",
        ),
        ("aiohttp", "boto3", "botocore"),
        True,
        id="the controller knows a control plane, and no engine",
    ),
    pytest.param("simulator/trace", ("agent", "simulator.trace"), ("pydantic",), False, id="the trace knows values"),
    pytest.param("simulator/docs", ("simulator.docs",), (), False, id="pages know nothing but each other"),
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
            "simulator.verdict.bounds",
            "simulator.verdict.model",
        ),
        ("pydantic", "yaml"),
        True,
        id="scenarios know names, and what the verdict can be asked",
    ),
    pytest.param(
        "simulator/verdict",
        (
            "simulator.verdict",
            "simulator.trace",
            "agent.values",
            "agent.device_events",
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
            "agent.device_events",
            "agent.documents",
            "agent.plan",
            "agent.recovery",
            "agent.core.events",
            "agent.core.record",
            "agent.core.state.DevicePolicy",
        ),
        (),
        False,
        id="devices of other designs share no decision with our own core, only what it takes in and gives out",
    ),
    pytest.param(
        "simulator/page/*.py",
        (
            "simulator.page",
            "simulator.certify.certificate",
            "simulator.docs",
            "simulator.own_fault",
            "simulator.report",
            "simulator.trace",
            "simulator.verdict",
            "agent.device_events",
            "agent.values",
        ),
        ("pydantic", "pydantic_core"),
        False,
        id="the page reads the trace, the verdict and the certificate, and does no I/O",
    ),
    pytest.param(
        "simulator/page",
        (
            "simulator.page",
            "simulator.certify.certificate",
            "simulator.docs",
            "simulator.own_fault",
            "simulator.report",
            "simulator.trace",
            "simulator.verdict",
            "agent.device_events",
            "agent.errors",
            "agent.log",
            "agent.values",
            "agent.wording",
        ),
        ("aiohttp", "pydantic", "pydantic_core"),
        True,
        id="the live page serves what the page reads",
    ),
    pytest.param(
        "simulator/report",
        (
            "simulator.report",
            "simulator.trace",
            "simulator.verdict",
            "simulator.scenario.thing_of_agent",
            "simulator.own_fault",
            "agent.values",
            "agent.device_events",
        ),
        None,
        False,
        id="reports read the trace and the verdict",
    ),
]


def _loaded(path: Path) -> set[str]:
    """What is imported, and not for types alone."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    return _names(tree, path)


@cache
def _imports(path: Path) -> set[str]:
    return _names(ast.parse(path.read_text("utf-8")), path)


def _names(tree: ast.Module, path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
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
    return sorted(ROOT.glob(part) if path.suffix else path.rglob("*.py"))


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


# Of the explorer, what knows arrays, processes or a clock: the search. All else is values, and does no I/O.
SEARCH = {
    *("components", "expansion", "found", "graph", "index", "limits", "liveness", "local_moves", "notes", "packing"),
    *("passing", "paths", "search", "shard", "sharing", "shipping", "standing", "tables", "walks"),
}


def test_of_the_explorer_only_its_search_knows_arrays_processes_or_a_clock():
    kept_apart = {*IO, "numpy", "multiprocessing"}
    know = {path.stem for path in _sources("simulator/engines/explore/*.py") if _tops(path) & kept_apart}
    assert know == SEARCH


LAYERS = (
    # ── of the cloud, each of which may know those before it ──────────────────────────────────────────────────────
    ("arns", "contained", "jobs", "notices", "pace", "registry"),
    ("background", "s3"),
    ("mqtt",),
    ("workers",),
    ("access", "settings", "store"),
    ("asked", "device_api"),
    ("api",),
    ("core", "fidelity"),
    ("tenant",),
    ("listeners",),
    ("local",),
    ("serving",),
    # ── end of the layers ─────────────────────────────────────────────────────────────────────────────────────────
)


def _layers() -> list[Any]:
    return [pytest.param(name, number, id=name) for number, names in enumerate(LAYERS) for name in names]


@pytest.mark.parametrize(("name", "number"), _layers())
def test_the_cloud_is_built_in_layers(name: str, number: int):
    below = {name} | {each for names in LAYERS[:number] for each in names}
    part = ROOT / "simulator" / "cloud" / name
    for path in _sources(f"simulator/cloud/{name}" if part.is_dir() else f"simulator/cloud/{name}.py"):
        known = {each.split(".")[2] for each in _loaded(path) if each.startswith("simulator.cloud.")}
        assert known <= below, f"{path.relative_to(ROOT)} knows what is not below it"


def test_the_layers_are_all_of_the_cloud():
    there = {path.stem for path in (ROOT / "simulator/cloud").iterdir() if path.suffix == ".py" or _is_package(path)}
    assert there - {"__init__"} == {name for names in LAYERS for name in names}


def _is_package(path: Path) -> bool:
    return (path / "__init__.py").exists()


# A row: importing this loads, of our own packages, no more than these prefixes, no I/O and nothing of a third party.
LOADS = [
    pytest.param(
        "agent.core",
        (
            "agent.core",
            "agent.abilities",
            "agent.device_events",
            "agent.causes",
            "agent.json_text",
            "agent.plan",
            "agent.recovery",
            "agent.values",
        ),
        id="the device core",
    ),
    pytest.param("agent.values", ("agent.values", "agent.json_text"), id="what both cores speak"),
    pytest.param(
        "agent.recovery",
        ("agent.recovery", "agent.device_events", "agent.json_text", "agent.values"),
        id="the table of recovery",
    ),
    pytest.param(
        "simulator.cloud.jobs",
        ("simulator.cloud.jobs", "agent.json_text", "agent.values"),
        id="the jobs core",
    ),
]
LOADED = """
import sys
before = set(sys.modules)
import {module}
print("\\n".join(set(sys.modules) - before))
"""


def _loading(module: str) -> list[str]:
    """Every module that is there after an import, and was not before."""
    script = LOADED.format(module=module)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(done.stdout.split())


@pytest.mark.parametrize(("module", "ours"), LOADS)
def test_import_loads_only(module: str, ours: tuple[str, ...]):
    packages = {prefix[:end] for prefix in ours for end, letter in enumerate(prefix) if letter == "."}
    for name in _loading(module):
        is_ours = name in packages or any(name == prefix or name.startswith(f"{prefix}.") for prefix in ours)
        top = name.partition(".")[0]
        assert is_ours or (top in STDLIB and top not in IO), f"{module} loads {name}"


def test_only_the_log_knows_structlog_so_that_a_library_prints_nothing():
    sources = [*_sources("agent"), *_sources("simulator")]
    users = [path.relative_to(ROOT).as_posix() for path in sources if "structlog" in _tops(path)]
    assert users == ["agent/log.py"]


def test_the_broker_knows_nothing_of_what_carries_its_bytes():
    graph = _graph()
    known = {_module(path) for path in _sources("simulator/cloud/mqtt/*.py")}
    while not (further := {name for module in known for name in graph[module]}) <= known:
        known |= further
    assert not {name for name in known if name.startswith("simulator.cloud.mqtt.shells")}
    assert not {name for name in known if _tops(_path(name)) & {"asyncio", "socket", "ssl"}}


@pytest.mark.parametrize(("part", "ours", "others", "may_do_io"), RULES)
def test_a_row_allows_no_more_than_is_imported(
    part: str, ours: tuple[str, ...], others: tuple[str, ...] | None, may_do_io: bool
):
    names = {name for path in _sources(part) for name in _imports(path)}
    tops = {name.partition(".")[0] for name in names}
    assert [each for each in ours if not any(f"{name}.".startswith(f"{each}.") for name in names)] == []
    assert set(others or ()) <= tops
    assert tops & IO or not may_do_io


def test_every_part_of_the_simulator_has_its_row():
    parts = [path for room in ("simulator", "simulator/cloud") for path in (ROOT / room).iterdir()]
    there = {path for path in parts if path.suffix == ".py" or _is_package(path)}
    rows = {ROOT / str(row.values[0]) for row in RULES}
    outermost = {ROOT / "simulator/cloud" / name for name in ("core.py", "local.py", "serving.py", "tenant.py")}
    assert {path for path in there - rows if path.name != "__init__.py"} == outermost, "the row of the cloud is theirs"


def _path(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _graph() -> dict[str, set[str]]:
    """Which modules of ours each of them imports; what is imported only for its types counts as well."""
    paths = {_module(path): path for path in (*_sources("agent"), *_sources("simulator"))}

    def module_of(name: str) -> str | None:
        return next((each for each in (name, name.rpartition(".")[0]) if each in paths), None)

    return {
        module: {found for name in _imports(path) if (found := module_of(name)) not in (None, module)}
        for module, path in paths.items()
    }


def test_no_module_imports_itself_by_way_of_others():
    try:
        TopologicalSorter(_graph()).prepare()
    except CycleError as error:
        raise AssertionError(" <- ".join(error.args[1])) from None


LOOP_AND_NETWORK = {"asyncio", "aiohttp", "cryptography", "ssl", "structlog"}


@pytest.mark.parametrize(
    "module", ["simulator.devices.models", "simulator.devices.rig.steps", "simulator.scenario", "simulator.verdict"]
)
def test_what_an_explorer_steps_through_loads_no_event_loop_and_no_broker(module: str):
    loaded = _loading(module)
    assert not {name.partition(".")[0] for name in loaded} & LOOP_AND_NETWORK
    assert "simulator.cloud.mqtt.broker" not in loaded


def test_the_verdict_loads_nothing_but_the_trace():
    loaded = _loading("simulator.verdict")
    assert not {name for name in loaded if name.partition(".")[0] == "yaml"}
    ours = {name for name in loaded if name.startswith("simulator.")}
    events = {f"simulator.trace.{name}_events" for name in ("cloud", "flash", "play")}
    assert {name for name in ours if not name.startswith("simulator.verdict")} == {"simulator.trace", *events}
