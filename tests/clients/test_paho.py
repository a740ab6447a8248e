"""paho-mqtt, unmodified and with its own thread, against `ghostjob cloud`."""

import json
import queue
import ssl
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from .conftest import Cloud

WAIT = 20


class Device:
    """One paho client; every message goes into a queue."""

    def __init__(self, cloud: Cloud, thing: str, version: MQTTProtocolVersion, secure: bool) -> None:
        self.thing = thing
        self.messages: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.subscribed: queue.Queue[Any] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, thing, protocol=version)
        self.client.on_message = lambda _, __, m: self.messages.put((m.topic, json.loads(m.payload)))
        self.client.on_connect = lambda client, *_: client.subscribe(
            [(f"$aws/things/{thing}/jobs/notify", 1), (f"$aws/things/{thing}/jobs/notify-next", 1)]
        )
        self.client.on_subscribe = lambda *arguments: self.subscribed.put(arguments[3])
        host, port = cloud.mqtt
        if secure:
            files = cloud.files(thing)
            self.client.tls_set(files["ca"], files["cert"], files["key"], tls_version=ssl.PROTOCOL_TLS_CLIENT)
            host, port = "localhost", cloud.mqtts[1]
        self.client.connect(host, port)
        self.client.loop_start()
        assert not any(code.is_failure for code in self.subscribed.get(timeout=WAIT))

    def ask(self, what: str, **body: Any) -> tuple[str, Any]:
        self.client.publish(f"$aws/things/{self.thing}/jobs/{what}", json.dumps(body), 1)
        return self.messages.get(timeout=WAIT)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "mutual TLS"])
@pytest.mark.parametrize("version", [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5], ids=["3.1.1", "5"])
def test_a_device_takes_a_job_and_loses_it_to_a_forced_deletion(
    cloud: Cloud, api: Any, version: MQTTProtocolVersion, secure: bool
):
    thing = f"dev-{4 * secure + (version == MQTTProtocolVersion.MQTTv5)}"
    device = Device(cloud, thing, version, secure)
    jobs = f"$aws/things/{thing}/jobs"
    try:
        topic, answer = device.ask("get", clientToken="t1")
        assert (topic, answer["clientToken"], answer["queuedJobs"]) == (f"{jobs}/get/accepted", "t1", [])
        api.create_job(f"job-{thing}", thing)
        told = dict(device.messages.get(timeout=WAIT) for _ in range(2))
        assert [each["jobId"] for each in told[f"{jobs}/notify"]["jobs"]["QUEUED"]] == [f"job-{thing}"]
        assert told[f"{jobs}/notify-next"]["execution"]["jobDocument"] == {"operation": "update", "version": "2.0"}
        topic, answer = device.ask("start-next", clientToken="t2")
        assert answer["execution"]["versionNumber"] == 2
        api.delete_job(f"job-{thing}")
        told = dict(device.messages.get(timeout=WAIT) for _ in range(2))
        assert told[f"{jobs}/notify"]["jobs"] == {}
        assert "execution" not in told[f"{jobs}/notify-next"]
        topic, answer = device.ask(f"job-{thing}/update", status="SUCCEEDED", expectedVersion="2", clientToken="t3")
        assert topic == f"{jobs}/job-{thing}/update/rejected"
        assert (answer["code"], answer["clientToken"]) == ("ResourceNotFound", "t3")
        assert "executionState" not in answer
        assert device.messages.empty()
    finally:
        device.close()
