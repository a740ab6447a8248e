"""`ghostjob certs`: certificates for the local cloud and its devices."""

from pathlib import Path

import click

from simulator.cli.options import SomePath

EXAMPLE = """\b
Examples:
  ghostjob certs --dir certs --thing thing-0 --thing thing-1
  ghostjob certs --dir certs --devices 10
  ghostjob certs --dir certs --host lab.example --host 192.0.2.7
"""


@click.command(epilog=EXAMPLE)
@click.option(
    "--dir",
    "directory",
    type=SomePath(),
    default=Path("certs"),
    show_default=True,
    help="Where they go; what is there already is kept.",
)
@click.option("--thing", "things", multiple=True, help="A thing that gets a client certificate; may be repeated.")
@click.option(
    "--devices",
    type=click.IntRange(1, 100_000),
    default=None,
    help="Certificates for so many things, named as `ghostjob fleet` names them.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="A further name or address of the cloud, as devices call it; may be repeated.",
)
def certs(directory: Path, things: tuple[str, ...], devices: int | None, hosts: tuple[str, ...]) -> int:
    """Make a CA, a server certificate and a client certificate for each thing (P-256, PEM)."""
    from simulator.certificate_files import exposed
    from simulator.certs import DEFAULT_HOSTS, make_certificates
    from simulator.scenario import thing_names

    names = things + (thing_names(devices) if devices else ())
    make_certificates(directory, names, (*DEFAULT_HOSTS, *hosts))
    click.echo(f"{directory}: CA, server and {len(names)} device certificate{'s' if len(names) != 1 else ''}", err=True)
    for sentence in exposed(directory):
        click.echo(f"warning: {sentence}", err=True)
    return 0
