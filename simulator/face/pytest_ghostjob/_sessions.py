"""The sessions of a run: one for each device under test, from its first cell to the end of the run."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from ghostjob import GhostjobError
from ghostjob._certify import Certifying, is_on_account
from ghostjob.certification import CellResult
from pytest_ghostjob._device import SHARED, DeviceUnderTest
from pytest_ghostjob._words import offered, words


class Sessions:
    """Of this process; each worker has its own, and so its own clouds, ports, certificates and devices."""

    def __init__(self, config: pytest.Config, temporary: Path, tell: Callable[[str], None]) -> None:
        self._config, self._tell = config, tell
        self._worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        self._common = temporary.parent  # of all workers
        out = config.getoption("ghostjob_out")
        self._out = None if out is None else Path(config.invocation_params.dir, out)
        self._begun: dict[DeviceUnderTest, Certifying] = {}
        self._refused: dict[DeviceUnderTest, str] = {}
        self._names: Counter[str] = Counter()

    def of(self, device: DeviceUnderTest) -> Certifying:
        """The session with this device, which by then has done its first job; a test that cannot have one fails."""
        if device not in self._begun and device not in self._refused:
            try:
                self._begin(device)
            except GhostjobError as error:
                self._refused[device] = str(error)
        if device in self._refused:
            pytest.fail(f"{device.name}: no cell can be played: {self._refused[device]}", pytrace=False)
        return self._begun[device]

    def end(self, *, interrupt: bool) -> None:
        """End them all, and what they started."""
        while self._begun:
            device, session = self._begun.popitem()
            session.end(interrupt=interrupt)
            for command in session.left:
                self._tell(f"{device.name}: this could not be removed from the account: {command}")
            if (fault := session.fault()) is not None:
                self._tell(f"{device.name}: {fault}")

    def _begin(self, device: DeviceUnderTest) -> None:
        is_far = not device.command or is_on_account(device.options)
        if self._worker is not None and is_far:
            self._claim(device)
        options = ["--full", *device.options]
        options += [] if device.thing is None else [f"--thing={device.thing}"]
        options += [] if self._out is None else [f"--out={self._out / self._place(device)}"]
        tell = self._tell if is_far else lambda line: None
        session = Certifying(options, device.command, cwd=self._config.rootpath, tell=tell)
        session.__enter__()
        try:
            if not device.command:
                self._tell(f"put on {device.name}: {offered(session.offer)}")
            session.learn()
        except BaseException:
            session.end(interrupt=True)
            raise
        self._begun[device] = session

    def _place(self, device: DeviceUnderTest) -> str:
        """A directory for its report: what else is there is of another device, or of another worker."""
        name = quote(device.thing or "device", safe="")
        self._names[name] += 1
        count = self._names[name]
        return "-".join((name, *((str(count),) if count > 1 else ()), *((self._worker,) if self._worker else ())))

    def _claim(self, device: DeviceUnderTest) -> None:
        """For the rest of the run it is this worker's."""
        try:
            (self._common / f"ghostjob-{quote(device.name, safe='')}").touch(exist_ok=False)
        except FileExistsError:
            how = "has its jobs in an account" if device.command else "runs elsewhere"
            raise GhostjobError(SHARED.format(thing=device.name, how=how)) from None


class CellUnderTest:
    """One cell, for one test: what the argument `ghostjob_cell` is."""

    def __init__(self, cell: str, shows: str, device: DeviceUnderTest, session: Certifying, on_doubt: str) -> None:
        self.id = cell
        self.shows = shows
        self.result: CellResult | None = None
        self.is_played = False
        self._device, self._session, self._on_doubt = device, session, on_doubt

    def __repr__(self) -> str:
        return f"<cell {self.id}>"

    def play(self) -> CellResult:
        """Play it: what came of it, if the device passed.

        Otherwise the test ends here. It fails with what the device did, and the packets that show it; it is skipped if
        the cell does not apply to this device; and if it could not be shown whether the device is right, it fails, or
        is skipped if `ghostjob_inconclusive` says so.
        """
        __tracebackhide__ = True
        self.is_played = True
        try:
            self.result = result = self._session.play(self.id)
        except GhostjobError as error:
            text = f"{self._device.name}: {self.id} cannot be played: {error}"
            raise pytest.fail.Exception(text, pytrace=False) from None
        if result.is_bricked:
            pytest.fail(words(result, self._device), pytrace=False)
        match result.outcome:
            case "passed":
                return result
            case "not-applicable":
                pytest.skip(f"{self.id} does not apply to {self._device.name}: {result.why}")
            case "inconclusive" if self._on_doubt == "skip":
                pytest.skip(words(result, self._device))
            case _:
                pytest.fail(words(result, self._device), pytrace=False)
