"""The device under test as a process of ours, and its power; and one elsewhere, by its owner's commands."""

import asyncio
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.errors import InputError
from simulator.certify import child
from simulator.certify.child import LONGEST_LINE, MOST_LINES
from simulator.certify.commands import filled
from simulator.certify.device import Device, Elsewhere, Process
from tests.within import within

PLACES = {"host": "127.0.0.1", "port": "8883", "thing": "pump-7", "namespace": ""}
WAIT = 20


class Reader:
    """Waits for lines of a device's output."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()

    async def line(self, holds: Callable[[str], bool] = bool) -> str:
        while True:
            line = await within(self.lines.get(), WAIT)
            if holds(line):
                return line


@asynccontextmanager
async def running(*argv: str, **options: Any) -> AsyncIterator[tuple[Process, Reader]]:
    reader = Reader()
    device = Process(argv, PLACES, on_line=reader.lines.put_nowait, **options)
    await device.start()
    try:
        yield device, reader
    finally:
        await device.stop()


def sh(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


async def ended(device: Process) -> None:
    assert device._child is not None
    await within(device._child.exited.wait(), WAIT)


class Watched:
    """A process that is there, and whose end is seen whoever its parent is."""

    def __init__(self, pid: int) -> None:
        self._descriptor = os.pidfd_open(pid)

    async def is_gone(self, seconds: float = WAIT) -> bool:
        """Whether it has ended, or does before so many seconds are over."""
        return bool((await asyncio.to_thread(select.select, [self._descriptor], [], [], seconds))[0])

    def __del__(self) -> None:
        os.close(self._descriptor)


# ── placeholders ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{host}:{port}", "127.0.0.1:8883"),
        ("plain", "plain"),
        ("{{{thing}}}", "{pump-7}"),
        ('{{"a": {{"thing": "{thing}"}}}}', '{"a": {"thing": "pump-7"}}'),
        ("-n={namespace}", "-n="),
    ],
)
def test_placeholders_are_filled_in(text: str, made: str):
    assert filled(text, PLACES) == made


@pytest.mark.parametrize("text", ["{hots}", "{}", "{a b}", '{"a": 1}', "{", "x}", "${HOME}", "{host"])
def test_what_is_no_placeholder_is_an_error_that_lists_those_there_are(text: str):
    with pytest.raises(InputError, match=r"there are \{host\}, \{port\}, \{thing\}, \{namespace\}; for a brace"):
        Process(["agent", text], PLACES)


def test_a_port_that_is_closed_says_how_it_is_opened():
    with pytest.raises(InputError, match="--mqtt-port 0 opens it"):
        Process(["agent", "{mqtt_port}"], PLACES)


def test_a_command_has_to_be_given():
    with pytest.raises(InputError, match="give the command that starts the device after --"):
        Process([], PLACES)


# ── a process ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_it_finds_what_it_needs_in_its_arguments_and_environment():
    script = 'echo "$0 $GHOSTJOB_THING $GHOSTJOB_PORT $MORE"; sleep 60'
    async with running("/bin/sh", "-c", script, "{host}", env={"MORE": "here"}) as (device, reader):
        assert await reader.line() == "127.0.0.1 pump-7 8883 here"
        assert device.output() == ("127.0.0.1 pump-7 8883 here",)
        assert device.died() is None


async def test_a_power_cut_ends_everything_of_its_group_and_nothing_cleans_up(tmp_path: Path):
    mark = tmp_path / "cleaned-up"
    script = f"trap 'touch {mark}' TERM INT EXIT; sleep 60 & echo $!; wait"
    async with running(*sh(script)) as (device, reader):
        pid = int(await reader.line())
        leader = device.pid
        assert leader is not None
        assert os.getpgid(pid) == leader
        watched = [Watched(leader), Watched(pid)]
        await device.cut_power()
        assert [await each.is_gone() for each in watched] == [True, True]
        assert not mark.exists()
        assert device.died() is None, "we did it"
        assert device.survived() is None


async def test_power_comes_back_with_the_files_that_were_there(tmp_path: Path):
    kept = tmp_path / "kept"
    async with running(*sh(f"echo boot >> {kept}; wc -l < {kept}; sleep 60")) as (device, reader):
        assert (await reader.line()).strip() == "1"
        first = device.pid
        await device.cut_power()
        await device.power_on()
        assert (await reader.line()).strip() == "2"
        assert device.pid != first


async def test_a_device_is_asked_to_end_before_it_is_made_to(tmp_path: Path):
    mark = tmp_path / "said-goodbye"
    async with running(*sh(f"trap 'touch {mark}; exit 0' TERM; echo up; while :; do sleep 0.05; done")) as (
        dev,
        reader,
    ):
        await reader.line()
        await dev.stop()
        assert mark.exists()
        assert dev.died() is None


async def test_a_device_that_does_not_end_is_killed():
    async with running(*sh("trap '' TERM; echo up; while :; do sleep 0.05; done"), stop_seconds=0.1) as (dev, reader):
        await reader.line()
        watched = Watched(dev.pid or 0)
        await dev.stop()
        assert await watched.is_gone(0)


async def test_who_is_left_when_the_leader_ends_is_killed_too():
    async with running(*sh("trap '' TERM; sleep 60 & echo $!; trap - TERM; exit 3")) as (device, reader):
        orphan = Watched(int(await reader.line()))
        await ended(device)
        assert not await orphan.is_gone(0)
        await device.stop()
        assert await orphan.is_gone()


async def test_what_leaves_the_group_is_not_touched_and_holds_nothing_up():
    leaves = "import os, sys, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(60)"
    daemon = f'"{sys.executable}" -c "{leaves}" & sleep 60'
    async with running(*sh(daemon)) as (device, reader):
        pid = int(await reader.line())
        daemon_of_it = Watched(pid)
        try:
            await within(device.cut_power(), WAIT)
            assert not await daemon_of_it.is_gone(0)
            said = "something that /bin/sh started has left its process group"
            assert (device.survived() or "").startswith(said)
            await device.power_on()
            assert (device.survived() or "").startswith(said), "its power was not cut, whatever it is now"
            os.kill(int(await reader.line()), signal.SIGKILL)
        finally:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo no config; exit 3", "/bin/sh ended by itself, with exit code 3; it wrote at the end:\n    no config"),
        ("exit 4", "/bin/sh ended by itself, with exit code 4; it wrote nothing"),
        ("kill -SEGV $$", "/bin/sh ended by itself, by SIGSEGV; it wrote nothing"),
        (
            "exit 0",
            "/bin/sh ended by itself, with exit code 0; if it goes on as a daemon, have it stay in the foreground",
        ),
    ],
)
async def test_a_device_that_ends_by_itself_is_told(script: str, told: str):
    async with running(*sh(script)) as (device, _):
        await ended(device)
        await device.cut_power()
        assert (device.died() or "").startswith(told)
        await device.power_on()
        await ended(device)
        await device.stop()
        assert (device.died() or "").startswith(told), "the second run, too"


class Kqueue:
    """What the `select` module has on macOS, for one process: `known` is its wait status, None if it had ended."""

    KQ_FILTER_PROC, KQ_EV_ADD, KQ_EV_ONESHOT, KQ_NOTE_EXIT = -5, 1, 16, 1 << 31

    def __init__(self, *, is_early: bool) -> None:
        self._is_early = is_early

    def kqueue(self) -> "Kqueue":
        return self

    def kevent(self, ident: int, **wanted: int) -> Any:
        return SimpleNamespace(ident=ident, **wanted)

    def control(self, wanted: list[Any], count: int) -> list[Any]:
        assert wanted[0].fflags & child.NOTE_EXITSTATUS
        if not self._is_early:
            raise ProcessLookupError
        ended = WAITID(os.P_PID, wanted[0].ident, os.WEXITED | os.WNOWAIT)
        status = ended.si_status << 8 if ended.si_code == os.CLD_EXITED else ended.si_status
        return [SimpleNamespace(data=status)]

    def close(self) -> None:
        pass


WAITID: Any = getattr(os, "waitid", None)


@pytest.mark.parametrize("is_early", [True, False], ids=["asked in time", "asked too late"])
@pytest.mark.parametrize(("script", "told"), [("exit 3", "with exit code 3"), ("kill -TERM $$", "by SIGTERM")])
async def test_where_there_is_no_waitid_a_device_that_ends_is_told_too(
    monkeypatch: pytest.MonkeyPatch, script: str, told: str, is_early: bool
):
    monkeypatch.delattr(os, "waitid")
    monkeypatch.setattr(child, "select", Kqueue(is_early=is_early))
    async with running(*sh(script)) as (device, _):
        await ended(device)
        assert told in (device.died() or "")
        await device.cut_power()
        await device.cut_power()


async def test_starting_what_runs_and_ending_what_does_not_does_nothing():
    device = Process(sh("sleep 60"), PLACES)
    await device.stop()
    await device.cut_power()
    assert (device.pid, device.output(), device.died()) == (None, (), None)
    await device.start()
    first = device.pid
    await device.start()
    assert device.pid == first
    await device.stop()
    await device.stop()


async def test_a_program_that_is_not_there_is_named():
    with pytest.raises(InputError, match="/no/such/agent: cannot be started: No such file or directory"):
        await Process(["/no/such/agent"], PLACES).start()


# ── output ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_output_is_bounded_and_never_blocks_who_writes_it():
    flood = "print('x' * 1000000); print('y\\n' * 20000 + 'done', flush=True); import time; time.sleep(60)"
    async with running(sys.executable, "-c", flood) as (device, reader):
        first = await reader.line()
        assert first == "x" * LONGEST_LINE + "…"
        await reader.line(lambda line: line == "done")
        assert device.output() == ("y",) * (MOST_LINES - 1) + ("done",)


async def test_a_line_without_an_end_is_bounded_too_and_told_at_the_end():
    script = "import sys; [sys.stdout.write('z' * 4096) for _ in range(200)]"
    async with running(sys.executable, "-c", script) as (device, reader):
        assert await reader.line() == "z" * LONGEST_LINE + "…"
        await device.stop()
        assert len(device.output()) == 1


async def test_colours_and_control_characters_do_not_reach_the_terminal():
    async with running(*sh(r"printf '\033[31mred\033[0m \033]0;title\007a\007b\rnext\377\n'; sleep 60")) as (_, reader):
        assert await reader.line() == "red a\ufffdb"
        assert await reader.line() == "next\ufffd"


async def test_who_cannot_read_along_does_not_keep_it_from_writing():
    def fails(line: str) -> None:
        raise RuntimeError("a fault of ours")

    device = Process(sh("echo a; echo b; exit 1"), PLACES, on_line=fails)
    await device.start()
    await ended(device)
    await device.stop()
    assert device.output() == ("a", "b")


# ── its owner's commands ──────────────────────────────────────────────────────────────────────────────────────


async def test_power_elsewhere_comes_back_also_after_a_cut_that_was_interrupted(tmp_path: Path):
    told, begun = tmp_path / "told", tmp_path / "begun"
    os.mkfifo(begun)
    script = tmp_path / "relay.sh"
    script.write_text(f"echo $1 >> {told}; if [ $1 = off ]; then echo > {begun}; sleep 600; fi\n")
    device = Elsewhere(f"sh {script}")
    cutting = asyncio.create_task(device.cut_power())
    await within(asyncio.to_thread(begun.read_text), WAIT)
    cutting.cancel()
    await asyncio.gather(cutting, return_exceptions=True)
    await device.start()
    assert told.read_text().split() == ["off", "on"]


async def test_who_is_started_twice_at_once_is_one_process(tmp_path: Path):
    reader = Reader()
    device = Process(sh("echo began; exec sleep 600"), PLACES, on_line=reader.lines.put_nowait)
    try:
        await asyncio.gather(device.start(), device.start(), device.power_on())
        assert await reader.line() == "began"
    finally:
        await device.stop()
    assert reader.lines.empty()


async def test_power_elsewhere_is_switched_by_a_command_with_a_word_after_it(tmp_path: Path):
    log = tmp_path / "log"
    relay = tmp_path / "relay.sh"
    relay.write_text(f'#!/bin/sh\necho "$@ $GHOSTJOB_THING" >> {log}\necho switched\n')
    relay.chmod(0o755)
    device = Elsewhere(f"{relay} 3", f"{relay} factory", PLACES)
    assert (device.can_cut_power, device.can_restart, device.can_reset, device.is_ours) == (True, True, True, False)
    await device.start()
    await device.cut_power()
    await device.power_on()
    await device.stop()
    await device.start()
    await device.reset()
    assert log.read_text().splitlines() == [
        "3 off pump-7",
        "3 on pump-7",
        "3 off pump-7",
        "3 on pump-7",
        "factory pump-7",
    ]
    assert device.output() == ("switched",)


async def test_what_cannot_be_done_elsewhere_says_which_option_would_do_it():
    device = Elsewhere()
    assert (device.can_cut_power, device.can_restart, device.can_reset) == (False, False, False)
    await device.start()
    await device.stop()
    for act in (device.cut_power, device.power_on):
        with pytest.raises(InputError, match="--power-cmd"):
            await act()
    with pytest.raises(InputError, match="--reset-cmd"):
        await device.reset()
    assert device.died() is None


async def test_a_command_that_fails_is_told_with_what_it_wrote():
    with pytest.raises(InputError) as caught:
        await Elsewhere("echo no relay >&2; exit 2;").cut_power()
    assert str(caught.value) == (
        "--power-cmd: `echo no relay >&2; exit 2; off` failed, with exit code 2; it wrote at the end:\n    no relay"
    )


async def test_a_command_that_does_not_end_is_ended_and_told():
    device = Elsewhere(None, "echo waiting; sleep 60", limit_seconds=0.2)
    with pytest.raises(InputError, match=r"did not end in 0\.2 s, and was ended; it wrote at the end:\n    waiting"):
        await device.reset()


async def test_a_process_is_reset_while_it_does_not_run(tmp_path: Path):
    kept = tmp_path / "kept"
    reset = f"test ! -e {tmp_path}/up && rm {kept}"
    script = (
        f"trap 'rm {tmp_path}/up; exit' TERM; touch {tmp_path}/up; echo x >> {kept}; wc -l < {kept}; sleep 60 & wait"
    )
    async with running(*sh(script), reset_cmd=reset) as (device, reader):
        assert (await reader.line()).strip() == "1"
        await device.reset()
        assert (await reader.line(lambda line: line.strip().isdigit())).strip() == "1", "it runs again, as new"
        await device.stop()
        before = device.pid
        kept.touch()
        await device.reset()
        assert device.pid == before, "it did not run, and is not started"
    with pytest.raises(InputError, match="--reset-cmd"):
        await Process(["x"], PLACES).reset()


def test_both_are_devices():
    devices: list[Device] = [Elsewhere(), Process(["x"], {})]
    assert [each.is_ours for each in devices] == [False, True]
