"""`ghostjob certify`: find out whether a device of one's own recovers when its job is deleted under it."""

import json
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from agent.errors import InputError
from simulator.cli.listing import print_list
from simulator.cli.options import (
    Port,
    Seconds,
    SomePath,
    check_cluster,
    cluster_option,
    interrupt_when_stdin_closes,
    logging_options,
    run_loop,
)
from simulator.cli.page import PageWanted, page_options

if TYPE_CHECKING:
    from simulator.certify.matrix import Cell
    from simulator.cli.certifying_account import Account

EXAMPLE = """\b
Examples:
  ghostjob certify --thing pump-7
  ghostjob certify --thing pump-7 --probe 'cmd:./version.sh' --out report
  ghostjob certify --quick -- ./my-agent --host {host} --port {mqtts_port} \\
      --ca {ca} --cert {cert} --key {key} --thing {thing}
  ghostjob certify --schedule out/schedules/01-alive.yaml -- ./my-agent {host} {port}
  ghostjob certify --full --engine ray --cluster 10.0.0.1:6379 -- ./my-agent {host} {port}
  ghostjob certify --list
"""


def _cells(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """What the shell may complete a cell's name to."""
    from simulator.certify.matrix import CELLS

    return [cell.id for cell in CELLS if cell.id.startswith(incomplete)]


@click.command(epilog=EXAMPLE)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]")
@click.option("--thing", default="device-under-test", show_default=True, help="The thing that the device is.")
@click.option("--namespace-id", default=None, help="The namespace in which it listens; none: the default one.")
@click.option(
    "--probe",
    "probes",
    multiple=True,
    help="What shows that the device is alive, and its version: cmd:COMMAND, http:URL, mqtt:TOPIC, serial:DEVICE, "
    "file:PATH; may be repeated. `ghostjob explain probes` has more.",
)
@click.option(
    "--out",
    type=SomePath(),
    default=None,
    help="A directory for certificate.json, junit.xml, summary.md, report.html, trace.jsonl and each cell's own trace.",
)
@click.option("--quick", is_flag=True, help="Only the most telling cells.")
@click.option("--full", is_flag=True, help="Every cell.")
@click.option(
    "--only", multiple=True, shell_complete=_cells, help="Only this cell, or all of this point; may be repeated."
)
@click.option("--list", "is_list", is_flag=True, help="Print the cells and what each shows; start nothing.")
@click.option(
    "--schedule",
    "schedules",
    multiple=True,
    type=SomePath(),
    help="A schedule that `ghostjob explore` keeps: the device is held to its order as far as the gateway can. Without "
    "--quick, --full or --only nothing else is played; may be repeated.",
)
@click.option(
    "--document",
    type=SomePath(exists=True, dir_okay=False),
    default=None,
    help="The job document, JSON or YAML: {version} in it becomes the version, one of two in turn.",
)
@click.option(
    "--artifact",
    "artifacts",
    multiple=True,
    type=SomePath(exists=True, dir_okay=False),
    help="Give it twice: the files A and B that jobs bring in turn, as presigned URLs.",
)
@click.option(
    "--step",
    "steps",
    multiple=True,
    metavar="REGEX",
    help="A line that the device's process prints at a dangerous moment which the wire does not show; may be repeated.",
)
@click.option(
    "--bound",
    "bounds",
    multiple=True,
    metavar="NAME=SECONDS",
    help="A bound that the device must keep, instead of the one that is made of its first job: ready_seconds=5 wants "
    "it to be at the next job within 5 s; may be repeated. `ghostjob explain bounds` has all.",
)
@click.option("--reset-cmd", default=None, help="A command that brings the device back to a state in which it works.")
@click.option(
    "--power-cmd", default=None, help="A command that cuts the device's power if called with `off`, and `on` again."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address that the cloud binds to.")
@click.option(
    "--address",
    default=None,
    help="The address by which the device reaches us, if it is another; it stands in the server's certificate.",
)
@click.option(
    "--allow-topic",
    "allow_topics",
    multiple=True,
    metavar="FILTER",
    help="What the device uses besides its Jobs topics and dut/THING/#, such as 'telemetry/#'; may be repeated.",
)
@click.option("--mqtts-port", type=Port(), default=None, help="MQTT with mutual TLS: 8883; free with COMMAND.")
@click.option("--data-port", type=Port(), default=None, help="The data plane: 8443; free with COMMAND.")
@click.option("--api-port", type=Port(), default=None, help="The control plane: 4566; free with COMMAND.")
@click.option(
    "--mqtt-port", type=Port(), default="off", show_default=True, help="MQTT without TLS, which lets anybody in."
)
@click.option(
    "--certs",
    type=SomePath(),
    default=None,
    help="Where certificates are made, and found again: certify-certs; temporary with COMMAND.",
)
@click.option(
    "--wait",
    "wait_seconds",
    type=Seconds(0, min_open=True),
    default=None,
    help="Seconds to wait for the device to come by: 3600; 60 with COMMAND.",
)
@click.option(
    "--first-job",
    "first_job_seconds",
    type=Seconds(0, 86_400, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds that its first job, which nobody disturbs, may take.",
)
@click.option("--json", "is_json", is_flag=True, help="Say everything on stdout, as lines of JSON.")
@click.option(
    "--cells-from-stdin", is_flag=True, help="Play each cell whose id comes in as a line of stdin, until it closes."
)
@click.option("--until-stdin-closes", is_flag=True, help="End when standard input closes, as if interrupted.")
@click.option("--seed", type=int, default=0, show_default=True, help="The seed of all chance.")
@click.option(
    "--engine",
    type=click.Choice(["live", "ray"]),
    default="live",
    show_default=True,
    help="Where the cells are played: live is here, one after the other with one device; ray has each played on some "
    "node of a cluster, which starts COMMAND and a cloud for it (`ghostjob explain ray`).",
)
@cluster_option()
@click.option(
    "--endpoint-url",
    default=None,
    help="Certify there, through boto3, and start no cloud: AWS, or anything like it. `ghostjob explain aws` has more.",
)
@click.option("--profile", default=None, help="Of AWS's configuration, for an endpoint that is not the local cloud.")
@click.option("--region", default=None, help="The region there, if the profile names none.")
@click.option("--allow-aws", is_flag=True, help="Make and delete jobs on an endpoint that is not this machine.")
@click.option(
    "--make-certificate",
    is_flag=True,
    help="With --endpoint-url: make a certificate for the device, into the directory of --certs; removed at the end.",
)
@click.option(
    "--dry-run", is_flag=True, help="With --endpoint-url: say what would be made, asked and deleted, and ask nothing."
)
@page_options(outlasts=True)
@logging_options("error")
def certify(
    *,
    quick: bool,
    full: bool,
    is_list: bool,
    engine: str,
    cluster: str | None,
    until_stdin_closes: bool,
    log_format: str,
    log_level: str,
    **given: Any,
) -> int:
    """Certify a device: force-delete jobs under it at every dangerous point, and judge how it recovers.

    The device is on your desk: a local AWS IoT starts, says what to put on it, and waits for it. Or it is COMMAND,
    which is started, has its power cut and is started again by this command; placeholders such as {host} and {cert}
    are filled in (`ghostjob explain certify` has all of them), and are in its environment as GHOSTJOB_HOST and so on.

    Exit code 0: passed; 1: failed, an invariant was violated; 2: bad input; 3: inconclusive, since the device did not
    come by, or a cell could not show what it is there to show.
    """
    from agent.log import configure
    from simulator.certify.matrix import choose
    from simulator.certify.moments import cells_of
    from simulator.cli.schedule_cells import schedule_cells

    configure(log_format, log_level)
    if sum((quick, full, bool(given["only"]))) > 1:
        raise InputError("certify: give at most one of --quick, --full and --only")
    from simulator.certify.aws.reach import OF_ACCOUNTS
    from simulator.cli.certifying_account import Account

    page = PageWanted.taken(given)
    account = Account.taken_from(given)
    besides = OF_ACCOUNTS if account.is_meant else ()
    held_to = schedule_cells(given["schedules"])
    more = (*cells_of(given["steps"]), *held_to)
    is_asked_for = not held_to or quick or full or given["only"]
    cells = choose(given["only"], quick=quick, full=full, besides=besides, more=more) if is_asked_for else held_to
    if is_list:
        told = cells if quick or given["only"] else choose((), full=True, besides=besides, more=more)
        return _list(told, given["is_json"])
    check_cluster(cluster, engine)
    if until_stdin_closes:
        if given["cells_from_stdin"]:
            raise InputError("--until-stdin-closes: stdin has the cells already, and it ends with them")
        interrupt_when_stdin_closes()
    if engine == "ray":
        from simulator.cli.certifying_on_cluster import certified_on_cluster

        return certified_on_cluster(cells, cluster, given, is_of_account=account.is_meant, has_page=page is not None)
    return _certify(cells, account, page, given)


def _certify(cells: Sequence["Cell"], account: "Account", page: PageWanted | None, given: dict[str, Any]) -> int:
    from simulator.certify.aws.ledger import Ledger
    from simulator.cli.certify_options import check
    from simulator.cli.certifying import CertifyCall
    from simulator.cli.certifying_account import Remains, dry_run

    ledger = Ledger(secrets.token_hex(3))
    if not account.is_meant:
        return run_loop(CertifyCall(cells, None, ledger, page, **given).run())
    account.check(given)
    check(given)
    if account.dry_run:
        settings = account.settings(given["thing"], given["namespace_id"], given["certs"])
        return dry_run(cells, settings, is_json=given["is_json"])
    with Remains(account, ledger, given["is_json"]):
        return run_loop(CertifyCall(cells, account, ledger, page, **given).run())


def _list(cells: Sequence["Cell"], is_json: bool) -> int:
    from simulator.certify.matrix import DEFAULT, QUICK

    told = [
        {
            "id": cell.id,
            "point": cell.point,
            "condition": cell.condition,
            "shows": cell.shows,
            "needs": list(cell.needs),
            "quick": cell in QUICK,
            "default": cell in DEFAULT,
        }
        for cell in cells
    ]
    if is_json:
        click.echo(json.dumps({"cells": told}))
        return 0

    def mark(cell: "Cell") -> str:
        return "quick" if cell in QUICK else "" if cell in DEFAULT else "full"

    width = max(len(cell.id) for cell in cells)
    print_list([(f"{cell.id:<{width}}  {mark(cell):<5}", cell.shows) for cell in cells])
    click.echo("quick: with --quick, too; full: with --full only; those without a word are played by default", err=True)
    return 0
