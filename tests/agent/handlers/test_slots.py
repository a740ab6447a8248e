"""Firmware in two slot files: what boots after each step, each reboot and each step back."""

from pathlib import Path

import pytest

from agent.handlers.download import IMAGE
from agent.handlers.handler import StepError, StepTask
from agent.handlers.slots import TRIES, SlotFiles
from tests.agent.handlers.bench import context_in, task_in

BODY = bytes(range(256)) * 9000
ORDER = ("write", "switch", "self-test", "commit")


def tasks(directory: Path, version: str = "2.0") -> dict[str, StepTask]:
    found = {name: task_in(directory, name, index=index, version=version) for index, name in enumerate(ORDER, 1)}
    (found["write"].aside / IMAGE).write_bytes(BODY)
    return found


def booted(directory: Path, *, rebooted: bool = True, **settings: object) -> SlotFiles:
    """The agent's view after a start; ends with what runs and whether that is on trial in `.ran`."""
    slots = SlotFiles(context_in(directory, **settings))
    slots.ran = slots.booted(rebooted)  # type: ignore[attr-defined]  # for the tests alone
    return slots


def state(slots: SlotFiles) -> tuple[tuple[str, bool], bool, tuple[str, ...]]:
    return slots.ran, slots.bootable, slots.pending([])  # type: ignore[attr-defined]  # see above


async def on_trial(directory: Path) -> SlotFiles:
    slots, steps = booted(directory), tasks(directory)
    await slots.do(steps["write"])
    await slots.do(steps["switch"])
    return booted(directory)


async def test_an_update_runs_on_trial_until_it_is_committed(tmp_path: Path):
    percents: list[int] = []
    slots, steps = booted(tmp_path), tasks(tmp_path)
    assert state(slots) == (("factory", False), True, ())
    await slots.do(StepTask(**{**_fields(steps["write"]), "progress": percents.append}))
    assert state(slots) == (("factory", False), True, ("spare slot",))
    assert percents[-1] == 100
    await slots.do(steps["switch"])
    assert state(slots) == (("factory", False), True, ("spare slot", "trial requested"))
    slots = booted(tmp_path)
    assert state(slots) == (("2.0", True), True, ("spare slot", "trial running"))
    await slots.do(steps["self-test"])
    await slots.do(steps["commit"])
    assert slots.pending([]) == ()
    assert (tmp_path / "state" / "firmware" / "selected").resolve().read_bytes() == BODY
    assert not (steps["commit"].aside / IMAGE).exists()
    assert state(booted(tmp_path)) == (("2.0", False), True, ())


def _fields(task: StepTask) -> dict[str, object]:
    return {name: getattr(task, name) for name in StepTask.__slots__}


async def test_the_next_update_goes_into_the_other_slot(tmp_path: Path):
    for number, version in enumerate(("2.0", "3.0", "4.0")):
        slots, steps = booted(tmp_path), tasks(tmp_path, version)
        await slots.do(steps["write"])
        await slots.do(steps["switch"])
        slots = booted(tmp_path)
        await slots.do(steps["commit"])
        assert (tmp_path / "state" / "firmware" / "selected").readlink() == Path("ba"[number % 2])
    assert state(booted(tmp_path)) == (("4.0", False), True, ())


async def test_what_is_on_trial_falls_back_after_so_many_boots(tmp_path: Path):
    slots = await on_trial(tmp_path)
    for _ in range(TRIES - 1):
        slots = booted(tmp_path)
        assert state(slots)[0] == ("2.0", True)
    assert state(booted(tmp_path, rebooted=False))[0] == ("2.0", True), "a restart of the agent is no boot"
    assert state(booted(tmp_path)) == (("factory", False), True, ("spare slot",))


async def test_what_fell_back_to_the_same_version_is_told_from_what_was_committed(tmp_path: Path):
    slots = await on_trial(tmp_path)
    await slots.do(tasks(tmp_path)["commit"])
    slots = booted(tmp_path)
    assert (slots.ran, slots.unproven) == (("2.0", False), False)  # type: ignore[attr-defined]  # see above
    slots = await on_trial(tmp_path)
    assert (slots.ran, slots.unproven) == (("2.0", True), True)  # type: ignore[attr-defined]  # see above
    for _ in range(TRIES):
        slots = booted(tmp_path)
    assert (slots.ran, slots.unproven) == (("2.0", False), True)  # type: ignore[attr-defined]  # see above


@pytest.mark.parametrize("rebooted", [True, False], ids=["the machine restarts", "only the agent restarts"])
async def test_undoing_before_the_reboot_leaves_what_ran(tmp_path: Path, rebooted: bool):
    slots, steps = booted(tmp_path), tasks(tmp_path)
    await slots.do(steps["write"])
    await slots.do(steps["switch"])
    await slots.do(steps["switch"])  # as after a restart
    for name in ("switch", "write", "switch", "write"):
        slots = booted(tmp_path, rebooted=False)
        await slots.undo(steps[name])
    assert state(booted(tmp_path, rebooted=rebooted)) == (("factory", False), True, ())


async def test_a_write_is_not_undone_while_that_slot_is_to_boot(tmp_path: Path):
    slots, steps = booted(tmp_path), tasks(tmp_path)
    await slots.do(steps["write"])
    await slots.do(steps["switch"])
    with pytest.raises(StepError, match="slot b is to boot next, and is not erased"):
        await slots.undo(steps["write"])
    assert slots.bootable
    assert state(booted(tmp_path))[0] == ("2.0", True)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("write", "slot b runs, and is not erased", id="the write"),
        pytest.param("switch", "only a reboot goes back", id="the switch"),
    ],
)
async def test_what_runs_is_not_taken_back_before_the_reboot(tmp_path: Path, name: str, says: str):
    slots = await on_trial(tmp_path)
    with pytest.raises(StepError, match=says):
        await slots.undo(tasks(tmp_path)[name])
    assert state(booted(tmp_path)) == (("2.0", True), True, ("spare slot", "trial running"))


async def test_what_runs_on_until_the_reboot_that_takes_it_back_is_not_erased(tmp_path: Path):
    slots = await on_trial(tmp_path)
    assert slots.revert()
    with pytest.raises(StepError, match="slot b runs, and is not erased"):
        await slots.undo(tasks(tmp_path)["write"])
    assert (tmp_path / "state" / "firmware" / "b").read_bytes() == BODY


async def test_what_runs_is_not_written_over(tmp_path: Path):
    slots = await on_trial(tmp_path)
    with pytest.raises(StepError, match="slot b runs, and is not erased"):
        await slots.do(tasks(tmp_path, "3.0")["write"])
    assert (tmp_path / "state" / "firmware" / "b").read_bytes() == BODY
    assert state(booted(tmp_path)) == (("2.0", True), True, ("spare slot", "trial running"))


async def test_a_slot_that_was_to_boot_is_written_over_only_once_the_other_is_to_boot_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    slots, steps = booted(tmp_path), tasks(tmp_path)
    await slots.do(steps["write"])
    await slots.do(steps["switch"])
    monkeypatch.setattr("agent.handlers.slots._copy_block", lambda source, slot: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await slots.do(tasks(tmp_path, "3.0")["write"])
    assert state(booted(tmp_path)) == (("factory", False), True, ("spare slot",))


async def test_a_trial_is_reverted_by_one_more_boot(tmp_path: Path):
    slots = await on_trial(tmp_path)
    assert slots.revert()
    slots = booted(tmp_path)
    assert state(slots)[0] == ("factory", False)
    assert not slots.revert()
    await slots.undo(tasks(tmp_path)["switch"])
    await slots.undo(tasks(tmp_path)["write"])
    assert state(slots) == (("factory", False), True, ())


async def test_a_trial_that_was_reverted_by_an_agent_that_was_killed_still_needs_the_boot(tmp_path: Path):
    slots = await on_trial(tmp_path)
    assert slots.revert()
    slots = booted(tmp_path, rebooted=False)
    assert slots.ran == ("2.0", True), "nobody may take it for committed"  # type: ignore[attr-defined]  # see above
    assert slots.revert()
    assert not booted(tmp_path).revert()


async def test_a_trial_whose_reverting_was_forgotten_can_still_be_committed(tmp_path: Path):
    slots = await on_trial(tmp_path)
    assert slots.revert()
    slots = booted(tmp_path, rebooted=False)
    await slots.do(tasks(tmp_path)["commit"])
    assert state(booted(tmp_path)) == (("2.0", False), True, ())


async def test_a_switch_without_a_reboot_needs_none_to_be_taken_back(tmp_path: Path):
    slots, steps = booted(tmp_path), tasks(tmp_path)
    await slots.do(steps["write"])
    await slots.do(steps["switch"])
    assert not booted(tmp_path, rebooted=False).revert()


async def test_a_commit_that_was_cut_off_is_completed_by_the_next_start(tmp_path: Path):
    await on_trial(tmp_path)
    (tmp_path / "state" / "firmware" / "trial.json").unlink()  # the first thing that a commit does
    assert state(booted(tmp_path)) == (("2.0", False), True, ())
    slots, steps = booted(tmp_path), tasks(tmp_path, "3.0")
    await slots.do(steps["write"])
    await slots.undo(steps["write"])
    assert state(slots) == (("2.0", False), True, ())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("write", "no whole image", id="write without an image"),
        pytest.param("switch", "holds no whole image", id="switch to nothing"),
        pytest.param("commit", "factory runs, and not 2.0", id="commit what does not run"),
        pytest.param("self-test", "the self-test command failed: exit status 1: cannot ping", id="a bad self-test"),
    ],
)
async def test_what_cannot_be_done_is_not(tmp_path: Path, name: str, says: str):
    slots, steps = booted(tmp_path, self_test=("sh", "-c", "echo cannot ping >&2; exit 1")), tasks(tmp_path)
    (steps["write"].aside / IMAGE).unlink()
    with pytest.raises(StepError, match=says):
        await slots.do(steps[name])
    assert state(slots) == (("factory", False), True, ())


async def test_a_commit_is_not_taken_back(tmp_path: Path):
    slots = await on_trial(tmp_path)
    await slots.do(tasks(tmp_path)["commit"])
    with pytest.raises(StepError, match="not taken back"):
        await slots.undo(tasks(tmp_path)["commit"])


async def test_what_nobody_remembers_leaves_the_spare_slot_and_no_trial_to_come(tmp_path: Path):
    slots, steps = booted(tmp_path), tasks(tmp_path)
    await slots.do(steps["write"])
    booted(tmp_path).sweep()
    assert state(booted(tmp_path)) == (("factory", False), True, ())
    await slots.do(steps["write"])
    await slots.do(steps["switch"])
    booted(tmp_path, rebooted=False).sweep()
    assert state(booted(tmp_path)) == (("factory", False), True, ())


async def test_what_runs_on_trial_stays_although_nobody_remembers_it(tmp_path: Path):
    (await on_trial(tmp_path)).sweep()
    assert state(booted(tmp_path, rebooted=False)) == (("2.0", True), True, ("spare slot", "trial running"))
