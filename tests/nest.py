"""What `tests.warm` starts: it imports all of ghostjob, and then is forked for every command that it is told of."""

import array
import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import random
import runpy
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final, TextIO

import agent
import simulator.cli

ELSEWHERE: Final = (
    "aiohttp.web",
    "awscrt.mqtt",
    "awsiot.mqtt_connection_builder",
    "boto3",
    "botocore.session",
    "cryptography.x509",
    "paho.mqtt.client",
    "rich.live",
    "rich.table",
    "ruamel.yaml",
    "structlog",
    "uvloop",
)
"""What verbs import on their way and no module of ours does when it is imported."""


def load() -> None:
    """Import everything, and have the collector leave it alone, so that what is forked shares its memory."""
    for package in (agent, simulator):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(".__main__"):
                importlib.import_module(found.name)
    for name in ELSEWHERE:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(250_000, 20, 20)  # as `simulator/cli/__main__.py` has it


def serve(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Returns in every process that is forked, with what it is to be and its three streams; None at the end."""
    streams = array.array("i")
    while True:
        head, rights, *_ = channel.recvmsg(4, socket.CMSG_SPACE(3 * streams.itemsize))
        if not head:
            return None
        streams = array.array("i", rights[0][2])
        told = json.loads(channel.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
        read, write = os.pipe()
        if not (between := os.fork()):
            if not (child := os.fork()):
                channel.detach()
                return told, list(streams)
            os.write(write, child.to_bytes(4, "big"))
            os._exit(0)  # so the child is adopted by whoever asked
        for descriptor in (write, *streams):
            os.close(descriptor)
        child = int.from_bytes(os.read(read, 4), "big")
        os.close(read)
        os.waitpid(between, 0)
        channel.sendall(child.to_bytes(4, "big"))


def become(told: dict[str, Any], streams: list[int]) -> None:
    """Be the process that was asked for, up to where it would have imported everything."""
    if told["start_new_session"]:
        os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    os.closerange(3, max(streams) + 8)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(told["cwd"])
    os.environ.clear()
    os.environ.update(told["env"])
    time.tzset()
    random.seed()
    sys.stdin = sys.__stdin__ = _stream(0, "r", sys.stdin)
    sys.stdout = sys.__stdout__ = _stream(1, "w", sys.stdout)
    sys.stderr = sys.__stderr__ = _stream(2, "w", sys.stderr)
    sys.orig_argv = told["args"]
    _show(told["args"])
    sys.argv = ["", *told["arguments"]]  # its first is set by who runs the module


def run(module: str) -> int:
    """Its exit code. Whatever else than SystemExit ends it, and one that is no number, is for Python itself to tell."""
    try:
        if module == "simulator.cli":
            simulator.cli.main()
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as asked:
        if not isinstance(asked.code, int | None):
            raise
        return asked.code or 0
    return 0


def end(code: int) -> None:
    """As Python ends, up to where it would take apart all that was imported, most of which is not this process's yet.

    To let go of every object is to write to every page, and so to have a copy made of each: nine tenths of what the
    whole start of a short command takes. What the command itself has left behind is let go of.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    gc.collect()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # what becomes of this, Python knows
    os._exit(code)


def _show(words: list[str]) -> None:
    """In `ps` and /proc, where the nest's own arguments, which are long, leave the room."""
    start, end = (int(each) for each in Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    shown = "".join(f"{word}\0" for word in words).encode()
    ctypes.memmove(start, shown.ljust(end - start, b"\0"), end - start)


def _stream(number: int, mode: str, like: TextIO) -> TextIO:
    buffering = 1 if number == 2 or os.isatty(number) else -1
    return open(number, mode, buffering, like.encoding, like.errors, closefd=False)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
    load()
    asking = socket.socket(fileno=os.dup(0))
    asking.sendall(f"{simulator.__file__}\n".encode())
    if (asked := serve(asking)) is not None:
        become(*asked)
        end(run(asked[0]["module"]))
