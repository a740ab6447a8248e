"""Configuration files on a real disk: staged, validated, swapped, restarted; and taken back from wherever it stood."""

import asyncio
import errno
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.handlers import configure
from agent.handlers.configure import Configure
from agent.handlers.handler import StepError
from tests.agent.handlers.bench import left_in, place_in, task_in

STEPS = ("stage", "validate", "swap", "restart")
OLD, NEW = '{"speed": 1}', '{"speed": 2}'


def steps(directory: Path, content: str = NEW, kind: str = "json", to: str = "app.json"):
    args = {"stage": {"content": content}, "validate": {"format": kind}, "swap": {}, "restart": {}}
    return [task_in(directory, name, index=index, to=to, **args[name]) for index, name in enumerate(STEPS)]


async def test_a_configuration_is_changed_and_whoever_reads_it_is_restarted(tmp_path: Path):
    told = tmp_path / "told"
    place = place_in(tmp_path, restart=("sh", "-c", f'cat "{tmp_path}/root/app.json" >"{told}"; echo restarted'))
    (place.root / "app.json").write_text(OLD)
    (place.root / "app.json").chmod(0o640)
    handler, done = Configure(place), []
    for task, pending in zip(steps(tmp_path), [("staged",), ("staged",), ("previous",), ()], strict=True):
        done.append(await handler.do(task))
        assert handler.pending([task.aside]) == pending
    assert done[-1] == "restarted\n"
    assert told.read_text() == (place.root / "app.json").read_text() == NEW
    assert (place.root / "app.json").stat().st_mode & 0o777 == 0o640
    assert left_in(place.root) == ["app.json"]


async def test_two_agents_that_share_a_root_do_the_same_job_side_by_side(tmp_path: Path):
    agents = []
    for thing in ("one", "two"):
        (tmp_path / thing).mkdir()
        place = replace(place_in(tmp_path / thing), thing=thing, root=tmp_path)
        agents.append((Configure(place), steps(tmp_path / thing, to=f"{thing}.json")))
    for each in range(3):
        for handler, tasks in agents:
            await handler.do(tasks[each])
    for thing in ("one", "two"):
        assert (tmp_path / f"{thing}.json").read_text() == NEW


@pytest.mark.parametrize("existed", [True, False], ids=["over an older one", "where there was none"])
@pytest.mark.parametrize("begun", [1, 2, 3], ids=["staged", "validated", "swapped"])
async def test_whatever_was_done_is_taken_back_also_twice(tmp_path: Path, begun: int, existed: bool):
    place = place_in(tmp_path)
    if existed:
        (place.root / "app.json").write_text(OLD)
    tasks = steps(tmp_path)[:begun]
    for task in tasks:
        await Configure(place).do(task)
        await Configure(place).do(task)  # as after a restart
    for task in [*reversed(tasks), *reversed(tasks)]:
        await Configure(place).undo(task)
    assert left_in(place.root) == (["app.json"] if existed else [])
    assert not existed or (place.root / "app.json").read_text() == OLD
    assert Configure(place).pending([tasks[0].aside]) == ()


@pytest.mark.parametrize("can_link", [True, False], ids=["kept under a second name", "kept as a copy"])
async def test_what_a_document_brings_has_nobody_elses_rights_and_what_was_there_has_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_link: bool
):
    def across_file_systems(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    if not can_link:
        monkeypatch.setattr("agent.handlers.files.os.link", across_file_systems)
    place = place_in(tmp_path)
    file = place.root / "app.json"
    file.write_text(OLD)
    file.chmod(0o6755)
    tasks = steps(tmp_path)[:3]
    for task in tasks:
        await Configure(place).do(task)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (NEW, 0o755)
    for task in reversed(tasks):
        await Configure(place).undo(task)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (OLD, 0o6755)


async def test_a_step_that_is_stopped_while_it_writes_goes_on_behind_nobodys_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = place_in(tmp_path)
    (place.root / "app.json").write_text(OLD)
    *before, swap = steps(tmp_path)[:3]
    for task in before:
        await Configure(place).do(task)
    begun, go_on = asyncio.Event(), threading.Event()
    loop, replace = asyncio.get_running_loop(), configure.replace

    def slowly(*arguments: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        replace(*arguments)

    monkeypatch.setattr(configure, "replace", slowly)
    swapping = asyncio.create_task(Configure(place).do(swap))
    await begun.wait()
    swapping.cancel()
    loop.call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await swapping
    assert (place.root / "app.json").read_text() == NEW
    for task in [swap, *reversed(before)]:
        await Configure(place).undo(task)
    assert (place.root / "app.json").read_text() == OLD


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        pytest.param("json", "{", "no valid json", id="no JSON"),
        pytest.param("yaml", "a: [", "no valid yaml", id="no YAML"),
        pytest.param("json", "[" * 20_000, "no valid json", id="JSON nested too deeply"),
    ],
)
async def test_a_configuration_that_cannot_be_read_fails_before_it_takes_its_place(
    tmp_path: Path, kind: str, content: str, says: str
):
    place = place_in(tmp_path)
    (place.root / "app.json").write_text(OLD)
    stage, validate, *_ = steps(tmp_path, content, kind)
    await Configure(place).do(stage)
    with pytest.raises(StepError, match=says):
        await Configure(place).do(validate)
    await Configure(place).undo(stage)
    assert (place.root / "app.json").read_text() == OLD
    assert left_in(place.root) == ["app.json"]


async def test_a_restart_that_fails_says_why(tmp_path: Path):
    place = place_in(tmp_path, restart=("sh", "-c", "echo no such unit >&2; exit 5"))
    *before, restart = steps(tmp_path)
    for task in before:
        await Configure(place).do(task)
    with pytest.raises(StepError, match="the restart command failed: exit status 5: no such unit"):
        await Configure(place).do(restart)
    assert Configure(place).pending([restart.aside]) == ()


async def test_a_link_is_not_followed_and_nothing_has_to_be_undone(tmp_path: Path):
    place = place_in(tmp_path)
    (tmp_path / "passwd").write_text(OLD)
    (place.root / "link").symlink_to(tmp_path / "passwd")
    stage, *_ = steps(tmp_path, to="link")
    with pytest.raises(StepError, match="no ordinary file"):
        await Configure(place).do(stage)
    await Configure(place).undo(stage)
    assert (tmp_path / "passwd").read_text() == OLD
    assert left_in(place.root) == ["link"]


async def test_what_was_staged_for_a_settled_execution_goes(tmp_path: Path):
    place = place_in(tmp_path)
    stage, *_ = steps(tmp_path)
    await Configure(place).do(stage)
    await Configure(place).settle(stage.aside)
    assert left_in(place.root) == []
