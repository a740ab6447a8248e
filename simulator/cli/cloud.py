"""`ghostjob cloud`: the local AWS IoT, until it is told to stop."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from simulator.cli.options import AccessKey, Port, allow_files, logging_options, run_loop

if TYPE_CHECKING:
    from simulator.cloud.arns import Account
    from simulator.cloud.local import CloudOptions
    from simulator.cloud.settings import CloudSettings

AS_GIVEN: Final = (
    "host",
    "api_port",
    "mqtt_port",
    "mqtts_port",
    "data_port",
    "certs",
    "state",
    "files",
    "files_url",
)
"""Parameters that go into the cloud's options as they are."""
EXAMPLE = """\b
Examples:
  ghostjob cloud
  ghostjob cloud --fidelity
  ghostjob cloud --region eu-west-1 --account 123456789012
  aws --endpoint-url http://127.0.0.1:4566 --region us-east-1 iot create-thing --thing-name thing-0
"""


@click.command(epilog=EXAMPLE)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address that every listener binds to.")
@click.option(
    "--api-port",
    type=Port(),
    default=4566,
    show_default=True,
    help="Control plane, and MQTT over WebSocket at /mqtt; HTTP and, with --certs, TLS.",
)
@click.option("--mqtt-port", type=Port(), default=1883, show_default=True, help="MQTT without TLS.")
@click.option("--mqtts-port", type=Port(), default=8883, show_default=True, help="MQTT with mutual TLS; needs --certs.")
@click.option(
    "--data-port",
    type=Port(),
    default=8443,
    show_default=True,
    help="Jobs data plane and publishing over HTTPS with mutual TLS; needs --certs.",
)
@click.option(
    "--certs", type=click.Path(path_type=Path), default=None, help="The directory that `ghostjob certs` made."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=None,
    help="Keep everything in this SQLite file, and go on from it. Nothing that was answered is lost, come what may.",
)
@click.option(
    "--salvage",
    is_flag=True,
    help="If the file of --state is damaged, go on with all of it that can be read, and say what is lost; the damaged "
    "file is kept beside it.",
)
@click.option(
    "--access-key",
    "access_keys",
    type=AccessKey(),
    multiple=True,
    help="ID:SECRET; may be repeated. With one, signatures are checked; without, nobody has to sign. Everybody on this "
    "machine can read it here (/proc shows command lines): --access-key-file is for keys that are secret, or "
    "GHOSTJOB_ACCESS_KEYS in the environment, with one or more ID:SECRET.",
)
@click.option(
    "--access-key-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=None,
    help="The same from a file, one ID:SECRET a line; a warning if others than its owner may read it.",
)
@click.option(
    "--region",
    default="us-east-1",
    show_default=True,
    help="The region of who speaks MQTT, shows a certificate or does not sign; a signature says its own. Regions share "
    "neither things nor jobs.",
)
@click.option(
    "--account",
    default="000000000000",
    show_default=True,
    help="Likewise the account; a signature's is its access key's id, if that has twelve digits, else this one.",
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Serve DIR/BUCKET/KEY to devices: S3 placeholders in job documents become URLs on the API port that expire.",
)
@click.option(
    "--files-url",
    default=None,
    help="What these URLs begin with, if devices reach the API port by another name, such as http://lab:4566.",
)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    default=None,
    help="Written once all listen: JSON with the endpoints. Removed at the end.",
)
@click.option(
    "--trace", metavar="FILE", default=None, help="Write the cloud's trace entries to this file; - is stdout."
)
@click.option(
    "--deletion-seconds",
    type=click.FloatRange(0, 86_400),
    default=None,
    help="How long a deleted job stays DELETION_IN_PROGRESS, however many executions it has; without it the settings "
    "deletion_seconds and deletion_seconds_per_execution say so.",
)
@click.option(
    "--settings",
    default="{}",
    help="JSON: more settings of the service, and faults, as a scenario's `cloud` and `faults` have them; "
    "`gateway` has MQTT's limits, `http` the control plane's; --fidelity lists what of them is a claim about AWS.",
)
@click.option("--until-stdin-closes", is_flag=True, help="Stop when standard input closes.")
@click.option(
    "--fidelity",
    type=click.Choice(["table", "json"]),
    is_flag=False,
    flag_value="table",
    default=None,
    help="Start nothing; print what the service claims of AWS, how each claim is known, what can be set, and what is "
    "taken and not carried out: a table for people, or with `json` an object a row.",
)
@logging_options()
def cloud(
    *,
    ready_file: Path | None,
    trace: str | None,
    until_stdin_closes: bool,
    fidelity: str | None,
    salvage: bool,
    log_format: str,
    log_level: str,
    **given: Any,
) -> int:
    """Keep a local AWS IoT up: control plane, MQTT, MQTT and HTTPS with mutual TLS.

    It says what it serves, and to whom. Clients that are refused and messages that are dropped are logged with the
    reason; --log-level info adds who connects and what becomes of jobs, debug every request and notification.

    Port 0 means any free one, off means none.
    """
    if fidelity is not None:
        from simulator.cli.fidelity import show

        show(fidelity)
        return 0
    from agent.log import configure
    from simulator.cloud.serving import serve

    configure(log_format, log_level)
    allow_files(10_000, at_most=True)
    options = options_of(given)
    if salvage:
        _salvage(options.state)
    run_loop(
        serve(
            options,
            ready_file=ready_file,
            trace=trace,
            until_stdin_closes=until_stdin_closes,
            announce=lambda endpoints: None if until_stdin_closes else _announce(options, endpoints),
        )
    )
    return 0


def _salvage(state: Path | None) -> None:
    from agent.errors import InputError
    from simulator.cloud.store import salvage

    if state is None:
        raise InputError("--salvage: give the file that is damaged, with --state FILE")
    for line in salvage(state).lines:
        click.echo(line, err=True)


def options_of(given: Mapping[str, Any]) -> "CloudOptions":
    """What the command line asks for, by the names of its parameters. Raises InputError.

    What was not given is None, and overrides nothing.
    """
    from simulator.cli.access_keys import access_keys
    from simulator.cloud.local import CloudOptions

    more = _more_settings(given["settings"])
    jobs = more.cloud
    if given["deletion_seconds"] is not None:
        jobs = replace(jobs, deletion_seconds=given["deletion_seconds"], deletion_seconds_per_execution=0.0)
    return CloudOptions(
        **{name: given[name] for name in AS_GIVEN},
        access_keys=access_keys(given["access_keys"], given["access_key_file"]),
        account=_account(given["region"], given["account"]),
        jobs=jobs,
        faults=more.faults,
        seed=more.seed,
        gateway=more.gateway,
        http=more.http,
    )


def _account(region: str, account_id: str) -> "Account":
    from agent.errors import InputError
    from simulator.cloud.arns import ACCOUNT_ID, REGION, Account

    if not REGION.fullmatch(region):
        raise InputError(f"--region {region}: is no region; give one such as eu-west-1")
    if not ACCOUNT_ID.fullmatch(account_id):
        raise InputError(f"--account {account_id}: is no account; give its twelve digits")
    return Account(region, account_id)


def _more_settings(text: str) -> "CloudSettings":
    from pydantic import ValidationError

    from agent.errors import InputError
    from agent.wording import first_wrong
    from simulator.cloud.settings import CloudSettings

    try:
        return CloudSettings.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"--settings: {first_wrong(error, CloudSettings.model_json_schema)}") from None


def _announce(options: "CloudOptions", endpoints: dict[str, str | None]) -> None:
    from simulator.cli.announcing import announcement

    for line in announcement(options, endpoints):
        click.echo(line, err=True)
