"""Damaged state files of the cloud: never a traceback, never a start as if nothing were, and all the rest salvaged.

A file is damaged in one way, and opened. Either everything is there that was acknowledged, and stays so through further
commits, or it is refused in one line, or what is uncertain is told (the mark or the log is gone). What was refused is
salvaged: nothing is in the new file that was not in the old one, what is not there is told, the damaged file is kept,
and a cloud begins on the new one.
"""

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from agent.errors import InputError
from simulator.cloud.local import LocalCloud
from simulator.cloud.registry import RegistryChange, Thing
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.store import Store, salvage
from tests.hostile.report import Bounds, Report
from tests.hostile.state_damages import DAMAGES, Victim
from tests.hostile.state_files import State, StateFile, make, state_of

UNCERTAIN = frozenset({"state.newest_unknown", "state.another_file", "state.empty"})
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""What a commit costs is of no interest here."""
FILES_EVERY = 400
"""So many damages are done to files of one life; then comes another."""


async def attack(bounds: Bounds) -> Report:
    """Damage one file after the other."""
    report, met, ends = Report(), Counter[str](), time.monotonic() + bounds.seconds
    salvaged = Counter[str]()
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        files: list[StateFile] = []
        while report.tried < bounds.count and time.monotonic() < ends:
            number = report.tried
            if number % FILES_EVERY == 0:
                shutil.rmtree(place := Path(directory) / "sources", ignore_errors=True)
                place.mkdir()
                files = await make(bounds.seed * 1_000_003 + number, place)
            trial = _Trial(files, Random(f"{bounds.seed}/{number}"), Path(directory) / "victim")
            await trial.play()
            report.tried += 1
            met[trial.met] += 1
            salvaged.update(trial.records)
            report.findings += [f"{number} ({trial.what}): {problem}" for problem in trial.problems]
    report.figures |= {name: f"{times:,}" for name, times in sorted(met.items())}
    if salvaged:
        report.figures["records salvaged"] = f"{salvaged['found']:,} of {salvaged['written']:,}"
    return report


class _Trial:
    def __init__(self, files: list[StateFile], rng: Random, directory: Path) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        self._rng = rng
        self._source = rng.choice(files)
        self._path = self._source.copy(directory)
        self.what = self.met = ""
        self.problems: list[str] = []
        self.records = Counter[str]()

    async def play(self) -> None:
        while not self.what:
            damage = self._rng.choice(DAMAGES)
            told = damage(Victim(self._path, self._source, self._rng))
            self.what = "" if told is None else f"{self._source.name}: {told}"
        try:
            await self._open()
        except InputError as error:
            self.met = "refused"
            if "\n" in str(error) or not str(error).startswith(f"--state {self._path}: "):
                self.problems.append(f"refused in other words: {error}")
            if "--salvage" in str(error):
                self.met = "refused as damaged"
                await self._guarded("salvage", self._salvage())
        except Exception as error:
            self.problems.append(f"opening ends in {type(error).__name__}: {error}")

    async def _guarded(self, what: str, doing: "object") -> None:
        try:
            await doing  # type: ignore[misc]
        except Exception as error:
            self.problems.append(f"{what} ends in {type(error).__name__}: {error}")

    async def _open(self) -> None:
        found, remarks = await self._read()
        if found == self._source.newest:
            self.met = "opened, with everything"
            await self._go_on(found)
        elif not self._source.is_sealed:
            self.met = "opened, and nobody can tell: an earlier ghostjob's file"
            await self._begin()
        elif remarks & UNCERTAIN:
            self.met = "opened, and told that it may not be the newest"
        else:
            self.problems.append(f"a silent start: {_difference(self._source.newest, found)}")

    async def _read(self) -> tuple[State, set[str]]:
        store = Store(self._path)
        try:
            for owner in store.owners():
                store.remembered(owner)
            return state_of(store._database._connection), {remark.event for remark in store.remarks}
        finally:
            await store.close()

    async def _go_on(self, before: State) -> None:
        """What is there stays there when more comes and some goes."""
        store = Store(self._path)
        try:
            for owner in store.owners():
                store.remembered(owner)
            for number in range(60):
                store.keep_registry(RegistryChange("thing", f"new-{number}", Thing(f"new-{number}", "id" * 40)))
                store.keep_registry(RegistryChange("thing", f"lamp-{number}", None))
                if number % 20 == 0:
                    await store.settled()
            await store.settled()
        except InputError:
            self.met = "refused when more was written"
            return
        finally:
            await store.close()
        gone = {("thing", f"lamp-{number}") for number in range(60)}
        wanted = {at: record for at, record in before.items() if at not in gone}
        try:
            found, _ = await self._read()
        except InputError:
            self.problems.append("went bad when more was written")
            return
        kept = {at: record for at, record in found.items() if not at[1].startswith("new-")}
        if kept != wanted or len(found) != len(wanted) + 60:
            self.problems.append(f"lost when more was written: {_difference(wanted, kept)}")

    async def _salvage(self) -> None:
        done = salvage(self._path)
        if done.kept_as is None or not done.kept_as.exists():
            self.problems.append("the damaged file is not kept")
        found, _ = await self._read()
        texts = {at: text for at, (_, text) in found.items()}
        self.records.update(found=len(found), written=len(self._source.newest))
        self._compare(texts, done.lines)
        await self._begin()

    async def _begin(self) -> None:
        options = CloudSettings(api_port=None, mqtt_port=None, mqtts_port=None, data_port=None, state=self._path)
        async with LocalCloud(options):
            pass

    def _compare(self, found: dict[tuple[str, str], str], lines: tuple[str, ...]) -> None:
        told = "\n".join(lines)
        wanted = {at: text for at, (_, text) in self._source.newest.items()}
        history = {at: {state[at][1] for state in self._source.history.values() if at in state} for at in found}
        for at, text in found.items():
            if self._source.is_sealed and text not in history.get(at, ()):
                self.problems.append(f"salvage invents {at}")
        lost_commits, is_told = "commits" in told, "lost: nothing" not in told
        if found != wanted and not is_told:
            self.problems.append(f"salvage says nothing of what is lost: {_difference(wanted, found)}")
        back = [at for at, text in found.items() if wanted.get(at) != text]
        if back and not (
            lost_commits or "as it was before" in told or "may be back" in told or "nobody can tell" in told
        ):
            self.problems.append(f"salvage brings back, unsaid: {back[:3]}")
        for kind, key in wanted.keys() - found.keys() if self._source.is_sealed else ():
            if kind not in told and not lost_commits and "nobody can tell" not in told:
                self.problems.append(f"salvage does not say that {kind} {key!r} is lost")


def _difference(wanted: object, found: object) -> str:
    assert isinstance(wanted, dict)
    assert isinstance(found, dict)
    missing, more = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    other = {at for at in wanted.keys() & found.keys() if wanted[at] != found[at]}
    return f"{len(missing)} missing {sorted(missing)[:2]}, {len(more)} more {sorted(more)[:2]}, {len(other)} other"
