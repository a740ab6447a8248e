"""How the paho device asks and hears: over MQTT, or over HTTPS. It knows nothing of jobs."""

import http.client
import json
import queue
import ssl
import time
from urllib.parse import quote

import paho.mqtt.client as mqtt


class Mqtt:
    """A connection. What comes in on it is put into `inbox`, as (kind, topic, body)."""

    def __init__(self, options, client_id, filters, inbox):
        self.options, self.filters, self.inbox = options, filters, inbox
        self.connections = 0
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, clean_session=options.session == "clean")
        if options.cert:
            self.client.tls_set(options.ca, options.cert, options.key)
        self.client.reconnect_delay_set(1, 30)
        self.client.on_connect = self.on_connect
        self.client.on_message = self.on_message
        self.has_thread = options.flaw != "blocks-the-network"

    def open(self):
        self.client.connect_async(self.options.host, self.options.port, keepalive=self.options.keepalive)
        if self.has_thread:
            self.client.loop_start()
        else:
            self.reconnect()

    def on_connect(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            print(f"not connected: {reason}", flush=True)
            return
        if self.options.flaw != "never-resubscribes" or not self.connections:
            self.subscribe()
        self.connections += 1
        self.inbox.put(("connected", "", {}))

    def subscribe(self):
        if self.filters:
            self.client.subscribe([(each, 1) for each in self.filters])

    def on_message(self, client, userdata, message):
        try:
            body = json.loads(message.payload)
        except ValueError:
            return
        if isinstance(body, dict):
            self.inbox.put(("message", message.topic, body))

    def get(self, seconds):
        """The next that comes in; None if nothing does for so long."""
        if not self.has_thread:
            self.loop_for(seconds)
        try:
            return self.inbox.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return None

    def loop_for(self, seconds):
        until = time.monotonic() + seconds
        while self.inbox.empty() and time.monotonic() < until:
            if self.client.loop(0.05) != mqtt.MQTT_ERR_SUCCESS:
                time.sleep(1)
                self.reconnect()

    def reconnect(self):
        try:
            self.client.reconnect()
        except OSError as error:
            print(f"not connected: {error}", flush=True)

    def publish(self, topic, text):
        if self.client.is_connected():
            self.client.publish(topic, text, qos=1)

    def ask(self, topic, body, tokens, seconds, hear):
        """Whether one of the requests that had `tokens` was accepted, and the answer; None if there is none so long.

        `hear` gets what else comes in.
        """
        while not self.client.is_connected() or not self.connections:
            if came := self.get(1.0):
                hear(*came)
        if self.options.flaw == "subscribes-again":
            self.subscribe()
        on = self.connections
        self.publish(topic, json.dumps(body))
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and (came := self.get(left)):
            kind, topic, told = came
            if kind == "message" and told.get("clientToken") in tokens and topic.endswith(("/accepted", "/rejected")):
                return topic.endswith("/accepted"), told
            hear(*came)
            if self.connections != on and self.options.flaw != "waits-forever":
                break  # what was asked before may be lost
        return None


class Https:
    """The Jobs data plane: a connection for each request."""

    def __init__(self, options):
        self.options = options
        self.tls = ssl.create_default_context(cafile=options.ca)
        self.tls.load_cert_chain(options.cert, options.key)

    def open(self):
        pass

    def get(self, seconds):
        time.sleep(seconds)

    def publish(self, topic, text):
        pass

    def ask(self, topic, body, tokens, seconds, hear):
        method, path = self.request_line(topic)
        sent = None if method == "GET" else json.dumps({k: v for k, v in body.items() if k != "clientToken"})
        line = http.client.HTTPSConnection(self.options.host, self.options.port, timeout=seconds, context=self.tls)
        try:
            line.request(method, path, sent, {"Content-Type": "application/json"})
            response = line.getresponse()
            told = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"no answer: {error}", flush=True)
            return None
        finally:
            line.close()
        if response.status >= 400:
            told["code"] = response.getheader("x-amzn-errortype", "").split(":")[0]
        execution = told.get("execution")
        if execution and isinstance(execution.get("jobDocument"), str):
            execution["jobDocument"] = json.loads(execution["jobDocument"])
        return response.status < 400, told

    def request_line(self, topic):
        levels = topic.split("/")[4:]
        method = {"start-next": "PUT", "get": "GET", "update": "POST"}[levels[-1]]
        job_id = "$next" if levels[-1] == "start-next" else levels[0]
        query = f"?namespaceId={self.options.namespace}" if self.options.namespace else ""
        return method, f"/things/{quote(self.options.thing)}/jobs/{job_id}{query}"
