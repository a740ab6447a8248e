"""AWS's own device SDK, unmodified, against `ghostjob cloud`: both of its Jobs clients, both with mutual TLS."""

import concurrent.futures
import queue
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from awscrt import mqtt, mqtt5
from awsiot import V2ServiceException, iotjobs, mqtt5_client_builder, mqtt_connection_builder

from .conftest import Api, Cloud

WAIT = 20


@contextmanager
def jobs_client_v2(cloud: Cloud, thing: str) -> Iterator[iotjobs.IotJobsClientV2]:
    files = cloud.files(thing)
    up: concurrent.futures.Future[None] = concurrent.futures.Future()
    down: concurrent.futures.Future[None] = concurrent.futures.Future()
    connection = mqtt5_client_builder.mtls_from_path(
        endpoint="localhost",
        port=cloud.mqtts[1],
        ca_filepath=files["ca"],
        cert_filepath=files["cert"],
        pri_key_filepath=files["key"],
        client_id=thing,
        on_lifecycle_connection_success=lambda data: up.set_result(None),
        on_lifecycle_stopped=lambda data: down.set_result(None),
    )
    connection.start()
    up.result(WAIT)
    client = iotjobs.IotJobsClientV2(connection, _options())
    try:
        yield client
    finally:
        del client
        connection.stop(mqtt5.DisconnectPacket())
        down.result(WAIT)


def _options() -> Any:
    from awscrt.mqtt_request_response import ClientOptions

    return ClientOptions(
        max_request_response_subscriptions=4, max_streaming_subscriptions=2, operation_timeout_in_seconds=WAIT
    )


def _stream(events: "queue.Queue[Any]") -> Any:
    from awsiot import ServiceStreamOptions

    return ServiceStreamOptions(
        incoming_event_listener=events.put,
        subscription_status_listener=lambda event: events.put("subscribed"),
    )


def test_jobs_client_v2_over_mqtt_5_takes_a_job_and_loses_it(cloud: Cloud, api: Api):
    thing = "dev-6"
    with jobs_client_v2(cloud, thing) as client:
        listed: queue.Queue[Any] = queue.Queue()
        heads: queue.Queue[Any] = queue.Queue()
        streams = [
            client.create_job_executions_changed_stream(
                iotjobs.JobExecutionsChangedSubscriptionRequest(thing_name=thing), _stream(listed)
            ),
            client.create_next_job_execution_changed_stream(
                iotjobs.NextJobExecutionChangedSubscriptionRequest(thing_name=thing), _stream(heads)
            ),
        ]
        for stream in streams:
            stream.open()
        for events in (listed, heads):
            assert events.get(timeout=WAIT) == "subscribed"
        pending = client.get_pending_job_executions(iotjobs.GetPendingJobExecutionsRequest(thing_name=thing)).result(
            WAIT
        )
        assert (pending.in_progress_jobs, pending.queued_jobs) == ([], [])

        api.create_job("sdk-5", thing)
        assert [each.job_id for each in listed.get(timeout=WAIT).jobs["QUEUED"]] == ["sdk-5"]
        assert heads.get(timeout=WAIT).execution.job_id == "sdk-5"
        asked = iotjobs.StartNextPendingJobExecutionRequest(thing_name=thing)
        started = client.start_next_pending_job_execution(asked).result(WAIT).execution
        assert (started.job_id, started.version_number) == ("sdk-5", 2)
        assert started.job_document == {"operation": "update", "version": "2.0"}

        api.delete_job("sdk-5")
        assert listed.get(timeout=WAIT).jobs == {}
        assert heads.get(timeout=WAIT).execution is None
        update = iotjobs.UpdateJobExecutionRequest(
            thing_name=thing, job_id="sdk-5", status=iotjobs.JobStatus.SUCCEEDED, expected_version=2
        )
        with pytest.raises(V2ServiceException) as refused:
            client.update_job_execution(update).result(WAIT)
        assert refused.value.modeled_error.code == iotjobs.RejectedErrorCode.RESOURCE_NOT_FOUND


def test_jobs_client_over_mqtt_3_finishes_a_job(cloud: Cloud, api: Api):
    thing = "dev-7"
    files = cloud.files(thing)
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint="localhost",
        port=cloud.mqtts[1],
        ca_filepath=files["ca"],
        cert_filepath=files["cert"],
        pri_key_filepath=files["key"],
        client_id=thing,
        clean_session=True,
    )
    connection.connect().result(WAIT)
    client = iotjobs.IotJobsClient(connection)
    try:
        answers: queue.Queue[Any] = queue.Queue()
        qos = mqtt.QoS.AT_LEAST_ONCE
        for subscribe, request in (
            (client.subscribe_to_start_next_pending_job_execution_accepted, "StartNextPendingJobExecution"),
            (client.subscribe_to_update_job_execution_accepted, "UpdateJobExecution"),
            (client.subscribe_to_describe_job_execution_rejected, "DescribeJobExecution"),
        ):
            kind = getattr(iotjobs, f"{request}SubscriptionRequest")
            named = {} if request.startswith("Start") else {"job_id": "sdk-3"}
            future, _ = subscribe(kind(thing_name=thing, **named), qos, answers.put)
            future.result(WAIT)
        api.create_job("sdk-3", thing)
        token = str(uuid.uuid4())
        started = iotjobs.StartNextPendingJobExecutionRequest(thing_name=thing, client_token=token)
        client.publish_start_next_pending_job_execution(started, qos).result(WAIT)
        answer = answers.get(timeout=WAIT)
        assert (answer.client_token, answer.execution.job_id) == (token, "sdk-3")
        done = iotjobs.UpdateJobExecutionRequest(
            thing_name=thing, job_id="sdk-3", status=iotjobs.JobStatus.SUCCEEDED, expected_version=2
        )
        client.publish_update_job_execution(done, qos).result(WAIT)
        assert isinstance(answers.get(timeout=WAIT), iotjobs.UpdateJobExecutionResponse)
        asked = iotjobs.DescribeJobExecutionRequest(thing_name=thing, job_id="sdk-3")
        client.publish_describe_job_execution(asked, qos).result(WAIT)
        assert answers.get(timeout=WAIT).code == iotjobs.RejectedErrorCode.TERMINAL_STATE_REACHED
    finally:
        connection.disconnect().result(WAIT)
