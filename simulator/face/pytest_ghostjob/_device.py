"""Which device is under test: what the configuration says, or the fixture `device_under_test` of a repository."""

import shlex
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import pytest

MISSING: Final = """\
device_under_test: nothing says which device. In pytest's configuration (pytest.ini, or [tool.pytest.ini_options]), give
  ghostjob_command = ./my-agent --host {host} --port {mqtts_port} --ca {ca} --cert {cert} --key {key} --thing {thing}
for one that is started for the tests, or, for one that runs elsewhere,
  ghostjob_thing = pump-7
--ghostjob-command and --ghostjob-thing are the same on the command line, and a fixture of your own, named
device_under_test, may return the command, or a pytest_ghostjob.DeviceUnderTest."""
SHARED: Final = """\
{thing} {how}, and is one device, which another worker plays with: run pytest without -n, or with
--dist loadfile, which gives all cells in one file to one worker"""


class DeviceUnderTest(NamedTuple):
    """What `command` starts, with placeholders such as `{port}` (and as GHOSTJOB_PORT in its environment); or, without
    a command, a device that runs elsewhere. `options` are more of `ghostjob certify --help`, such as `--probe`.

    Commands and options are relative to pytest's root directory.
    """

    command: tuple[str, ...] = ()
    thing: str | None = None
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How it is called in what is told."""
        return self.thing or "the device"


DeviceLike: TypeAlias = str | Sequence[str] | DeviceUnderTest


def configured(config: pytest.Config) -> DeviceUnderTest | None:
    """What the configuration says, and before it the command line; None if neither says anything. Raises TypeError."""
    given = config.getoption("ghostjob_command")
    command = _words(given, "--ghostjob-command") if given else config.getini("ghostjob_command")
    thing = config.getoption("ghostjob_thing") or config.getini("ghostjob_thing") or None
    if not command and not thing:
        return None
    return DeviceUnderTest(tuple(command), thing, tuple(config.getini("ghostjob_options")))


def _words(command: str, where: str) -> list[str]:
    """As a shell splits them. Raises TypeError."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise TypeError(f"{where}: {command}: {error}; quote as in a shell") from None


def device_of(given: object) -> DeviceUnderTest:
    """What a fixture may return. Raises TypeError for anything else, and for what no shell could read."""
    match given:
        case DeviceUnderTest(command, thing, options):
            return DeviceUnderTest(tuple(command), thing, tuple(options))
        case str() if given.strip():
            return DeviceUnderTest(tuple(_words(given, "device_under_test")))
        case [*words] if words and all(isinstance(word, str) for word in words):
            return DeviceUnderTest(tuple(map(str, words)))
        case _:
            raise TypeError(f"device_under_test: give a command or a pytest_ghostjob.DeviceUnderTest, not {given!r}")
