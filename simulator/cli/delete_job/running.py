"""From the arguments to the exit code, in the order in which the AWS CLI does things, so that it fails alike."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from botocore.session import Session
from botocore.stub import Stubber

from simulator.cli.delete_job.failures import INTERRUPTED_CODE, USAGE_PROBLEMS, report
from simulator.cli.delete_job.options import parse_everywhere, parse_here
from simulator.cli.delete_job.output import DEFAULT_PAGER, check, render, show
from simulator.cli.delete_job.parameters import parameters
from simulator.cli.delete_job.prompting import asked_for, prompt
from simulator.cli.delete_job.session import apply, auto_prompt, client, configured, make_session
from simulator.cli.delete_job.skeletons import SKELETONS

_log = logging.getLogger("ghostjob.delete-job")


def run(arguments: Sequence[str]) -> int:
    """Delete the job that the arguments name; the exit code."""
    try:
        mode = asked_for(arguments, auto_prompt(make_session()))
        if mode == "on-partial":
            try:
                return _delete(arguments)
            except USAGE_PROBLEMS:
                mode = "on"
        return _delete(prompt(arguments) if mode == "on" else arguments)
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return INTERRUPTED_CODE
    except Exception as error:
        _log.debug("command.failed", exc_info=True)
        return report(error, sys.stderr)


def _delete(arguments: Sequence[str]) -> int:
    session = make_session()
    everywhere, rest = parse_everywhere(arguments)
    apply(session, everywhere)
    here = parse_here(rest)
    members = parameters(here)
    skeleton = here.generate_cli_skeleton
    if skeleton in SKELETONS:
        operation = session.get_service_model("iot").operation_model("DeleteJob")
        sys.stdout.write(SKELETONS[skeleton](operation))
        return 0
    form = check(everywhere.output or configured(session, "output") or "json")
    response = _answer(session, everywhere, members, pretended=skeleton == "output")
    show(render(response, form, everywhere), _pager(session, everywhere))
    return 0


def _answer(
    session: Session, options: argparse.Namespace, members: dict[str, Any], *, pretended: bool
) -> dict[str, Any]:
    """The service's; or, if only pretended, an example of it, once the members are found valid."""
    iot = client(session, options)
    if not pretended:
        return dict(iot.delete_job(**members))
    with Stubber(iot) as stubber:
        stubber.add_response("delete_job", {})
        return dict(iot.delete_job(**members))


def _pager(session: Session, options: argparse.Namespace) -> str | None:
    if options.no_cli_pager:
        return None
    found = configured(session, "cli_pager")
    return os.environ.get("PAGER", DEFAULT_PAGER) if found is None else found
