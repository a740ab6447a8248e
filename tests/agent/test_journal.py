"""The journal: whatever happens to the file, what is read back is the newest snapshot whose `append` returned, or a
later one.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.journal import FRAME, HEADER, LONGEST_SNAPSHOT, FileStorage, Journal, JournalError, Storage
from simulator.devices.storage import SURVIVALS, Disk, FlashFile, Survival

ROOT = Path(__file__).parent.parent.parent
SNAPSHOTS = tuple(b'{"n":%d,"pad":"%s"}' % (number, b"x" * (40 * number)) for number in range(1, 6))


def record(snapshot: bytes) -> bytes:
    return FRAME.pack(len(snapshot), zlib.crc32(snapshot)) + snapshot


def written(*snapshots: bytes) -> bytes:
    """A file with these records."""
    return HEADER + b"".join(record(snapshot) for snapshot in snapshots)


class Held:
    """A file in memory, without faults."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.new = b""
        self.aside: bytes | None = None

    def read(self) -> bytes:
        return self.data

    def append(self, data: bytes) -> None:
        self.data += data

    def sync(self) -> None:
        pass

    def truncate(self, length: int) -> None:
        self.data = self.data[:length].ljust(length, b"\0")

    def write_new(self, data: bytes) -> None:
        self.new = data

    def sync_new(self) -> None:
        pass

    def rename_new(self) -> None:
        self.data, self.new = self.new, b""

    def sync_directory(self) -> None:
        pass

    def set_aside(self) -> str:
        self.aside, self.data = self.data, b""
        return "elsewhere"


def newest(data: bytes) -> bytes | None:
    return Journal(Held(data)).open()


def reopened(storage: Storage) -> bytes | None:
    """What the next agent finds."""
    return Journal(storage).open()


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_appended_is_read_back():
    storage = Held()
    journal = Journal(storage)
    assert journal.open() is None
    for snapshot in SNAPSHOTS:
        journal.append(snapshot)
        assert reopened(Held(storage.data)) == snapshot
    assert storage.data == written(*SNAPSHOTS)


def test_the_same_snapshot_is_not_written_twice():
    storage = Held(written(SNAPSHOTS[0]))
    journal = Journal(storage)
    assert journal.open() == SNAPSHOTS[0]
    journal.append(SNAPSHOTS[0])
    assert storage.data == written(SNAPSHOTS[0])


def test_a_tail_torn_at_any_byte_leaves_the_snapshot_before_it_and_is_written_over():
    whole = written(*SNAPSHOTS[:2])
    for end in range(len(whole), len(whole) + len(record(SNAPSHOTS[2]))):
        storage = Held(written(*SNAPSHOTS[:3])[:end])
        journal = Journal(storage)
        assert journal.open() == SNAPSHOTS[1], end
        journal.append(SNAPSHOTS[3])
        assert storage.data == written(*SNAPSHOTS[:2], SNAPSHOTS[3])


def test_a_file_torn_at_any_byte_of_its_header_or_first_record_is_an_empty_one_and_is_replaced():
    for end in range(len(written(SNAPSHOTS[0]))):
        storage = Held(written(SNAPSHOTS[0])[:end])
        journal = Journal(storage)
        assert journal.open() is None, end
        journal.append(SNAPSHOTS[1])
        assert storage.data == written(SNAPSHOTS[1])
        assert storage.aside is None


@pytest.mark.parametrize("zeros", [1, 7, 8, 9, 4096])
def test_zeros_at_the_end_are_no_record(zeros: int):
    assert newest(written(*SNAPSHOTS[:2]) + b"\0" * zeros) == SNAPSHOTS[1]


def test_a_byte_gone_bad_anywhere_costs_at_most_the_record_that_it_is_in():
    whole = written(*SNAPSHOTS)
    last = len(whole) - len(record(SNAPSHOTS[-1]))
    for at in range(len(HEADER), len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        assert newest(bytes(damaged)) == (SNAPSHOTS[-1] if at < last else SNAPSHOTS[-2]), at


@pytest.mark.parametrize("length", [0, LONGEST_SNAPSHOT + 1, 2**32 - 1])
def test_a_length_that_no_record_has_is_none(length: int):
    assert newest(written(SNAPSHOTS[0]) + FRAME.pack(length, 0) + b"x" * 64) == SNAPSHOTS[0]


@pytest.mark.parametrize("version", ["1.1", "1.42", "1.0"])
def test_a_minor_version_of_any_number_is_read_and_kept(version: str):
    header = f"ghostjob-journal {version}\n".encode()
    storage = Held(header + record(SNAPSHOTS[0]))
    journal = Journal(storage)
    assert journal.open() == SNAPSHOTS[0]
    journal.append(SNAPSHOTS[1])
    assert storage.data == header + record(SNAPSHOTS[0]) + record(SNAPSHOTS[1])


@pytest.mark.parametrize("rest", [b"", record(SNAPSHOTS[0]), b"something else altogether"])
def test_another_major_version_is_refused_with_what_to_do_and_not_touched(rest: bytes):
    storage = Held(b"ghostjob-journal 2.3\n" + rest)
    with pytest.raises(
        JournalError, match=r"^here: written in format 2 by another agent, .* knows 1; start that agent, or"
    ):
        Journal(storage, where="here").open()
    assert storage.data == b"ghostjob-journal 2.3\n" + rest
    assert storage.aside is None


@pytest.mark.parametrize(
    "data", [b"\0" * 100, b"hello\n", b"ghostjob-journal x.y\n", b"ghostjob-journal \xff\n", b"ghostjob-journal 1.0 \n"]
)
def test_what_is_no_journal_is_set_aside_and_a_new_one_begun(data: bytes):
    storage = Held(data)
    journal = Journal(storage)
    assert journal.open() is None
    assert storage.aside == data
    assert journal.damage == "no journal: what is in it is kept as elsewhere"
    journal.append(SNAPSHOTS[0])
    assert storage.data == written(SNAPSHOTS[0])


def test_a_journal_with_no_whole_record_in_it_is_damaged():
    journal = Journal(Held(HEADER + record(SNAPSHOTS[0])[:-1]))
    assert journal.open() is None
    assert journal.damage.startswith("no whole record in its ")


@pytest.mark.parametrize("data", [b"", HEADER, HEADER + bytes(100), written(*SNAPSHOTS)], ids=len)
def test_one_that_is_whole_or_new_is_not(data: bytes):
    journal = Journal(Held(data))
    journal.open()
    assert (journal.damage, journal.torn_bytes) == ("", 0)


def test_what_follows_the_newest_whole_record_is_counted():
    journal = Journal(Held(written(*SNAPSHOTS[:2]) + record(SNAPSHOTS[2])[:-1]))
    assert journal.open() == SNAPSHOTS[1]
    assert (journal.damage, journal.torn_bytes) == ("", len(record(SNAPSHOTS[2])) - 1)


def number_in(snapshot: bytes) -> int:
    return int(snapshot.partition(b":")[2].partition(b",")[0])


@pytest.mark.parametrize(
    ("order", "misplaced"), [((0, 1, 2), 0), ((2, 0, 1), 2), ((0, 2, 1), 1), ((2, 2), 0), ((1, 2, 0, 2), 0)]
)
def test_the_newest_is_the_one_with_the_highest_number_wherever_it_stands(order: tuple[int, ...], misplaced: int):
    storage = Held(written(*(SNAPSHOTS[index] for index in order)))
    journal = Journal(storage, number_of=number_in)
    assert journal.open() == SNAPSHOTS[2]
    assert journal.misplaced == misplaced
    journal.append(SNAPSHOTS[3])
    assert Journal(storage, number_of=number_in).open() == SNAPSHOTS[3]


@pytest.mark.parametrize(
    ("data", "is_bare"), [(b"", False), (HEADER, True), (HEADER[:5], True), (HEADER + bytes(9), True)], ids=str
)
def test_a_file_without_a_record_is_none_that_an_agent_made(data: bytes, is_bare: bool):
    journal = Journal(Held(data))
    assert journal.open() is None
    assert journal.is_bare is is_bare


# ── growing ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_file_is_replaced_by_one_with_the_newest_snapshot_only():
    limit, sizes = 2000, []
    storage = Held()
    journal = Journal(storage, limit_bytes=limit)
    journal.open()
    for number in range(200):
        snapshot = b'{"n":%d}' % number
        journal.append(snapshot)
        sizes.append(len(storage.data))
        assert reopened(Held(storage.data)) == snapshot
    assert max(sizes) <= limit
    assert sizes.count(len(written(b'{"n":100}'))) > 0


@pytest.mark.parametrize("snapshot", [b"", b"x" * (LONGEST_SNAPSHOT + 1)])
def test_a_snapshot_that_could_not_be_read_back_is_refused(snapshot: bytes):
    storage = Held(written(SNAPSHOTS[0]))
    journal = Journal(storage)
    journal.open()
    with pytest.raises(JournalError, match="bytes; it may have 1 to"):
        journal.append(snapshot)
    assert storage.data == written(SNAPSHOTS[0])


def test_the_longest_snapshot_is_read_back():
    storage = Held()
    journal = Journal(storage)
    journal.open()
    journal.append(b"x" * LONGEST_SNAPSHOT)
    journal.append(SNAPSHOTS[0])
    assert reopened(storage) == SNAPSHOTS[0]
    assert newest(written(b"x" * LONGEST_SNAPSHOT)) == b"x" * LONGEST_SNAPSHOT


# ── power cuts ────────────────────────────────────────────────────────────────────────────────────────────────


class PowerCut(BaseException):
    """Ends the writer on the spot: it catches no such thing."""


class CutFile(FlashFile):
    """The power goes before the nth operation."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self._nth = nth

    def _do(self, name: str, disk: Disk) -> None:
        if len(self.writes) + 1 == self._nth:
            raise PowerCut
        super()._do(name, disk)


def cut(snapshots: list[bytes], nth: int, survives: Survival, limit: int) -> tuple[list[bytes], bytes | None, bool]:
    """Append until the power goes before the nth operation: what was acknowledged, what is found, and if it went."""
    storage = CutFile(nth)
    journal, acknowledged, was_cut = Journal(storage, limit_bytes=limit), list[bytes](), False
    try:
        journal.open()
        for snapshot in snapshots:
            journal.append(snapshot)
            acknowledged.append(snapshot)
    except PowerCut:
        was_cut = True
    return acknowledged, reopened(FlashFile(storage.disk.after_power_cut(survives))), was_cut


@pytest.mark.parametrize("survives", SURVIVALS)
@pytest.mark.parametrize("limit", [300, 10_000], ids=["a file that is replaced again and again", "a file that grows"])
def test_a_power_cut_at_every_single_operation_loses_nothing_acknowledged(survives: Survival, limit: int):
    snapshots = [*SNAPSHOTS, *SNAPSHOTS]
    nth, was_cut = 0, True
    while was_cut:
        nth += 1
        acknowledged, found, was_cut = cut(snapshots, nth, survives, limit)
        under_way = snapshots[len(acknowledged) : len(acknowledged) + 1]
        assert found in [*acknowledged[-1:], *under_way] or (not acknowledged and found is None), nth
    assert nth > len(snapshots) * 2


@given(
    st.lists(st.binary(min_size=1, max_size=60).filter(lambda data: b"\0" not in data), min_size=1, max_size=12),
    st.integers(1, 60),
    st.sampled_from(SURVIVALS),
    st.integers(40, 400),
)
@example([b"a", b"b", b"a"], 9, "nothing", 100)
def test_after_one_cut_the_snapshot_found_is_the_last_acknowledged_or_the_one_under_way(
    snapshots: list[bytes], nth: int, survives: Survival, limit: int
):
    acknowledged, found, _ = cut(snapshots, nth, survives, limit)
    under_way = snapshots[len(acknowledged) : len(acknowledged) + 1]
    assert found in [*acknowledged[-1:], *under_way] or (not acknowledged and found is None)


# ── disks that fail ───────────────────────────────────────────────────────────────────────────────────────────


class Failing(Held):
    """Fails at the nth operation, or from then on; `partly`: what it was to write it has written in part."""

    def __init__(self, nth: int, *, for_good: bool, partly: bool) -> None:
        super().__init__()
        self.left, self.for_good, self.partly, self.failed = nth, for_good, partly, False

    def _try(self, in_part: Callable[[], object] = lambda: None) -> None:
        self.left -= 1
        if self.left == 0 or (self.left < 0 and self.for_good):
            self.failed = True
            if self.partly:
                in_part()
            raise OSError(28, "No space left on device")

    def append(self, data: bytes) -> None:
        self._try(lambda: Held.append(self, data[: len(data) // 2]))
        super().append(data)

    def sync(self) -> None:
        self._try()

    def truncate(self, length: int) -> None:
        if length != len(self.data):
            self._try()
        super().truncate(length)

    def write_new(self, data: bytes) -> None:
        self._try(lambda: Held.write_new(self, data[: len(data) // 2]))
        super().write_new(data)

    def sync_new(self) -> None:
        self._try()

    def rename_new(self) -> None:
        self._try(lambda: Held.rename_new(self))
        super().rename_new()

    def sync_directory(self) -> None:
        self._try()


@pytest.mark.parametrize("partly", [False, True], ids=["nothing is done", "a part is done"])
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("limit", [300, 10_000], ids=["a file that is replaced again and again", "a file that grows"])
def test_a_disk_that_fails_at_any_operation_loses_nothing_acknowledged(partly: bool, for_good: bool, limit: int):
    nth, failed = 0, True
    while failed:
        nth += 1
        storage = Failing(nth, for_good=for_good, partly=partly)
        journal = Journal(storage, limit_bytes=limit)
        journal.open()
        possible: list[bytes | None] = [None]
        reasons: set[str] = set()
        for snapshot in [*SNAPSHOTS, *SNAPSHOTS]:
            try:
                journal.append(snapshot)
                possible = [snapshot]
            except JournalError as error:
                possible.append(snapshot)
                reasons.add(str(error))
            assert reopened(Held(storage.data)) in possible
        full = "journal: cannot write it: No space left on device; free space or mend the disk, no job begins before"
        assert reasons <= {full}
        failed = storage.failed
        if failed and not for_good:
            journal.append(b"after it was mended")
            assert reopened(Held(storage.data)) == b"after it was mended"


def test_a_snapshot_of_which_nobody_knows_whether_it_was_written_is_written_again():
    storage = Failing(6, for_good=False, partly=False)
    journal = Journal(storage)
    journal.open()
    journal.append(SNAPSHOTS[0])
    with pytest.raises(JournalError):
        journal.append(SNAPSHOTS[1])
    assert reopened(Held(storage.data)) == SNAPSHOTS[1]
    journal.append(SNAPSHOTS[0])
    assert reopened(Held(storage.data)) == SNAPSHOTS[0]


# ── real files ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_real_file_is_made_with_its_directory_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "state" / "agent" / "journal"
    journal = Journal(FileStorage(path))
    assert journal.open() is None
    for snapshot in SNAPSHOTS:
        journal.append(snapshot)
    assert path.read_bytes() == written(*SNAPSHOTS)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert Journal(FileStorage(path)).open() == SNAPSHOTS[-1]


def test_a_real_file_is_replaced_by_renaming(tmp_path: Path):
    path = tmp_path / "journal"
    journal = Journal(FileStorage(path), limit_bytes=300)
    journal.open()
    for _ in range(5):
        for snapshot in SNAPSHOTS:
            journal.append(snapshot)
    assert path.stat().st_size <= 300
    assert [each.name for each in tmp_path.iterdir()] == ["journal"]
    assert Journal(FileStorage(path)).open() == SNAPSHOTS[-1]


def test_a_real_file_with_a_torn_tail_is_cut_off_and_appended_to(tmp_path: Path):
    path = tmp_path / "journal"
    path.write_bytes(written(SNAPSHOTS[0]) + record(SNAPSHOTS[1])[:-3])
    journal = Journal(FileStorage(path))
    assert journal.open() == SNAPSHOTS[0]
    journal.append(SNAPSHOTS[2])
    assert path.read_bytes() == written(SNAPSHOTS[0], SNAPSHOTS[2])


def test_a_real_file_that_is_no_journal_is_kept_under_another_name(tmp_path: Path):
    path = tmp_path / "journal"
    path.write_bytes(b"shopping list\n")
    Journal(FileStorage(path)).open()
    assert (tmp_path / "journal.damaged").read_bytes() == b"shopping list\n"


def test_a_file_size_limit_is_a_failure_and_no_crash(tmp_path: Path):
    path = tmp_path / "journal"
    journal = Journal(FileStorage(path))
    journal.open()
    journal.append(SNAPSHOTS[0])
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(written(SNAPSHOTS[0])) + 20, limits[1]))
    try:
        with pytest.raises(JournalError, match="cannot write it: File too large"):
            journal.append(SNAPSHOTS[1])
        assert Journal(FileStorage(path)).open() == SNAPSHOTS[0]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    journal.append(SNAPSHOTS[2])
    assert Journal(FileStorage(path)).open() == SNAPSHOTS[2]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_device_that_is_full_is_a_failure_and_no_crash(tmp_path: Path):
    (tmp_path / "journal.new").symlink_to("/dev/full")
    journal = Journal(FileStorage(tmp_path / "journal"))
    journal.open()
    with pytest.raises(JournalError, match="cannot write it: No space left on device"):
        journal.append(SNAPSHOTS[0])


def test_a_directory_that_cannot_be_written_is_a_failure_and_no_crash(tmp_path: Path):
    directory = tmp_path / "state"
    directory.mkdir()
    directory.chmod(0o500)
    if os.access(directory, os.W_OK):
        # To root nothing is forbidden; what is no directory cannot be written to by anybody.
        directory.rmdir()
        directory.write_bytes(b"")
        with pytest.raises(JournalError, match="cannot read it"):
            Journal(FileStorage(directory / "journal")).open()
        return
    journal = Journal(FileStorage(directory / "journal"))
    assert journal.open() is None
    with pytest.raises(JournalError, match="cannot write it: Permission denied"):
        journal.append(SNAPSHOTS[0])


WRITER = """
import sys
from pathlib import Path
from agent.journal import FileStorage, Journal
journal = Journal(FileStorage(Path(sys.argv[1])), limit_bytes=2000)
number = int((journal.open() or b"0").split()[0])
print("open", number, flush=True)
while True:
    number += 1
    journal.append(b"%d " % number + b"x" * (number * 37 % 400))
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_time_loses_nothing_that_it_had_acknowledged(tmp_path: Path):
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    rng, path, last = random.Random(seed), tmp_path / "journal", 0
    command = [sys.executable, "-S", "-c", WRITER, str(path)]
    for _ in range(50):
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, env={"PYTHONPATH": str(ROOT)}) as writer:
            assert writer.stdout is not None
            opened, told = writer.stdout.readline().split()
            assert opened == b"open"
            assert int(told) >= last
            for _ in range(rng.randrange(1, 40)):
                writer.stdout.readline()
            for _ in range(rng.randrange(2000)):
                pass  # so that it is killed at any point of an append, and not just after one
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read()
            whole = [int(line) for line in rest.split(b"\n")[:-1]]
        found = Journal(FileStorage(path)).open()
        assert found is not None
        last = int(found.split()[0])
        assert last >= (whole or [0])[-1]
