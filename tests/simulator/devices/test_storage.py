"""A journal's file in simulated flash: what a power cut leaves of it, and what a fleet shares."""

import pytest

from agent.core.record import Record
from agent.journal import Journal
from agent.record_json import write_record
from simulator.devices.hardware import factory
from simulator.devices.rig.power import write
from simulator.devices.rig.values import Make, Rig, RigOutcome
from simulator.devices.storage import FILE_BYTES, FlashFile, Survival, recalled, snapshot_of
from simulator.scenario import Timings


def written(*pieces: bytes) -> FlashFile:
    """A durable file of these pieces."""
    file = FlashFile()
    for piece in pieces:
        file.append(piece)
    file.sync()
    return file


@pytest.mark.parametrize(
    ("survives", "left"),
    [
        pytest.param("nothing", b"safe", id="nothing of what was not synced"),
        pytest.param("half", b"safe un", id="half of it"),
        pytest.param("all", b"safe unsync", id="all of it, by luck"),
    ],
)
def test_a_power_cut_leaves_what_was_synced_and(survives: Survival, left: bytes):
    file = written(b"safe")
    file.append(b" un")
    file.append(b"sync")
    disk = file.disk.after_power_cut(survives)
    assert FlashFile(disk).read() == left
    assert disk.after_power_cut("nothing") == disk, "what is there after a boot is durable"


@pytest.mark.parametrize(
    ("steps", "survives", "left"),
    [
        pytest.param(("write_new",), "nothing", b"old", id="written, not renamed"),
        pytest.param(("write_new", "sync_new"), "all", b"old", id="synced, not renamed"),
        pytest.param(("write_new", "sync_new", "rename_new"), "nothing", b"old", id="renamed, directory not synced"),
        pytest.param(("write_new", "sync_new", "rename_new"), "all", b"new", id="renamed, and that survived by luck"),
        pytest.param(("write_new", "rename_new"), "all", b"new", id="renamed unsynced, and all survived by luck"),
        pytest.param(
            ("write_new", "sync_new", "rename_new", "sync_directory"), "nothing", b"new", id="renamed for good"
        ),
    ],
)
def test_a_second_file_takes_the_place_of_the_first(steps: tuple[str, ...], survives: Survival, left: bytes):
    file = written(b"old")
    for step in steps:
        getattr(file, step)(*((b"new",) if step == "write_new" else ()))
    assert FlashFile(file.disk.after_power_cut(survives)).read() == left


@pytest.mark.parametrize("operation", ["append", "sync", "truncate", "write_new", "sync_new", "rename_new"])
def test_without_power_nothing_is_done(operation: str):
    rig, file = Rig(Make(Timings()), factory("ab")), FlashFile()
    argument = {"append": (b"x",), "write_new": (b"x",), "truncate": (1,)}.get(operation, ())
    getattr(file, operation)(*argument)
    assert file.writes or operation == "truncate"
    assert write(rig, file.writes) == RigOutcome(rig)


def test_what_is_done_to_a_disk_changes_no_other_one():
    file = written(b"safe")
    before = file.disk
    file.append(b" more")
    file.sync()
    assert (FlashFile(before).read(), file.read()) == (b"safe", b"safe more")


def test_a_file_is_cut_off_and_set_aside():
    file = written(b"one", b"two")
    file.truncate(4)
    assert file.read() == b"onet"
    file.set_aside()
    assert file.read() == b""


def test_a_journal_in_it_keeps_the_newest_snapshot_within_two_sectors():
    file = FlashFile()
    journal = Journal(file, limit_bytes=FILE_BYTES)
    journal.open()
    for number in range(200):
        journal.append(b"%d" % number * 300)
        assert len(file.read()) <= FILE_BYTES
    assert Journal(file).open() == b"199" * 300


def test_devices_share_pieces_and_records():
    one, other = Record(nonce="a"), Record(nonce="a")
    assert snapshot_of(one) == write_record(one)
    assert snapshot_of(one) is snapshot_of(other)
    assert recalled(snapshot_of(one)) == one
    assert recalled(snapshot_of(one)) is recalled(bytes(bytearray(snapshot_of(one))))
