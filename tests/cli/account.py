"""A cloud of its own process that is reached as an account of AWS is: signatures, certificates, slow deletions."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from simulator.certs import make_certificates
from tests.cli.certifying import GHOSTJOB

KEY: Final = "AKIACERTIFYINGTEST01"
SECRET: Final = "not-so-secret"
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
DELETION_SECONDS: Final = 1.5


@dataclass(frozen=True)
class CloudAccount:
    """`api` is its control plane, `mqtts` its gateway, which was started with `certs`."""

    api: str
    mqtts: str
    certs: Path

    def iot(self) -> Any:
        """A client of its control plane."""
        return boto3.client(
            "iot",
            endpoint_url=self.api,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )

    @contextmanager
    def device(self, thing: str, model: str, step_seconds: float) -> Iterator[None]:
        """A simulated device that is somebody else's: a process of its own while the context lasts."""
        who = ("--thing", thing, "--model", model, "--step-seconds", str(step_seconds), "--log-level", "error")
        command = (*GHOSTJOB, "fleet", "--endpoint", self.mqtts, "--certs", str(self.certs), "--no-table", *who)
        with subprocess.Popen(command) as process:
            try:
                yield
            finally:
                process.kill()


@contextmanager
def cloud_account(directory: Path, *things: str) -> Iterator[CloudAccount]:
    """It is up while the context lasts; `things` have certificates."""
    certs = directory / "cloud-certs"
    make_certificates(certs, list(things), ("127.0.0.1", "localhost"))
    ports = ("--api-port", "0", "--mqtt-port", "off", "--mqtts-port", "0", "--data-port", "off")
    more = ("--access-key", f"{KEY}:{SECRET}", "--deletion-seconds", str(DELETION_SECONDS))
    command = (*GHOSTJOB, "cloud", *ports, "--certs", str(certs), *more, "--ready-file", "-", "--until-stdin-closes")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            first = process.stdout.readline()
            assert first, "the cloud did not start"
            endpoints = json.loads(first)
            yield CloudAccount(endpoints["api"], endpoints["mqtts"], certs)
        finally:
            process.stdin.close()
            process.wait()
