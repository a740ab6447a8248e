"""`ghostjob cloud`: the local AWS IoT, until it is told to stop."""

import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from agent.errors import InputError
from agent.log import configure, get_logger
from agent.wording import first_wrong
from simulator.cli.options import AccessKey, Port, Seconds, SomePath, allow_files, logging_options, run_loop
from simulator.cli.page import PageWanted, page_options

if TYPE_CHECKING:
    from simulator.cloud.settings.cloud import CloudSettings

STDOUT: Final = Path("-")
EXAMPLE = """\b
Examples:
  ghostjob cloud
  ghostjob cloud --fidelity
  ghostjob cloud --region eu-west-1 --account 123456789012
  aws --endpoint-url http://127.0.0.1:4566 --region us-east-1 iot create-thing --thing-name thing-0
"""


@click.command(epilog=EXAMPLE)
@click.option("--host", show_default="127.0.0.1", help="The address that every listener binds to.")
@click.option(
    "--api-port",
    type=Port(),
    show_default="4566",
    help="Control plane, and MQTT over WebSocket at /mqtt; HTTP and, with --certs, TLS.",
)
@click.option("--mqtt-port", type=Port(), show_default="1883", help="MQTT without TLS.")
@click.option("--mqtts-port", type=Port(), show_default="8883", help="MQTT with mutual TLS; needs --certs.")
@click.option(
    "--data-port",
    type=Port(),
    show_default="8443",
    help="Jobs data plane and publishing over HTTPS with mutual TLS; needs --certs.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    show_default="0",
    help="How many processes accept MQTT clients, do TLS, read and write for the one that has the broker and the jobs; "
    "0: that one does so itself. For machines with cores to spare.",
)
@click.option("--certs", type=SomePath(), default=None, help="The directory that `ghostjob certs` made.")
@click.option(
    "--state",
    type=SomePath(),
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
    type=SomePath(),
    default=None,
    help="The same from a file, one ID:SECRET a line; a warning if others than its owner may read it.",
)
@click.option(
    "--region",
    show_default="us-east-1",
    help="The region of who speaks MQTT, shows a certificate or does not sign; a signature says its own. Regions share "
    "neither things nor jobs.",
)
@click.option(
    "--account",
    show_default="000000000000",
    help="Likewise the account; a signature's is its access key's id, if that has twelve digits, else this one.",
)
@click.option(
    "--files",
    type=SomePath(exists=True, file_okay=False),
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
    type=SomePath(),
    default=None,
    help="Written once all listen: JSON with the endpoints; - is stdout, in a line. Removed at the end.",
)
@click.option(
    "--trace", metavar="FILE", default=None, help="Write the cloud's trace entries to this file; - is stdout."
)
@click.option("--packed", is_flag=True, hidden=True, help="Write it as ghostjob's own processes tell each other.")
@click.option(
    "--deletion-seconds",
    type=Seconds(0, 86_400),
    default=None,
    help="How long a deleted job stays DELETION_IN_PROGRESS, however many executions it has; without it the settings "
    "deletion_seconds and deletion_seconds_per_execution say so.",
)
@click.option(
    "--settings",
    default="{}",
    help="JSON: more settings of the service, and faults, as a scenario's `cloud` and `faults` have them; - is a line "
    "of stdin, as a command line shows secrets to everybody. "
    "`gateway` has MQTT's limits, `http` the control plane's; --fidelity lists what of them is a claim about AWS. "
    "Most options above can stand there too; `ghostjob schema settings` has all.",
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
@page_options(outlasts=False)
@logging_options()
def cloud(
    *,
    ready_file: Path | None,
    trace: str | None,
    packed: bool,
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
    page = PageWanted.taken(given)
    configure(log_format, log_level)
    allow_files(10_000, at_most=True)
    if given["settings"] == "-":
        given["settings"] = sys.stdin.buffer.readline() if sys.stdin else b""
    settings = settings_of(given)
    if salvage:
        _salvage(settings.state)

    def announce(endpoints: dict[str, str | None]) -> None:
        if ready_file == STDOUT:
            click.echo(json.dumps(endpoints))
        if not until_stdin_closes:
            _announce(settings, endpoints)

    serving = partial(
        _serve,
        settings,
        ready_file=None if ready_file == STDOUT else ready_file,
        trace=trace,
        packed=packed,
        until_stdin_closes=until_stdin_closes,
        announce=announce,
    )
    run_loop(serving() if page is None else _serve_with(page, serving))
    return 0


async def _serve(settings: "CloudSettings", **options: Any) -> None:
    from simulator.cloud.serving import serve

    await serve(settings, **options)


async def _serve_with(page: PageWanted, serving: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """With a page of whatever happens to whichever devices come by."""
    from simulator.cli.cloud_controls import CloudControls
    from simulator.cli.cloud_steering import CloudSteering
    from simulator.cli.listing import tell_fault
    from simulator.page.contained import ContainedPicture
    from simulator.trace import Entry

    picture = ContainedPicture("cloud", "a local AWS IoT, and whoever comes by", "cloud", tell_fault)
    steering = CloudSteering()

    def also(entry: Entry) -> None:
        picture.feed(entry)
        steering.feed(entry)

    async with page.served(picture, CloudControls(steering)) as server:
        try:
            await serving(also=also, page=server.url, meanwhile=steering.of)
        finally:
            picture.over()


def _salvage(state: Path | None) -> None:
    from simulator.cloud.store import salvage

    if state is None:
        raise InputError("--salvage: give the file that is damaged, with --state FILE")
    for line in salvage(state).lines:
        click.echo(line, err=True)


def settings_of(given: Mapping[str, Any]) -> "CloudSettings":
    """What the command line asks for, by the names of its parameters. Raises InputError.

    What was not given is None. An option comes before the same in `--settings`, and that is said.
    """
    from simulator.cli.access_keys import access_keys
    from simulator.cloud.settings.cloud import CloudSettings

    _checked("--settings", lambda: CloudSettings.model_validate_json(given["settings"]))
    more = json.loads(given["settings"])
    keys = access_keys(given["access_keys"], given["access_key_file"])
    options = {**given, "access_keys": keys or None, "settings": None}
    said = {name: value for name, value in options.items() if value is not None and name in CloudSettings.model_fields}
    ignored = more.keys() & said
    if (seconds := given["deletion_seconds"]) is not None:
        quick = {"deletion_seconds": seconds, "deletion_seconds_per_execution": 0.0}
        slow = more.get("cloud", {})
        ignored |= {f"cloud.{name}" for name in slow.keys() & quick}
        said["cloud"] = slow | quick
    for name in sorted(ignored):
        get_logger("ghostjob.cloud").warning("setting.ignored", setting=name, why="an option says otherwise")
    return _checked("", lambda: CloudSettings.model_validate(more | said))


def _checked(where: str, made: Callable[[], "CloudSettings"]) -> "CloudSettings":
    """What is made. Raises InputError that says which setting is wrong: without `where`, an option."""
    from pydantic import ValidationError

    from simulator.cloud.settings.cloud import CloudSettings

    try:
        return made()
    except ValidationError as error:
        wrong = first_wrong(error, CloudSettings.model_json_schema)
        if where:
            is_json = error.errors()[0]["type"] != "json_invalid"
            raise InputError(f"{where}: {wrong}" + ("" if is_json else '; a file is given as "$(cat FILE)"')) from None
        option = f"--{wrong.where[0]}".replace("_", "-")
        raise InputError(f"{option} {error.errors()[0]['input']}: {wrong.what}") from None


def _announce(settings: "CloudSettings", endpoints: dict[str, str | None]) -> None:
    from simulator.cli.announcing import NAME, announcement
    from simulator.cli.listing import talk

    for line in announcement(settings, endpoints):
        talk(line, NAME)
