"""AWS's own SDK, unmodified, by the other ways into the gateway: a signed WebSocket, and the name of MQTT in TLS."""

import concurrent.futures
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from awscrt import auth, io, mqtt, mqtt5
from awsiot import iotjobs, mqtt5_client_builder, mqtt_connection_builder

from .cloud_process import running_cloud
from .conftest import Cloud

WAIT = 20
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def signed(certs: Path) -> Iterator[int]:
    """The API port of a cloud that checks signatures."""
    key = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
    with running_cloud("--access-key", key, certs=certs) as endpoints:
        yield int(endpoints["api"].rpartition(":")[2])


def _arguments(port: int, certs: Path, secret: str | None = None) -> dict[str, Any]:
    key = os.environ["AWS_ACCESS_KEY_ID"]
    provider = auth.AwsCredentialsProvider.new_static(key, secret or os.environ["AWS_SECRET_ACCESS_KEY"])
    return {
        "endpoint": "localhost",
        "port": port,
        "ca_filepath": f"{certs}/ca.pem",
        "region": "us-east-1",
        "credentials_provider": provider,
        "client_id": f"browser-{next(NUMBERS)}",  # one is let in once a second
    }


def _up_and_asking(client_of: Callable[..., Any]) -> None:
    """Connect a version 5 client, ask for a thing's pending jobs, and leave."""
    up: concurrent.futures.Future[Any] = concurrent.futures.Future()
    down: concurrent.futures.Future[None] = concurrent.futures.Future()
    client = client_of(
        on_lifecycle_connection_success=lambda data: up.set_result(data.negotiated_settings),
        on_lifecycle_connection_failure=lambda data: up.set_exception(data.exception),
        on_lifecycle_stopped=lambda data: down.set_result(None),
    )
    client.start()
    try:
        assert up.result(WAIT).server_keep_alive_sec == 1200
        from awscrt.mqtt_request_response import ClientOptions

        options = ClientOptions(
            max_request_response_subscriptions=4, max_streaming_subscriptions=2, operation_timeout_in_seconds=WAIT
        )
        jobs = iotjobs.IotJobsClientV2(client, options)
        asked = iotjobs.GetPendingJobExecutionsRequest(thing_name="dev-0")
        assert jobs.get_pending_job_executions(asked).result(WAIT).queued_jobs == []
        del jobs
    finally:
        client.stop(mqtt5.DisconnectPacket())
        down.result(WAIT)


def test_a_signed_websocket_carries_mqtt_5(signed: int, certs: Path):
    _up_and_asking(
        lambda **callbacks: mqtt5_client_builder.websockets_with_default_aws_signing(
            **_arguments(signed, certs), **callbacks
        )
    )


def test_a_signed_websocket_carries_mqtt_3(signed: int, certs: Path):
    connection = mqtt_connection_builder.websockets_with_default_aws_signing(**_arguments(signed, certs))
    assert connection.connect().result(WAIT)["session_present"] is False
    heard: concurrent.futures.Future[tuple[str, bytes]] = concurrent.futures.Future()
    subscribed, _ = connection.subscribe(
        "a", mqtt.QoS.AT_LEAST_ONCE, lambda topic, payload, **more: heard.set_result((topic, payload))
    )
    subscribed.result(WAIT)
    connection.publish("a", b"x", mqtt.QoS.AT_LEAST_ONCE)[0].result(WAIT)
    assert heard.result(WAIT) == ("a", b"x")
    connection.disconnect().result(WAIT)


def test_a_websocket_signed_with_another_secret_is_refused(signed: int, certs: Path):
    connection = mqtt_connection_builder.websockets_with_default_aws_signing(
        **_arguments(signed, certs, "another"), reconnect_min_timeout_secs=30
    )
    with pytest.raises(Exception, match="WEBSOCKET_UPGRADE_FAILURE"):
        connection.connect().result(WAIT)


def test_mqtt_may_be_named_in_tls(cloud: Cloud):
    files = cloud.files("dev-0")
    tls = io.TlsContextOptions.create_client_with_mtls_from_path(files["cert"], files["key"])
    tls.override_default_trust_store_from_path(None, files["ca"])
    tls.alpn_list = ["x-amzn-mqtt-ca"]

    def client_of(**callbacks: Any) -> mqtt5.Client:
        options = mqtt5.ClientOptions(
            host_name="localhost",
            port=cloud.mqtts[1],
            tls_ctx=io.ClientTlsContext(tls),
            connect_options=mqtt5.ConnectPacket(client_id="dev-0", keep_alive_interval_sec=1200),
            **{name.replace("on_lifecycle", "on_lifecycle_event") + "_fn": act for name, act in callbacks.items()},
        )
        return mqtt5.Client(options)

    _up_and_asking(client_of)
