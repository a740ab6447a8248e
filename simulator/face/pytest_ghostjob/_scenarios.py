"""Scenarios for a test: what came of each is kept in its directory."""

import os
from itertools import count
from pathlib import Path
from typing import Literal

import ghostjob
from ghostjob._play import ScenarioLike


class Scenarios:
    """What the fixture `ghostjob` is. Raises what `ghostjob.play` raises."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = count(1)

    def play(
        self,
        scenario: ScenarioLike = "main",
        *,
        devices: int | None = None,
        engine: Literal["live", "virtual"] = "live",
        model: str | None = None,
        seed: int = 0,
        time_limit_seconds: float | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> ghostjob.Result:
        """As `ghostjob.play`; without `out`, the trace and the verdict are kept in the test's `tmp_path`."""
        kept = self._directory / f"ghostjob-{next(self._numbers)}" if out is None else out
        return ghostjob.play(
            scenario,
            devices=devices,
            engine=engine,
            model=model,
            seed=seed,
            time_limit_seconds=time_limit_seconds,
            out=kept,
        )
