"""The device under test: somewhere else, or a process that we start; and its power.

    Elsewhere    a device on the desk or in the lab; `--power-cmd` switches its power, `--reset-cmd` makes it as new
    Process      a command: started and ended by us, and its power cut by SIGKILL of its whole process group

`--power-cmd CMD` is given to the shell with `off` or `on` after it (`relay.sh 3` is called as `relay.sh 3 off`), and
`--reset-cmd CMD` as it is. Both have GHOSTJOB_HOST, GHOSTJOB_THING and so on in their environment, as a Process has.
A command that does not end in two minutes is ended; what one leaves in the background is ended with it.

A Process keeps its working directory and its files when its power is cut: what is in memory is gone, what is on the
disk is there. Its standard input is empty. It must stay in the foreground: what leaves its process group (setsid, as
daemons do) is never touched, and lives on when the power is cut, which then was none.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from agent.errors import InputError
from simulator.certify.child import Child
from simulator.certify.commands import commanded, environment, filled, how, last_lines

COMMAND_SECONDS: Final = 120.0
"""How long `--power-cmd` or `--reset-cmd` may take."""
STOP_SECONDS: Final = 10.0
"""How long a device may take to end after SIGTERM; then it is killed."""


class Device(Protocol):
    """What can be done to a device under test; whoever asks for what cannot be done gets an InputError."""

    @property
    def can_cut_power(self) -> bool:
        """Whether `cut_power` and `power_on` can be had."""

    @property
    def can_restart(self) -> bool:
        """Whether `stop` ends it, and `start` has it begin again."""

    @property
    def can_reset(self) -> bool:
        """Whether `reset` can be had."""

    @property
    def is_ours(self) -> bool:
        """Whether we start it: then it is there only between `start` and `stop`."""

    async def start(self) -> None:
        """Have it run. Raises InputError."""

    async def stop(self) -> None:
        """Have it run no more. Raises InputError."""

    async def cut_power(self) -> None:
        """From here on it does nothing, and its memory is lost. Raises InputError."""

    async def power_on(self) -> None:
        """Power is back. Raises InputError."""

    async def reset(self) -> None:
        """Make it as new, as its owner's command does. Raises InputError."""

    async def ended(self) -> tuple[str, bool]:
        """Wait until a process of ours has ended by itself: how, in words, and whether that is a crash."""

    def died(self) -> str | None:
        """In words, how a process of ours ended by itself; None if it did not."""

    def survived(self) -> str | None:
        """In words, that its last power cut was none for part of it, as far as that can be seen; None if it was."""

    def output(self) -> tuple[str, ...]:
        """Its last lines, or those of the command that acted on it last."""


class Elsewhere:
    """A device that is reached by the network alone, and by its owner's commands, if there are any.

    `start` and `stop` switch its power, if that can be done; else they do nothing.
    """

    is_ours: Final = False

    def __init__(
        self,
        power_cmd: str | None = None,
        reset_cmd: str | None = None,
        placeholders: Mapping[str, str] | None = None,
        *,
        limit_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._power = power_cmd
        self._reset = reset_cmd
        self._environment = environment(placeholders or {})
        self._limit_seconds = limit_seconds
        self._is_off = False
        self._output: tuple[str, ...] = ()

    @property
    def can_cut_power(self) -> bool:
        """With `--power-cmd`."""
        return self._power is not None

    @property
    def can_restart(self) -> bool:
        """With `--power-cmd`."""
        return self._power is not None

    @property
    def can_reset(self) -> bool:
        """With `--reset-cmd`."""
        return self._reset is not None

    async def start(self) -> None:
        """Switch it on, if we switched it off."""
        if self._is_off:
            await self.power_on()

    async def stop(self) -> None:
        """Switch it off, if that can be done."""
        if self._power is not None and not self._is_off:
            await self.cut_power()

    async def cut_power(self) -> None:
        """`--power-cmd` with `off`."""
        self._is_off = True  # from when it may be: who is interrupted here does not know
        await self._switch("off")

    async def power_on(self) -> None:
        """`--power-cmd` with `on`."""
        await self._switch("on")
        self._is_off = False

    async def reset(self) -> None:
        """`--reset-cmd`."""
        if self._reset is None:
            raise InputError("the device cannot be reset: give a command that does it with --reset-cmd")
        self._output = await commanded("--reset-cmd", self._reset, self._environment, self._limit_seconds)

    async def ended(self) -> tuple[str, bool]:
        """Nobody would know: this waits for ever."""
        never: asyncio.Future[tuple[str, bool]] = asyncio.get_running_loop().create_future()
        return await never

    def died(self) -> None:
        """Nobody knows."""

    def survived(self) -> None:
        """Nobody knows."""

    def output(self) -> tuple[str, ...]:
        """What the last command wrote."""
        return self._output

    async def _switch(self, word: str) -> None:
        if self._power is None:
            raise InputError("the device's power cannot be cut: give a command that does it with --power-cmd")
        command = f"{self._power} {word}"
        self._output = await commanded("--power-cmd", command, self._environment, self._limit_seconds)


class Process:
    """A device that is a command of ours. `placeholders` fill `{name}` in `argv`; `{{` and `}}` are braces.

    They are in its environment too, as GHOSTJOB_NAME, beside ours and `env`. `on_line` gets each line of its output,
    standard error too. Raises InputError for a placeholder that there is none of.
    """

    is_ours: Final = True
    can_cut_power: Final = True
    can_restart: Final = True

    def __init__(
        self,
        argv: Sequence[str],
        placeholders: Mapping[str, str],
        env: Mapping[str, str] | None = None,
        reset_cmd: str | None = None,
        on_line: Callable[[str], None] = lambda _: None,
        *,
        stop_seconds: float = STOP_SECONDS,
        limit_seconds: float = COMMAND_SECONDS,
    ) -> None:
        if not argv:
            raise InputError("-- COMMAND: there is none; give the command that starts the device after --")
        self.argv = tuple(filled(each, placeholders) for each in argv)
        self._environment = environment(placeholders) | dict(env or {})
        self._reset = reset_cmd
        self._on_line = on_line
        self._stop_seconds = stop_seconds
        self._limit_seconds = limit_seconds
        self._child: Child | None = None
        self._begun = asyncio.Event()
        """Set each time that it is started."""
        self._starting = asyncio.Lock()
        self._is_ended_by_us = False
        self._was_survived = False

    @property
    def can_reset(self) -> bool:
        """With `--reset-cmd`."""
        return self._reset is not None

    @property
    def pid(self) -> int | None:
        """The number of its process, and of its group; None before the first start."""
        return None if self._child is None else self._child.pid

    async def start(self) -> None:
        """Start it, unless it runs."""
        async with self._starting:
            if self._child is not None:
                if self._child.exit_code is None and not self._is_ended_by_us:
                    return
                await self._child.end()
            self._child = await Child.begin(self.argv, self._environment, self._on_line)
            self._is_ended_by_us = False
            self._begun.set()

    async def stop(self) -> None:
        """SIGTERM to its group, and SIGKILL to what is left of it when its leader has ended, or has not in time."""
        child = self._ending()
        if child is not None:
            child.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(self._stop_seconds):
                    await child.exited.wait()
            except TimeoutError:
                pass
            finally:
                await child.end()

    async def cut_power(self) -> None:
        """SIGKILL to its group."""
        child = self._ending()
        if child is not None:
            await child.end()
            self._was_survived = child.was_survived

    async def power_on(self) -> None:
        """Start it again, with the files that it left."""
        await self.start()

    async def reset(self) -> None:
        """`--reset-cmd`, while it does not run; it runs again after it, if it did before."""
        if self._reset is None:
            raise InputError("the device cannot be reset: give a command that does it with --reset-cmd")
        runs = self._child is not None and not self._is_ended_by_us
        await self.stop()
        await commanded("--reset-cmd", self._reset, self._environment, self._limit_seconds)
        if runs:
            await self.start()

    async def ended(self) -> tuple[str, bool]:
        """How it ended, once it has by itself; with an exit code of 0 that is no crash, and may be a reboot."""
        while True:
            child = self._child
            if child is not None and not self._is_ended_by_us:
                await child.exited.wait()
            if child is not None and child is self._child and (how := self.died()) is not None:
                return " | ".join(line.strip() for line in how.splitlines()), child.exit_code != 0
            self._begun.clear()
            await self._begun.wait()

    def died(self) -> str | None:
        """How it ended, if it did so by itself, with its last lines."""
        child = self._child
        if child is None or child.exit_code is None or self._is_ended_by_us:
            return None
        daemon = (
            "; if it goes on as a daemon, have it stay in the foreground: its power cannot be cut otherwise"
            if child.exit_code == 0
            else ""
        )
        return f"{self.argv[0]} ended by itself, {how(child.exit_code)}{daemon}{last_lines(child.lines.last)}"

    def survived(self) -> str | None:
        """Somebody who is in no process group of ours still had its output open."""
        if not self._was_survived:
            return None
        return (
            f"something that {self.argv[0]} started has left its process group and lives on, out of reach of a power"
            " cut: have the device stay in the foreground, without setsid or --daemon"
        )

    def output(self) -> tuple[str, ...]:
        """Its last lines since it was started last."""
        return () if self._child is None else tuple(self._child.lines.last)

    def _ending(self) -> Child | None:
        """What is to be ended. What ended by itself before stays told until the next start."""
        if self._child is not None and self._child.exit_code is None:
            self._is_ended_by_us = True
        return self._child
