"""The hardware: what the bootloader starts, what each action does, and that no allowed move leaves a brick."""

from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.abilities import Layout
from agent.plan import Step
from simulator.devices.hardware import (
    EMPTY,
    FACTORY,
    RECOVERY,
    SECTORS,
    Area,
    Hardware,
    Image,
    boot,
    describe,
    factory,
    revert,
    swap_sector,
    swap_sectors,
    try_to_boot,
)
from simulator.devices.sectors import ACTIONS, action_of, image_of, worked

NEW = Image("2.0", counter=1)
LAYOUTS: tuple[Layout, ...] = ("ab", "swap", "single")


def whole(image: Image) -> Area:
    return Area(image, SECTORS)


def on_trial(layout: Layout, image: Image = NEW) -> Hardware:
    """The new image is written and asked for; nothing has been rebooted yet."""
    return replace(factory(layout), slots=(FACTORY, whole(image)), trial="requested", tries=3 if layout == "ab" else 1)


# ── the bootloader ────────────────────────────────────────────────────────────────────────────────────────────

SINGLE = factory("single")


@pytest.mark.parametrize(
    ("hardware", "version", "trial", "watchdog"),
    [
        pytest.param(factory("ab"), "1.0", "", 0, id="ab, from the factory: the selected slot"),
        pytest.param(on_trial("ab"), "2.0", "running", 0, id="ab, asked for: the spare slot, on trial"),
        pytest.param(replace(on_trial("ab"), tries=0), "1.0", "", 0, id="ab, tried often enough: back"),
        pytest.param(
            replace(on_trial("ab"), slots=(FACTORY, Area(NEW, 15))), "1.0", "", 0, id="ab, spare not whole: not tried"
        ),
        pytest.param(on_trial("ab", Image("2.0", 1, "signature")), "1.0", "", 0, id="ab, not signed: not tried"),
        pytest.param(
            replace(on_trial("ab", Image("0.9")), fuse=0), "0.9", "running", 0, id="ab, old but not forbidden"
        ),
        pytest.param(
            replace(on_trial("ab", Image("0.9")), fuse=1, slots=(whole(NEW), whole(Image("0.9")))),
            *("2.0", "", 0),
            id="ab, older than the anti-rollback counter: not tried",
        ),
        pytest.param(on_trial("ab", Image("2.0", 1, "boot")), "1.0", "", 3, id="ab, hangs: reset thrice, then back"),
        pytest.param(
            replace(factory("ab"), slots=(EMPTY, whole(NEW))), "2.0", "", 0, id="ab, selected slot lost: the other one"
        ),
        pytest.param(replace(factory("ab"), slots=(EMPTY, EMPTY)), "", "", 0, id="ab, both slots lost: a brick"),
        pytest.param(factory("swap"), "1.0", "", 0, id="swap, from the factory: the primary slot"),
        pytest.param(on_trial("swap"), "2.0", "running", 0, id="swap, asked for: exchanged"),
        pytest.param(replace(on_trial("swap"), swapped=7), "2.0", "running", 0, id="swap, half exchanged: goes on"),
        pytest.param(
            on_trial("swap", Image("2.0", 1, "signature")), "1.0", "requested", 0, id="swap, not signed: left"
        ),
        pytest.param(on_trial("swap", Image("2.0", 1, "boot")), "1.0", "", 1, id="swap, hangs: exchanged back"),
        pytest.param(
            replace(factory("swap"), slots=(whole(NEW), FACTORY), trial="running", tries=0),
            *("1.0", "", 0),
            id="swap, not confirmed at the second boot: exchanged back",
        ),
        pytest.param(
            replace(factory("swap"), slots=(whole(Image("2.0", 1, "boot")), EMPTY)),
            *("", "", 0),
            id="swap, hangs and nothing to change back to: a brick",
        ),
        pytest.param(SINGLE, "1.0", "", 0, id="single, from the factory: the main image"),
        pytest.param(
            replace(SINGLE, slots=(Area(NEW, 8), RECOVERY)), "recovery", "", 0, id="single, half written: recovery"
        ),
        pytest.param(
            replace(SINGLE, slots=(whole(Image("2.0", 1, "boot")), RECOVERY)),
            *("recovery", "", 1),
            id="single, hangs: recovery, after one reset",
        ),
    ],
)
def test_the_bootloader_starts(
    hardware: Hardware, version: str, trial: str, watchdog: int, monkeypatch: pytest.MonkeyPatch
):
    tries = Mock(wraps=try_to_boot)
    monkeypatch.setattr("simulator.devices.hardware.try_to_boot", tries)
    came_up = boot(hardware)
    assert (came_up.version, came_up.trial, tries.call_count - 1) == (version, trial, watchdog)
    assert describe(hardware).bootable == (version != "")


def test_a_trial_is_booted_three_times_before_the_bootloader_goes_back():
    hardware, seen = on_trial("ab"), []
    for _ in range(4):
        hardware = boot(hardware)
        seen.append(hardware.version)
    assert seen == ["2.0", "2.0", "2.0", "1.0"]


def test_an_exchange_that_is_cut_at_any_sector_ends_as_one_that_is_not():
    hardware, through = on_trial("swap"), boot(on_trial("swap"))
    for left in range(SECTORS, 0, -1):
        assert swap_sectors(hardware) == left
        assert boot(hardware) == through
        hardware = swap_sector(hardware)
    assert boot(hardware) == through


def test_a_commit_raises_the_anti_rollback_counter_and_ends_the_trial():
    hardware, _ = try_to_boot(on_trial("ab"))
    committed, _ = worked(ACTIONS["commit"].sector, hardware, NEW, 0, 1)
    assert (committed.fuse, committed.trial, committed.selected, committed.pending) == (1, "", 1, ())
    assert boot(committed).version == "2.0"


# ── what actions do ───────────────────────────────────────────────────────────────────────────────────────────


def done(hardware: Hardware, action: str, image: Image, sectors: int | None = None) -> Hardware:
    """An action, or so many of its sectors."""
    work = ACTIONS[action]
    count = work.sectors(hardware, image)
    return worked(work.sector, hardware, image, 0, count if sectors is None else min(sectors, count))[0]


def undone(hardware: Hardware, action: str, image: Image, sectors: int | None = None) -> Hardware:
    """An undo, or so many of its sectors."""
    work = ACTIONS[action]
    count = work.to_undo(hardware, image)
    return worked(work.undo, hardware, image, 0, count if sectors is None else min(sectors, count))[0]


def before(layout: Layout, action: str) -> Hardware:
    """What an action finds when it is its turn."""
    hardware = factory(layout)
    for earlier in {
        "write": ("download",),
        "switch": ("download", "write"),
        "validate": ("stage",),
        "swap": ("stage", "validate"),
    }.get(action, ()):
        hardware = done(hardware, earlier, NEW)
    return hardware


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("action", "sectors"),
    [
        *(("download", 16), ("write", 32), ("switch", 1), ("self-test", 4), ("commit", 1)),
        *(("fetch", 16), ("stage", 2), ("validate", 1), ("swap", 1), ("restart", 1), ("run", 4)),
    ],
)
def test_an_action_takes_so_many_sectors(layout: Layout, action: str, sectors: int):
    assert ACTIONS[action].sectors(before(layout, action), NEW) == sectors


@pytest.mark.parametrize(
    ("hardware", "action", "image", "fault"),
    [
        pytest.param(factory("ab"), "download", NEW, "", id="a good image: downloaded"),
        pytest.param(factory("ab"), "download", Image("2.0", 0, "hash"), "SHA-256", id="a broken one: refused"),
        pytest.param(factory("ab"), "write", NEW, "no whole image", id="nothing downloaded: nothing to write"),
        pytest.param(before("ab", "write"), "write", NEW, "", id="downloaded: written"),
        pytest.param(factory("ab"), "switch", NEW, "no whole image", id="spare slot empty: no switch"),
        pytest.param(
            done(done(factory("ab"), "download", Image("2", 0, "signature")), "write", Image("2", 0, "signature")),
            *("switch", NEW, "not signed"),
            id="not signed: no switch",
        ),
        pytest.param(replace(before("ab", "switch"), fuse=2), "switch", NEW, "anti-rollback", id="too old: no switch"),
        pytest.param(
            boot(on_trial("ab", Image("2.0", 1, "self-test"))),
            *("self-test", NEW, "self-test failed"),
            id="an image that fails its test",
        ),
    ],
)
def test_an_action_says_why_it_failed(hardware: Hardware, action: str, image: Image, fault: str):
    found = ACTIONS[action].fault(done(hardware, action, image), image)
    assert fault in found
    assert bool(found) == bool(fault)


def test_a_download_goes_on_where_it_was_cut_but_not_with_another_image():
    half = done(factory("ab"), "download", NEW, 7)
    assert ACTIONS["download"].sectors(half, NEW) == 9
    assert done(half, "download", NEW).download == whole(NEW)
    other = Image("3.0")
    assert ACTIONS["download"].sectors(half, other) == 16
    assert done(half, "download", other).download == whole(other)


@pytest.mark.parametrize("layout", ["ab", "swap"])
def test_what_is_erased_never_looks_whole_or_proven(layout: Layout):
    committed = replace(before(layout, "write"), slots=(FACTORY, FACTORY))
    for sectors in range(1, SECTORS + 1):
        spare = done(committed, "write", NEW, sectors).slots[1]
        assert not spare.is_whole
        assert not spare.proven


def test_the_single_slot_runs_recovery_from_the_first_erased_sector_until_the_last_is_written():
    start = before("single", "write")
    for sectors in range(1, 2 * SECTORS):
        assert boot(done(start, "write", NEW, sectors)).version == "recovery"
    assert boot(done(start, "write", NEW)).version == "2.0"


def test_a_file_has_its_name_once_its_last_sector_is_there():
    half = done(factory("ab"), "fetch", Image("/etc/motd"), 15)
    assert (half.files, half.pending) == ((), ("file",))
    there = done(half, "fetch", Image("/etc/motd"))
    assert (there.files, there.pending) == (("/etc/motd",), ())


def test_a_step_that_downloads_to_a_place_fetches_a_file():
    assert action_of(Step("get", "download", (("to", "/a"), ("url", "http://h/a")))) is ACTIONS["fetch"]
    assert action_of(Step("download", "download", (("version", "2.0"),))) is ACTIONS["download"]


def test_an_image_is_read_from_a_steps_arguments():
    assert image_of((("image.counter", "4"), ("image.flaw", "boot"), ("version", "2"))) == Image("2", 4, "boot")
    with pytest.raises(ValueError, match="no 'rust'; there are hash"):
        image_of((("image.flaw", "rust"), ("version", "2")))


# ── taking back ───────────────────────────────────────────────────────────────────────────────────────────────

UNDOABLE = {
    "ab": ("download", "write", "switch", "self-test", "fetch", "stage", "validate", "swap"),
    "swap": ("download", "write", "switch", "self-test", "fetch", "stage", "validate", "swap"),
    "single": ("download", "fetch", "stage", "validate", "swap"),  # its write is past the point of no return
}


@pytest.mark.parametrize(("layout", "action"), [(layout, each) for layout, them in UNDOABLE.items() for each in them])
def test_an_action_undone_from_any_sector_leads_back_even_if_the_undo_is_cut_at_any_sector(layout: Layout, action: str):
    start, image = before(layout, action), NEW
    for sectors in range(ACTIONS[action].sectors(start, image) + 1):
        half = done(start, action, image, sectors)
        for cut in range(ACTIONS[action].to_undo(half, image) + 1):
            again = undone(undone(half, action, image, cut), action, image)
            assert again == start, f"{sectors} sectors done, cut after {cut} of the undo"
            assert ACTIONS[action].to_undo(again, image) == 0


@pytest.mark.parametrize("layout", ["ab", "swap"])
def test_what_the_spare_slot_held_before_does_not_come_back(layout: Layout):
    """The one difference between what an undo leaves and what was before: an older image that nobody falls back to."""
    start = replace(before(layout, "write"), slots=(whole(NEW), FACTORY))
    assert undone(done(start, "write", NEW, 0), "write", NEW) == start
    for sectors in range(1, 2 * SECTORS + 1):
        assert undone(done(start, "write", NEW, sectors), "write", NEW).slots == (whole(NEW), EMPTY)


@pytest.mark.parametrize("layout", ["ab", "swap"])
def test_new_firmware_on_trial_goes_back_by_a_reboot_and_leaves_nothing_once_the_rest_is_undone(layout: Layout):
    start = factory(layout)
    hardware = boot(done(done(done(start, "download", NEW), "write", NEW), "switch", NEW))
    assert hardware.version == "2.0"
    hardware = boot(revert(hardware))
    for action in ("switch", "write", "download"):
        hardware = undone(hardware, action, NEW)
    assert (hardware.version, hardware.pending, hardware.slots) == ("1.0", (), start.slots)


@pytest.mark.parametrize(
    ("layout", "left"),
    [
        pytest.param("ab", "", id="ab: the running slot is erased"),
        pytest.param("swap", "trial running", id="swap: nothing is left to change back to"),
    ],
)
def test_undoing_the_write_before_the_reboot_does_damage(layout: Layout, left: str):
    hardware = boot(done(done(done(factory(layout), "download", NEW), "write", NEW), "switch", NEW))
    wrong = undone(hardware, "write", NEW)
    if left:
        assert left in boot(revert(wrong)).pending
    else:
        assert wrong.running is None


def test_going_back_past_a_commit_makes_a_brick_once_the_new_image_is_erased_too():
    hardware = done(boot(done(done(done(factory("ab"), "download", NEW), "write", NEW), "switch", NEW)), "commit", NEW)
    hardware = undone(undone(hardware, "commit", NEW), "write", NEW)
    assert not hardware.is_bootable
    assert not describe(hardware).bootable


# ── any allowed moves, cut anywhere ───────────────────────────────────────────────────────────────────────────

IMAGES = (
    *(NEW, Image("3.0", 3), Image("0.9"), Image("2.1", 1, "hash"), Image("2.2", 1, "signature")),
    *(Image("2.3", 2, "boot"), Image("2.4", 2, "self-test")),
)
MOVES = ("download", "write", "switch", "commit", "undo download", "undo write", "undo switch", "revert", "reboot")


def may(hardware: Hardware, move: str) -> bool:
    """Whether a correct device would do that now."""
    action = move.removeprefix("undo ")
    if move == "reboot":
        return True
    if move in ("commit", "revert"):
        return hardware.trial == "running" and not ACTIONS["self-test"].fault(hardware, NEW)
    if action == "switch":
        return hardware.layout != "single" and hardware.trial != "running"
    if move == "undo write" and hardware.layout == "single":
        return False
    if action == "write" and hardware.download.image is not None and hardware.download.image.flaw == "hash":
        return False
    return not hardware.trial


def moved(hardware: Hardware, move: str, image: Image, sectors: int) -> list[Hardware]:
    """The states that a move goes through until so many of its sectors are done."""
    if move == "reboot":
        return [boot(hardware)]
    if move == "revert":
        return [revert(hardware)]
    work = ACTIONS[move.removeprefix("undo ")]
    undoes = move.startswith("undo ")
    sector, count = (work.undo, work.to_undo) if undoes else (work.sector, work.sectors)
    states = [hardware]
    for number in range(min(sectors, count(hardware, image))):
        states.append(sector(states[-1], image, number))
    return states[1:]


@given(
    st.sampled_from(LAYOUTS),
    st.lists(st.tuples(st.sampled_from(MOVES), st.sampled_from(IMAGES), st.integers(1, 32)), max_size=30),
)
def test_no_allowed_move_cut_at_any_sector_leaves_nothing_to_boot(layout: Layout, moves: list[tuple[str, Image, int]]):
    hardware = factory(layout)
    for move, image, sectors in moves:
        if not may(hardware, move):
            continue
        states = moved(hardware, move, image, sectors)
        for state in states:
            assert state.is_bootable, f"{move} of {image}"
        hardware = states[-1] if states else hardware
        if move == "revert" or (states and sectors < 32 and sectors % 5 == 0):
            hardware = boot(hardware)  # the power goes here, or the device restarts
            assert hardware.running is not None


@given(
    st.sampled_from(tuple(ACTIONS)),
    st.sampled_from(LAYOUTS),
    st.lists(st.integers(0, 32), max_size=4).map(sorted),
)
def test_a_run_of_sectors_is_the_same_in_pieces(action: str, layout: Layout, ends: list[int]):
    start = before(layout, action)
    count = ACTIONS[action].sectors(start, NEW)
    hardware, at = start, 0
    for end in [*(min(end, count) for end in ends), count]:
        hardware, at = worked(ACTIONS[action].sector, hardware, NEW, at, end)[0], end
    assert hardware == worked(ACTIONS[action].sector, start, NEW, 0, count)[0]


def test_a_brick_on_the_way_is_told():
    wrong = boot(done(done(done(factory("ab"), "download", NEW), "write", NEW), "switch", NEW))
    wrong = undone(done(wrong, "commit", NEW), "commit", NEW)
    _, brick = worked(ACTIONS["write"].undo, wrong, NEW, 0, SECTORS)
    assert brick is not None
    assert not brick.is_bootable
