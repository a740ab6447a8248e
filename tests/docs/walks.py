"""Which functions a request goes through, in order, until the notification that it causes is on a device's socket.

It is watched, and not written by hand: a cloud runs in this process, a client in a thread asks it. Of several walks the
shortest is taken, since a timer may fall into one.
"""

import ast
import asyncio
import http.client
import json
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import agent
import simulator
from agent.log import configure
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.simulator.cloud.mqtt.packets import connect, subscribe, text

from .words import filled, one_line

WALKS: Final = 3
HOMES: Final = tuple(
    str(Path(package.__file__ or "").parent.parent) + f"/{package.__name__}/" for package in (agent, simulator)
)


class Call(NamedTuple):
    """A function that was called."""

    path: str
    name: str


class Watch:
    """Notes calls of ours from `begin` on, and where the MQTT port's last bytes were written."""

    def __init__(self) -> None:
        self.mqtt_port = 0
        self._calls: list[Call] = []
        self._written = 0

    def begin(self) -> None:
        self._calls, self._written = [], 0

    def walk(self) -> list[Call]:
        return self._calls[: self._written]

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call":
            return
        path = frame.f_code.co_filename
        if path.startswith(HOMES) and not frame.f_code.co_name.endswith("comp>"):  # newer versions have no such calls
            self._calls.append(Call(path, frame.f_code.co_qualname))
        elif frame.f_code.co_name in ("write", "writelines") and self._is_mqtt(frame.f_locals.get("self")):
            self._written = len(self._calls)

    def _is_mqtt(self, transport: Any) -> bool:
        return isinstance(transport, asyncio.Transport) and transport.get_extra_info("sockname")[1] == self.mqtt_port


@cache
def walks() -> dict[str, list[Call]]:
    """That of a notification of a new job, and that of a deletion."""
    configure("text", "error")  # or else who told the log what before would show
    return asyncio.run(_walks())


async def _walks() -> dict[str, list[Call]]:
    watch = Watch()
    options = CloudSettings(api_port=0, mqtt_port=0, mqtts_port=None, data_port=None)
    async with LocalCloud(options) as cloud:
        api, watch.mqtt_port = (int((cloud.endpoints[name] or "").rsplit(":", 1)[1]) for name in ("api", "mqtt"))
        before = sys.getprofile()
        sys.setprofile(watch)
        try:
            return await asyncio.to_thread(_ask, watch, api, asyncio.get_running_loop())
        finally:
            sys.setprofile(before)


def _ask(watch: Watch, api: int, loop: asyncio.AbstractEventLoop) -> dict[str, list[Call]]:
    """Make and delete a job for a thing that listens, again and again."""
    seen: dict[str, list[list[Call]]] = {"notify": [], "delete": []}
    with _listening(watch.mqtt_port) as hear, _calling(api) as call:
        call("POST", "/things/lamp", {})
        for number in range(WALKS):
            job = f"/jobs/fw-{number}"
            target = "arn:aws:iot:us-east-1:000000000000:thing/lamp"
            for name, method, path, body in (
                ("notify", "PUT", job, {"targets": [target], "document": "{}"}),
                ("delete", "DELETE", f"{job}?force=true", None),
            ):
                _settle(loop)
                watch.begin()
                call(method, path, body)
                hear()
                seen[name].append(watch.walk())
    return {name: min(each, key=len) for name, each in seen.items()}


def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """Wait until what was left of the last request is done."""
    for _ in range(5):
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()


@contextmanager
def _listening(port: int) -> Iterator[Callable[[], None]]:
    """A device that hears notify; what is yielded waits for the next."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as device:
        for packet in (connect(rest=text("lamp")), subscribe("$aws/things/lamp/jobs/notify", options=0)):
            device.sendall(packet)
            device.recv(4096)
        yield lambda: [device.recv(4096)].clear()


@contextmanager
def _calling(port: int) -> Iterator[Callable[[str, str, object], None]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(method: str, path: str, body: object) -> None:
        connection.request(method, path, None if body is None else json.dumps(body))
        with connection.getresponse() as answer:
            assert answer.status == 200, answer.read()
            answer.read()

    yield call
    connection.close()


def walk(name: str) -> str:
    """As a list: of each file the first function that is called in it."""
    calls = walks()[name]
    first: dict[str, Call] = {}
    for each in calls:
        if _story(each) is not None:
            first.setdefault(each.path, each)
    changes = sum(one.path != other.path for one, other in pairwise(calls))
    lines = [
        filled(f"{number}. `{_dotted(each)}`: {_story(each)}", "   ") for number, each in enumerate(first.values(), 1)
    ]
    count = f"{len({each.path for each in calls})} files; from one to another it goes {changes} times."
    return "\n".join((*lines, "", count)) + "\n"


def _dotted(call: Call) -> str:
    home = next(home for home in HOMES if call.path.startswith(home))
    module = (
        call.path[len(str(Path(home).parent)) + 1 :].removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )
    return f"{module}.{call.name}"


def _story(call: Call) -> str | None:
    """What the function says of itself, or else its module; None for what is a function in a function."""
    if "<" in call.name:
        return None
    tree: Any = ast.parse(Path(call.path).read_text("utf-8"))
    node = tree
    for part in call.name.split("."):
        node = next(each for each in node.body if getattr(each, "name", None) == part)
    doc = ast.get_docstring(node) or ast.get_docstring(tree) or ""
    return re.split(r"(?<=\.)\s", one_line(doc), maxsplit=1)[0]
