"""The live fleet's peer: a paho client and its thread for each device, through the same job flow, and nothing else.

`python -m tests.bench.threads HOST PORT API DEVICES` prints the seconds from the first connection until every device,
whose job was force-deleted in the middle of its execution, has done the next one. Nothing is simulated, traced, judged.
"""

import json
import sys
import threading
import time
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.rest import call


class Device:
    def __init__(self, name: str, host: str, port: int, reached: dict[str, threading.Semaphore]) -> None:
        self._base, self._reached = f"$aws/things/{name}/jobs", reached
        self._job = ""
        self._client = Client(CallbackAPIVersion.VERSION2, name)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{self._base}/#", 1)
        self._client.on_subscribe = lambda *_: reached["there"].release()
        self._client.on_message = self._on_message
        self._client.connect(host, port)
        self._client.loop_start()

    def _publish(self, topic: str, **body: Any) -> None:
        self._client.publish(f"{self._base}/{topic}", json.dumps(body), 0)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        topic, told = message.topic.removeprefix(f"{self._base}/"), json.loads(message.payload)
        job = told.get("execution", {}).get("jobId", "")
        if topic == "notify-next" and job != self._job:  # its own is gone, or there is one
            self._publish("start-next")
        elif topic == "start-next/accepted" and job:
            self._job = job
            done = "SUCCEEDED" if job == "next" else "IN_PROGRESS"
            self._publish(f"{job}/update", status=done, statusDetails={"step": "write", "progress": "50"})
        elif topic == "fw/update/accepted" or topic == "next/update/accepted":
            self._reached[topic.partition("/")[0]].release()


def main(host: str, port: int, api: str, devices: int) -> None:
    names = [f"thing-{number}" for number in range(devices)]
    arns = [call(api, "POST", f"/things/{name}")["thingArn"] for name in names]
    reached = {what: threading.Semaphore(0) for what in ("there", "fw", "next")}
    start = time.perf_counter()
    _fleet = [Device(name, host, port, reached) for name in names]
    for what, job in (("there", "fw"), ("fw", "next"), ("next", None)):
        for _ in names:
            reached[what].acquire()
        if job is not None:
            call(api, "PUT", f"/jobs/{job}", targets=arns, document="{}")
        if job == "next":
            call(api, "DELETE", "/jobs/fw?force=true")
    print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
