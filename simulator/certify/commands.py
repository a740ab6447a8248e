"""Commands of the user's: what is filled in, what they find in their environment, and how one runs to its end."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping, Sequence
from typing import Final

from agent.errors import InputError
from simulator.certify.child import Child
from simulator.certify.offer import variables

SHOWN: Final = 12
"""Lines of output that stand in an error."""
SHELL: Final = "/bin/sh"
_TOKENS: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def filled(text: str, placeholders: Mapping[str, str]) -> str:
    """An argument with its placeholders filled in. Raises InputError that lists those there are."""

    def fill(token: "re.Match[str]") -> str:
        found = token.group()
        if found in ("{{", "}}"):
            return found[0]
        name = token.group(1)
        if name is not None and name in placeholders:
            return placeholders[name]
        there = ", ".join(f"{{{each}}}" for each in placeholders)
        raise InputError(
            f"-- COMMAND: {text[:200]}: there is no placeholder {found[:80]}; there are {there};"
            f" for a brace write it twice{_closed(name)}"
        )

    return _TOKENS.sub(fill, text)


def _closed(name: str | None) -> str:
    return "; the port without TLS is closed: --mqtt-port 0 opens it" if name == "mqtt_port" else ""


def environment(placeholders: Mapping[str, str]) -> dict[str, str]:
    """Ours, and the placeholders as GHOSTJOB_HOST and so on."""
    return dict(os.environ) | variables(placeholders)


async def commanded(option: str, command: str, env: Mapping[str, str], limit_seconds: float) -> tuple[str, ...]:
    """The last lines of what a shell command wrote. Raises InputError with them if it fails, or does not end."""
    child = await Child.begin((SHELL, "-c", command), env)
    try:
        async with asyncio.timeout(limit_seconds):
            await child.exited.wait()
    except TimeoutError:
        await child.end()
        raise InputError(
            f"{option}: `{command}` did not end in {limit_seconds:g} s, and was ended{last_lines(child.lines.last)}"
        ) from None
    except BaseException:
        await child.end()
        raise
    await child.end()
    if child.exit_code:
        raise InputError(f"{option}: `{command}` failed, {how(child.exit_code)}{last_lines(child.lines.last)}")
    return tuple(child.lines.last)


def how(code: int) -> str:
    """A process ended, in words."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def last_lines(lines: Sequence[str]) -> str:
    """What it wrote at the end, to be put behind a sentence."""
    shown = tuple(lines)[-SHOWN:]
    return f"; it wrote {'nothing' if not shown else 'at the end:'}" + "".join(f"\n    {line}" for line in shown)
