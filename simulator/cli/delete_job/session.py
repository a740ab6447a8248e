"""A botocore session as the AWS CLI sets its own up: profiles, credentials, endpoints, retries are AWS's own code."""

import argparse
import logging
import os
import sys
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlparse

import jmespath
from botocore import UNSIGNED
from botocore.config import Config
from botocore.configprovider import (
    ChainProvider,
    EnvironmentProvider,
    InstanceVarProvider,
    ScopedConfigProvider,
)
from botocore.exceptions import ProfileNotFound
from botocore.session import Session
from botocore.utils import IMDSRegionProvider

from simulator.cli.delete_job.failures import InputProblem
from simulator.cli.delete_job.options import version_line

Variable: TypeAlias = Literal["output", "cli_pager", "cli_auto_prompt"]
ENVIRONMENT: Final[dict[Variable, tuple[str, ...]]] = {
    "output": ("AWS_DEFAULT_OUTPUT",),
    "cli_pager": ("AWS_PAGER",),
    "cli_auto_prompt": ("AWS_CLI_AUTO_PROMPT",),
}
"""What the AWS CLI configures beyond botocore, and the variables that come before the configuration file."""
DEFAULT_SECONDS: Final = 60
LOG_FORMAT: Final = "%(asctime)s - %(threadName)s - %(name)s - %(levelname)s - %(message)s"


def make_session() -> Session:
    """A session that looks for its region where the AWS CLI does, and tells who calls."""
    session = Session()
    session.user_agent_name, session.user_agent_version = "ghostjob", version_line().split()[0].partition("/")[2]
    providers: list[Any] = [  # IMDSRegionProvider is a provider without being a BaseProvider
        InstanceVarProvider("region", session),
        EnvironmentProvider("AWS_REGION", os.environ),
        EnvironmentProvider("AWS_DEFAULT_REGION", os.environ),
        ScopedConfigProvider("region", session),
        IMDSRegionProvider(session),
    ]
    session.get_component("config_store").set_config_provider("region", ChainProvider(providers))
    return session


def configured(session: Session, variable: Variable) -> str | None:
    """A variable of the AWS CLI's own, from the environment or the profile; None if it is nowhere. May be empty."""
    environment = [EnvironmentProvider(name, os.environ) for name in ENVIRONMENT[variable]]
    found = ChainProvider([*environment, ScopedConfigProvider(variable, session)]).provide()
    return None if found is None else str(found)


def auto_prompt(session: Session) -> str:
    """`on`, `on-partial` or `off`."""
    try:
        return (configured(session, "cli_auto_prompt") or "off").lower()
    except ProfileNotFound:
        return "off"  # it is said when the profile is needed


def apply(session: Session, options: argparse.Namespace) -> None:
    """Set the session up as the command line says. Raises InputProblem, ValueError."""
    if options.query is not None:
        options.query = _query(options.query)
    if options.endpoint_url is not None and not urlparse(options.endpoint_url).scheme:
        raise InputProblem(
            f'Bad value for --endpoint-url "{options.endpoint_url}": scheme is missing.  '
            "Must be of the form http://<hostname>/ or https://<hostname>/"
        )
    settings: dict[str, Any] = {name: _seconds(getattr(options, name)) for name in ("read_timeout", "connect_timeout")}
    if not options.sign_request:
        settings["signature_version"] = UNSIGNED
    session.set_default_client_config(Config(**settings))
    if options.profile:
        session.set_config_variable("profile", options.profile)
    if options.region:
        session.set_config_variable("region", options.region)
    if options.debug:
        _log_everything()


def client(session: Session, options: argparse.Namespace) -> Any:
    """A client of the service; of whatever operations it may have, one is called here."""
    verify = (options.ca_bundle or None) if options.verify_ssl else False
    return session.create_client("iot", region_name=options.region, endpoint_url=options.endpoint_url, verify=verify)


def _query(expression: str) -> Any:
    try:
        return jmespath.compile(expression)
    except Exception as error:
        raise InputProblem(f"Bad value for --query {expression}: {error}") from None


def _seconds(given: str | None) -> int | None:
    return (DEFAULT_SECONDS if given is None else int(given)) or None


def _log_everything() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    for name in ("botocore", "urllib3", "ghostjob"):
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).addHandler(handler)
