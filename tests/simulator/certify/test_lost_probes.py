"""A probe that showed something once, and then nothing: it is said when that is found, and in the certificate."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from simulator.certify.lost_probes import LostProbes
from simulator.certify.markdown import markdown
from simulator.certify.printing import print_certificate
from simulator.certify.probes import Sampling, probe_of
from tests.simulator.certify.played import certificate
from tests.simulator.certify.probes.bench import AnOffer, Kept, sampling_of
from tests.simulator.certify.probes.test_serial_line import board, seen


async def test_a_line_that_is_pulled_out_is_told_of_once_and_in_the_certificate():
    told: list[str] = []
    async with board(Kept()) as (line, sampling):
        lost = LostProbes(sampling, told.append)
        line.write(b"version 1.0\n")
        await seen(sampling, "1.0")
        lost.look()
        lost.look("taking/calm")
        assert (told, lost.warnings, lost.are_all_lost) == ([], (), False)
        line.unplug()
        await sampling.until(lambda sample: sample.alive is None, 20)
        lost.look("writing/calm")
        lost.look("taking/offline")
        probe, why = f"serial:{line.device}", sampling.last.why
    assert why.startswith("the line is gone: ")
    unjudged = "which version runs, and whether the device lives, is not judged by it"
    assert told == [f"the probe {probe} shows nothing any more: {why}; until it does, {unjudged}"]
    assert lost.warnings == (f"the probe {probe} showed nothing from writing/calm on: {why}; {unjudged} there",)
    assert lost.are_all_lost
    _stands_in_every_face(lost.warnings[0])


def _stands_in_every_face(warning: str) -> None:
    found = certificate(warnings=(warning,))
    console = Console(record=True, width=100, file=StringIO())
    print_certificate(found, console)
    assert warning in console.export_text()
    assert found.warnings == (warning,)
    assert "showed nothing from" in markdown(found)


async def test_one_that_comes_back_is_told_of_as_well(tmp_path: Path):
    told: list[str] = []
    version = tmp_path / "version"
    version.write_text("1.0\n")
    async with _of(f"file:{version}") as sampling:
        lost = LostProbes(sampling, told.append)
        await sampling.now()
        lost.look()
        version.unlink()
        await sampling.now()
        lost.look("taking/calm")
        version.write_text("1.1\n")
        await sampling.now()
        lost.look("writing/calm")
    assert [each.partition(" shows ")[2].partition(":")[0] for each in told] == ["nothing any more", "something again"]
    assert " showed nothing in taking/calm: " in lost.warnings[0]
    assert not lost.are_all_lost


async def test_one_that_has_never_shown_anything_is_not_lost(tmp_path: Path):
    told: list[str] = []
    async with _of(f"file:{tmp_path}/nothing") as sampling:
        lost = LostProbes(sampling, told.append)
        lost.look()
        await sampling.now()
        lost.look("taking/calm")
    assert (told, lost.warnings, lost.are_all_lost) == ([], (), False)


def test_without_probes_there_is_nothing_to_lose():
    lost = LostProbes(None, lambda sentence: None)
    lost.look("taking/calm")
    assert (lost.warnings, lost.are_all_lost) == ((), False)


def _of(probe: str) -> Sampling:
    return sampling_of([probe_of(probe, AnOffer())], Kept())
