"""The vocabulary of causes: every word explained, and used wherever something fails."""

import ast
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import agent
from agent.causes import MEANINGS, Cause, cause_of
from agent.values import details_text
from simulator.devices import sectors

SOURCES = Path(agent.__file__).parent


def test_every_word_is_explained_and_fits_into_status_details():
    assert set(MEANINGS) == set(Cause)
    for cause in Cause:
        assert details_text(cause) == cause
        assert MEANINGS[cause]


def calls(name: str) -> Iterator[tuple[str, int]]:
    """Where `name` is called in the agent, with how many arguments."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield f"{path.relative_to(SOURCES)}:{node.lineno}", len(node.args)


def test_whoever_of_us_fails_a_step_says_what_that_is_called():
    """StepError(reason, cause): the default is for plug-ins, which may have causes of their own."""
    found = list(calls("StepError"))
    assert len(found) > 30
    assert [where for where, arguments in found if arguments != 2] == []


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ENOSPC, Cause.SPACE),
        (errno.EDQUOT, Cause.SPACE),
        (errno.EACCES, Cause.PERMISSION),
        (errno.EROFS, Cause.PERMISSION),
        (errno.ENOENT, Cause.NOT_FOUND),
        (errno.EIO, Cause.DISK),
    ],
)
def test_what_the_operating_system_refuses_is_named_by_its_number(number: int, cause: Cause):
    assert cause_of(OSError(number, os.strerror(number))) is cause


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("", ""),
        (sectors.WRONG_HASH, Cause.HASH_MISMATCH),
        (sectors.NOT_SIGNED, Cause.SIGNATURE),
        (sectors.TEST_FAILED, Cause.SELF_TEST),
        (sectors.TOO_OLD, Cause.WRONG_CONTENT),
        ("there is no whole image to write", Cause.WRONG_CONTENT),
    ],
)
def test_simulated_hardware_uses_the_same_words(fault: str, cause: str):
    assert sectors.cause_of(fault) == cause
