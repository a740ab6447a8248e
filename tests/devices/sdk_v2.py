"""A device on AWS's SDK for Python and its newer Jobs client, as one writes it first from the SDK's documentation.

It asks for its next job when it starts, when one is announced and when one is done, reports each step, and lets the SDK
match answers to requests. What is not in its way is not thought of.
"""

import argparse
import json
import os
import signal
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from awscrt import mqtt5
from awscrt.mqtt_request_response import ClientOptions
from awsiot import ServiceStreamOptions, V2ServiceException, iotjobs, mqtt5_client_builder

TIMEOUT_SECONDS = 30


class Device:
    def __init__(self, args):
        self.args = args
        self.wake = threading.Event()
        self.connected = Future()
        self.mqtt = mqtt5_client_builder.mtls_from_path(
            endpoint=args.host,
            port=args.port,
            ca_filepath=args.ca,
            cert_filepath=args.cert,
            pri_key_filepath=args.key,
            client_id=args.thing,
            on_lifecycle_connection_success=self.on_connected,
        )
        self.mqtt.start()
        self.connected.result()
        options = ClientOptions(
            max_request_response_subscriptions=4,
            max_streaming_subscriptions=2,
            operation_timeout_in_seconds=TIMEOUT_SECONDS,
        )
        self.jobs = iotjobs.IotJobsClientV2(self.mqtt, options)

    def on_connected(self, data):
        if not self.connected.done():
            self.connected.set_result(data)

    def run(self):
        if self.args.announce:
            self.announce()
        stream = self.jobs.create_next_job_execution_changed_stream(
            iotjobs.NextJobExecutionChangedSubscriptionRequest(thing_name=self.args.thing),
            ServiceStreamOptions(incoming_event_listener=self.on_next_job_changed),
        )
        stream.open()
        while True:
            request = iotjobs.StartNextPendingJobExecutionRequest(thing_name=self.args.thing)
            response = self.jobs.start_next_pending_job_execution(request).result()
            if response.execution:
                self.do(response.execution)
            else:
                print("no job, waiting", flush=True)
                self.wake.wait()
                self.wake.clear()

    def on_next_job_changed(self, event):
        if event.execution:
            print(f"next job: {event.execution.job_id}", flush=True)
            self.wake.set()

    def do(self, execution):
        print(f"job {execution.job_id}: {json.dumps(execution.job_document)}", flush=True)
        try:
            version = execution.job_document["version"]
            self.update(execution, iotjobs.JobStatus.IN_PROGRESS, step="download")
            self.download(version)
            self.update(execution, iotjobs.JobStatus.IN_PROGRESS, step="install")
            self.install(version)
            self.update(execution, iotjobs.JobStatus.IN_PROGRESS, step="verify")
            self.verify(version)
            self.update(execution, iotjobs.JobStatus.SUCCEEDED)
        except V2ServiceException as error:
            print(f"job {execution.job_id}: refused: {error.modeled_error}", flush=True)
        except Exception as error:
            print(f"job {execution.job_id}: failed: {error}", flush=True)
            self.update(execution, iotjobs.JobStatus.FAILED, reason=str(error)[:100])

    def update(self, execution, status, **details):
        request = iotjobs.UpdateJobExecutionRequest(
            thing_name=self.args.thing, job_id=execution.job_id, status=status, status_details=details or None
        )
        self.jobs.update_job_execution(request).result()

    def download(self, version):
        time.sleep(self.args.step_seconds)
        Path("download").write_text(version)

    def install(self, version):
        time.sleep(self.args.step_seconds)
        os.replace("download", "version")
        if self.args.announce:
            self.announce()

    def verify(self, version):
        time.sleep(self.args.step_seconds)
        if Path("version").read_text() != version:
            raise RuntimeError("installed something else")

    def announce(self):
        self.mqtt.publish(
            mqtt5.PublishPacket(
                topic=f"dut/{self.args.thing}/version",
                payload=Path("version").read_text(),
                qos=mqtt5.QoS.AT_LEAST_ONCE,
            )
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("host", "ca", "cert", "key", "thing"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, default=8883)
    parser.add_argument("--step-seconds", type=float, default=1.0)
    parser.add_argument("--dir", default=".")
    parser.add_argument("--announce", action="store_true", help="the version on dut/THING/version")
    args = parser.parse_args()
    os.makedirs(args.dir, exist_ok=True)
    os.chdir(args.dir)
    if not Path("version").exists():
        Path("version").write_text("1.0")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    Device(args).run()
