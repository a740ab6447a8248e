"""AWS's own device SDK is refused by `ghostjob cloud`, whose log says why, and what to do."""

import concurrent.futures
import json
from pathlib import Path
from typing import Any

from awscrt import mqtt5
from awsiot import mqtt5_client_builder

from .cloud_process import running_cloud

WAIT = 20


def test_the_log_says_why_awsiotsdk_does_not_get_in(certs: Path, tmp_path: Path):
    log = tmp_path / "log"
    with log.open("w") as stderr, running_cloud("--log-format", "json", certs=certs, stderr=stderr) as endpoints:
        _fail_to_connect(
            endpoint="localhost",
            port=int(endpoints["mqtts"].rpartition(":")[2]),
            ca_filepath=f"{certs}/ca.pem",
            cert_filepath=f"{certs}/dev-0.pem",
            pri_key_filepath=f"{certs}/dev-0.key",
            client_id="somebody-else",
        )
    said = [json.loads(line) for line in log.read_text().splitlines()]
    first = next(line for line in said if line["event"] == "client.refused")
    assert (first["code"], first["level"], first["action"]) == ("not-allowed", "warning", "iot:Connect")
    assert (first["client_id"], first["address"]) == ("somebody-else", "127.0.0.1")
    assert "connect with client_id=dev-0, or make a certificate for somebody-else" in first["hint"]


def _fail_to_connect(**options: Any) -> None:
    failed: concurrent.futures.Future[Any] = concurrent.futures.Future()
    stopped: concurrent.futures.Future[None] = concurrent.futures.Future()

    def fail(data: Any) -> None:
        if not failed.done():
            failed.set_result(data)

    client = mqtt5_client_builder.mtls_from_path(
        **options,
        on_lifecycle_connection_failure=fail,
        on_lifecycle_stopped=lambda data: stopped.set_result(None),
    )
    client.start()
    failed.result(WAIT)
    client.stop(mqtt5.DisconnectPacket())
    stopped.result(WAIT)
