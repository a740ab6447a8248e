"""What runs on a loop, and what becomes of it if somebody interrupts before it has begun."""

import gc
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from simulator.cli.options import run_loop
from simulator.engines.virtual_time import run_virtually


@pytest.mark.parametrize(
    ("run", "interrupted"),
    [
        pytest.param(run_loop, "simulator.cli.options.spare_imports", id="in real time"),
        pytest.param(run_virtually, "asyncio.Runner", id="in virtual time"),
    ],
)
def test_who_is_interrupted_before_anything_runs_is_not_told_of_coroutines(
    run: Callable[[Coroutine[Any, Any, None]], None], interrupted: str, monkeypatch: pytest.MonkeyPatch
):
    async def play() -> None:
        raise AssertionError("it was interrupted before")

    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(interrupted, interrupt)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(KeyboardInterrupt):
            run(play())
        gc.collect()
    assert told == []


def test_what_has_run_to_its_end_is_closed_without_a_word():
    async def play() -> str:
        return "done"

    assert run_loop(play()) == run_virtually(play()) == "done"
