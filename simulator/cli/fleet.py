"""`ghostjob fleet`: simulated devices alone, against any endpoint."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import Final, Literal

import click

from agent.errors import InputError
from agent.hosts import is_loopback
from agent.log import configure
from agent.transports.endpoint import Endpoint, probe
from simulator.certificate_files import client_context
from simulator.cli.listing import tell_fault
from simulator.cli.options import (
    Seconds,
    SomePath,
    allow_files,
    logging_options,
    model_option,
    run_loop,
    table_option,
    until_stopped,
)
from simulator.cli.screen import has_table, on_screen
from simulator.devices.models import model_named
from simulator.engines.chip import ChipFile
from simulator.engines.fleet import Fleet
from simulator.engines.mqtt_connections import MqttConnections
from simulator.engines.output import OutputDirectory
from simulator.http_connections import HttpConnections
from simulator.report.contained import ContainedTable
from simulator.scenario import Group, Timings, thing_names
from simulator.trace import Entry

NEEDS_NO_MQTT: Final = ("poller", "http-data-plane")
"""The models that do not listen: they can ask over HTTPS alone."""
EXAMPLE = """\b
Examples:
  ghostjob fleet --devices 10
  ghostjob fleet --endpoint 127.0.0.1:8883 --certs certs --devices 10 --namespace-id lab --out out
  ghostjob fleet --thing pump-7 --endpoint 127.0.0.1:8883 --certs certs --flash flash
  ghostjob fleet --thing pump-7 --data-endpoint 127.0.0.1:8443 --certs certs --model http-data-plane
"""


@click.command(epilog=EXAMPLE)
@click.option("--endpoint", default="127.0.0.1:1883", show_default=True, help="HOST:PORT of the MQTT gateway.")
@click.option("--data-endpoint", help="HOST:PORT of the Jobs data plane over HTTPS, for models that need no MQTT.")
@click.option("--devices", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many.")
@click.option("--thing", "things", multiple=True, help="These things instead of --devices; may be repeated.")
@click.option("--namespace-id", default=None, help="The namespace that they listen in.")
@model_option(default="reference", help="How they behave; `ghostjob run --models` has the names.")
@click.option(
    "--reports",
    type=click.Choice(["progress", "steps", "end"]),
    default="progress",
    show_default=True,
    help="What they report beside the end.",
)
@click.option(
    "--step-seconds",
    type=Seconds(0, 86_400),
    default=2.0,
    show_default=True,
    help="How long a step of an update takes.",
)
@click.option(
    "--certs",
    type=SomePath(),
    default=None,
    help="Mutual TLS with the certificates in this directory: ca.pem, THING.pem, THING.key.",
)
@click.option(
    "--flash",
    type=SomePath(file_okay=False),
    default=None,
    help="A directory for the devices' flash, so that SIGKILL is a power cut; else they are as from the factory.",
)
@click.option("--mqtt-version", type=click.Choice(["3", "5"]), default="5", show_default=True)
@click.option("--seconds", type=Seconds(0), default=None, help="Stop after so long; else at Ctrl-C.")
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of all jitter.")
@click.option("--out", type=SomePath(), default=None, help="A directory for trace.jsonl.")
@click.option("--allow-aws", is_flag=True, help="Connect to an endpoint that is not this machine.")
@table_option
@logging_options()
def fleet(
    endpoint: str,
    data_endpoint: str | None,
    devices: int,
    things: tuple[str, ...],
    namespace_id: str | None,
    model: str,
    reports: Literal["progress", "steps", "end"],
    step_seconds: float,
    certs: Path | None,
    flash: Path | None,
    mqtt_version: str,
    seconds: float | None,
    seed: int,
    out: Path | None,
    allow_aws: bool,
    table: bool | None,
    log_format: str,
    log_level: str,
) -> int:
    """Run simulated devices until Ctrl-C. They take real jobs: on AWS, only from things made for that."""
    configure(log_format, log_level)
    model_named(model)
    names = things or thing_names(devices)
    group = Group(group="fleet", namespace=namespace_id, model=model, reports=reports)
    allow_files(len(names))
    those = _Devices(
        tuple((name, group) for name in names),
        _over_http(data_endpoint, model, certs, names, allow_aws)
        if data_endpoint
        else _over_mqtt(endpoint, certs, names, allow_aws, seed, int(mqtt_version)),
        Timings(download=step_seconds, write=step_seconds, self_test=step_seconds),
        seed,
        _chips(flash),
    )
    shows_table = has_table(table)
    return run_loop(_run(those, seconds, out, shows_table))


@dataclass(frozen=True, slots=True)
class _Devices:
    """Which devices, what connects them, and where their flash is."""

    things: tuple[tuple[str, Group], ...]
    ways: "_Ways"
    timings: Timings
    seed: int
    chip: Callable[[str], ChipFile] | None


@dataclass(frozen=True, slots=True)
class _Ways:
    """Connections of a fleet, and who must be there for them to work."""

    connections: MqttConnections | HttpConnections
    peer: Endpoint


def _over_mqtt(
    endpoint: str, certs: Path | None, names: tuple[str, ...], allow_aws: bool, seed: int, mqtt_version: int
) -> _Ways:
    host, port = _here("--endpoint", endpoint, allow_aws)
    endpoint_of = _endpoints(host, port, certs, names)
    return _Ways(MqttConnections(endpoint_of, seed, mqtt_version), endpoint_of(names[0]))


def _over_http(endpoint: str, model: str, certs: Path | None, names: tuple[str, ...], allow_aws: bool) -> _Ways:
    """Raises InputError, too, if the model waits for notifications, which there are none of."""
    if model not in NEEDS_NO_MQTT:
        raise InputError(f"--data-endpoint: {model} listens to MQTT; those that do not: {', '.join(NEEDS_NO_MQTT)}")
    if certs is None:
        raise InputError("--data-endpoint: the Jobs data plane over HTTPS knows devices by certificate: give --certs")
    host, port = _here("--data-endpoint", endpoint, allow_aws)
    tls = _contexts(certs, names)
    return _Ways(HttpConnections(host, port, lambda thing: tls[thing]), Endpoint(host, port))


def _here(option: str, endpoint: str, allow_aws: bool) -> tuple[str, int]:
    """Host and port. Raises InputError."""
    host, port = _split(option, endpoint)
    if not is_loopback(host) and not allow_aws:
        raise InputError(
            f"{option} {endpoint}: not this machine; simulated devices take real jobs there, so it needs --allow-aws"
        )
    return host, port


def _chips(flash: Path | None) -> Callable[[str], ChipFile] | None:
    """Raises InputError."""
    if flash is None:
        return None
    try:
        flash.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--flash {flash}: {error.strerror}") from None
    return lambda thing: ChipFile(flash, thing)


def _split(option: str, endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.rpartition(":")
    if not host or "/" in host or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(f"{option} {endpoint}: give HOST:PORT and no scheme, such as 127.0.0.1:1883")
    return host.strip("[]"), int(port)


def _endpoints(host: str, port: int, certs: Path | None, names: tuple[str, ...]) -> Callable[[str], Endpoint]:
    """Each thing's endpoint: all the same without TLS, with a certificate of its own otherwise."""
    if certs is None:
        plain = Endpoint(host, port)
        return lambda _: plain
    contexts = _contexts(certs, names)
    return lambda name: Endpoint(host, port, contexts[name])


def _contexts(certs: Path, names: tuple[str, ...]) -> dict[str, SSLContext]:
    """Raises InputError."""
    return {name: client_context(certs / "ca.pem", certs / f"{name}.pem", certs / f"{name}.key") for name in names}


async def _run(those: _Devices, seconds: float | None, out: Path | None, shows_table: bool) -> int:
    await probe(those.ways.peer)
    namespaces = {thing: group.namespace for thing, group in those.things}
    table = ContainedTable("fleet", namespaces, "Ctrl-C ends", tell=tell_fault)
    with ExitStack() as stack:
        output = stack.enter_context(OutputDirectory(out)) if out else None

        def feed(entry: Entry) -> None:
            table.feed(entry)
            if output:
                output.write(entry)

        connections = those.ways.connections
        fleet = Fleet(those.things, connections, those.seed, feed, timings=those.timings, chip=those.chip)
        async with connections, fleet, on_screen(table, shows_table):
            await until_stopped(seconds)
        if output:
            output.finish(None)
    return 0
