"""What every test has: a quiet log."""

import pytest

from agent.log import configure


@pytest.fixture(scope="session", autouse=True)
def quiet_log() -> None:
    configure("text", "error")
