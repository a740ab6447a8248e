"""A command as a probe: a real process, however it ends."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from simulator.certify.probes import Sample, probe_of
from simulator.certify.probes.command import CommandProbe
from tests.simulator.certify.probes.bench import AnOffer


def shell(script: str, limit_seconds: float = 5.0) -> CommandProbe:
    return CommandProbe("cmd:it", f"sh -c {shlex.quote(script)}", {}, limit_seconds)


@pytest.mark.parametrize(
    ("script", "sample"),
    [
        pytest.param("echo 2.0; echo more", Sample(True, "2.0"), id="its first line is the version"),
        pytest.param(
            "echo; exit 0", Sample(True, None, "the first line is empty: there is no version"), id="no version"
        ),
        pytest.param("echo 1.0; exit 3", Sample(False, None, "exit code 3"), id="another exit code: dead"),
        pytest.param(
            "echo first >&2; echo no route to dut >&2; exit 255",
            Sample(False, None, "exit code 255: no route to dut"),
            id="it says why",
        ),
        pytest.param(
            "exec no-such-program-here 2>/dev/null",
            Sample(None, None, "exit code 127: what it starts was not found"),
            id="a script that does not work says nothing of the device",
        ),
        pytest.param("kill -9 $$", Sample(None, None, "it was ended by signal 9"), id="killed by somebody"),
        pytest.param("kill -9 $$ & wait", Sample(None, None, "it was ended by signal 9"), id="killed in mid-sample"),
        pytest.param(
            "printf 'v\\377\\n'",
            Sample(True, None, "the first line has characters that cannot be printed: that is no version"),
            id="what is no text",
        ),
        pytest.param(
            "printf '\\033[2J\\n'",
            Sample(True, None, "the first line has characters that cannot be printed: that is no version"),
            id="what would clear the screen",
        ),
    ],
)
async def test_what_is_made_of_how_a_command_ends(script: str, sample: Sample):
    assert await shell(script).sample() == sample


async def test_megabytes_of_garbage_are_read_and_not_kept():
    sample = await shell("head -c 20000000 /dev/zero | tr '\\0' x").sample()
    assert sample == Sample(True, None, "the first line has more than 128 characters: that is no version")


async def test_what_hangs_is_ended_with_all_that_it_started_and_says_nothing_of_the_device(tmp_path: Path):
    said = tmp_path / "child"
    sample = await shell(f"(sleep 600; true) & echo $! > {said}; wait", 0.3).sample()
    assert sample == Sample(None, None, "sh had not ended after 0.3 s")
    assert _is_over(int(said.read_text()))


def _is_over(pid: int) -> bool:
    """Whether a process is gone, or only its parent has not taken note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_its_words_are_split_as_a_shell_does_and_the_offer_is_in_its_environment():
    program = "import os, sys; print(sys.argv[1], os.environ['GHOSTJOB_HOST'])"
    text = f"cmd:{shlex.join([sys.executable, '-c', program])} {{thing}}"
    assert await probe_of(text, AnOffer()).sample() == Sample(True, "pump-7 127.0.0.1")


async def test_a_program_that_is_gone_by_now_is_no_dead_device(tmp_path: Path):
    script = tmp_path / "version.sh"
    script.write_text("#!/bin/sh\necho 1.0\n")
    script.chmod(0o755)
    probe = CommandProbe("cmd:it", str(script), {})
    assert await probe.sample() == Sample(True, "1.0")
    os.unlink(script)
    assert (await probe.sample()).alive is None
