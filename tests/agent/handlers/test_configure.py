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
from agent.handlers.handler import NotBegunError, StepError
from tests.agent.handlers.bench import context_in, left_in, task_in

STEPS = ("stage", "validate", "swap", "restart")
OLD, NEW = '{"speed": 1}', '{"speed": 2}'


def steps(directory: Path, content: str = NEW, kind: str = "json", to: str = "app.json"):
    args = {"stage": {"content": content}, "validate": {"format": kind}, "swap": {}, "restart": {}}
    return [task_in(directory, name, index=index, to=to, **args[name]) for index, name in enumerate(STEPS)]


async def test_a_configuration_is_changed_and_whoever_reads_it_is_restarted(tmp_path: Path):
    told = tmp_path / "told"
    context = context_in(
        tmp_path, restart=("sh", "-c", f'cat "{tmp_path / "root" / "app.json"}" >"{told}"; echo restarted')
    )
    (context.root / "app.json").write_text(OLD)
    (context.root / "app.json").chmod(0o640)
    handler, done = Configure(context), []
    for task, pending in zip(steps(tmp_path), [("staged",), ("staged",), ("previous",), ()], strict=True):
        done.append(await handler.do(task))
        assert handler.pending([task.aside]) == pending
    assert done[-1] == "restarted\n"
    assert told.read_text() == (context.root / "app.json").read_text() == NEW
    assert (context.root / "app.json").stat().st_mode & 0o777 == 0o640
    assert left_in(context.root) == ["app.json"]


async def test_two_agents_that_share_a_root_do_the_same_job_side_by_side(tmp_path: Path):
    agents = []
    for thing in ("one", "two"):
        (tmp_path / thing).mkdir()
        context = replace(context_in(tmp_path / thing), thing=thing, root=tmp_path)
        agents.append((Configure(context), steps(tmp_path / thing, to=f"{thing}.json")))
    for each in range(3):
        for handler, tasks in agents:
            await handler.do(tasks[each])
    for thing in ("one", "two"):
        assert (tmp_path / f"{thing}.json").read_text() == NEW


@pytest.mark.parametrize("existed", [True, False], ids=["over an older one", "where there was none"])
@pytest.mark.parametrize("begun", [1, 2, 3], ids=["staged", "validated", "swapped"])
async def test_whatever_was_done_is_taken_back_also_twice(tmp_path: Path, begun: int, existed: bool):
    context = context_in(tmp_path)
    if existed:
        (context.root / "app.json").write_text(OLD)
    tasks = steps(tmp_path)[:begun]
    for task in tasks:
        await Configure(context).do(task)
        await Configure(context).do(task)  # as after a restart
    for task in [*reversed(tasks), *reversed(tasks)]:
        await Configure(context).undo(task)
    assert left_in(context.root) == (["app.json"] if existed else [])
    assert not existed or (context.root / "app.json").read_text() == OLD
    assert Configure(context).pending([tasks[0].aside]) == ()


@pytest.mark.parametrize("can_link", [True, False], ids=["kept under a second name", "kept as a copy"])
async def test_what_a_document_brings_has_nobody_elses_rights_and_what_was_there_has_them_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_link: bool
):
    def across_file_systems(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    if not can_link:
        monkeypatch.setattr("agent.handlers.files.os.link", across_file_systems)
    context = context_in(tmp_path)
    file = context.root / "app.json"
    file.write_text(OLD)
    file.chmod(0o6755)
    tasks = steps(tmp_path)[:3]
    for task in tasks:
        await Configure(context).do(task)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (NEW, 0o755)
    for task in reversed(tasks):
        await Configure(context).undo(task)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (OLD, 0o6755)


async def test_a_step_that_is_stopped_while_it_writes_goes_on_behind_nobodys_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    context = context_in(tmp_path)
    (context.root / "app.json").write_text(OLD)
    *before, swap = steps(tmp_path)[:3]
    for task in before:
        await Configure(context).do(task)
    begun, go_on = asyncio.Event(), threading.Event()
    loop, replace = asyncio.get_running_loop(), configure.replace

    def slowly(*arguments: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        replace(*arguments)

    monkeypatch.setattr(configure, "replace", slowly)
    swapping = asyncio.create_task(Configure(context).do(swap))
    await begun.wait()
    swapping.cancel()
    loop.call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await swapping
    assert (context.root / "app.json").read_text() == NEW
    for task in [swap, *reversed(before)]:
        await Configure(context).undo(task)
    assert (context.root / "app.json").read_text() == OLD


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
    context = context_in(tmp_path)
    (context.root / "app.json").write_text(OLD)
    stage, validate, *_ = steps(tmp_path, content, kind)
    await Configure(context).do(stage)
    with pytest.raises(StepError, match=says):
        await Configure(context).do(validate)
    await Configure(context).undo(stage)
    assert (context.root / "app.json").read_text() == OLD
    assert left_in(context.root) == ["app.json"]


@pytest.mark.parametrize("taken_back", [1, 3], ids=["the swap", "all of it"])
async def test_nothing_is_restarted_for_what_was_taken_back(tmp_path: Path, taken_back: int):
    context = context_in(tmp_path, restart=("sh", "-c", f'echo yes >"{tmp_path}/restarted"'))
    (context.root / "app.json").write_text(OLD)
    *before, restart = steps(tmp_path)
    for task in before:
        await Configure(context).do(task)
    for task in [*reversed(before)][:taken_back]:
        await Configure(context).undo(task)
    with pytest.raises(NotBegunError, match="the new configuration is not in its place any more"):
        await Configure(context).do(restart)
    assert not (tmp_path / "restarted").exists()


async def test_a_restart_that_fails_says_why(tmp_path: Path):
    context = context_in(tmp_path, restart=("sh", "-c", "echo no such unit >&2; exit 5"))
    *before, restart = steps(tmp_path)
    for task in before:
        await Configure(context).do(task)
    with pytest.raises(StepError, match="the restart command failed: exit status 5: no such unit"):
        await Configure(context).do(restart)
    assert Configure(context).pending([restart.aside]) == ()


async def test_a_link_is_not_followed_and_nothing_has_to_be_undone(tmp_path: Path):
    context = context_in(tmp_path)
    (tmp_path / "passwd").write_text(OLD)
    (context.root / "link").symlink_to(tmp_path / "passwd")
    stage, *_ = steps(tmp_path, to="link")
    with pytest.raises(StepError, match="no ordinary file"):
        await Configure(context).do(stage)
    await Configure(context).undo(stage)
    assert (tmp_path / "passwd").read_text() == OLD
    assert left_in(context.root) == ["link"]


async def test_what_was_staged_for_a_settled_execution_goes(tmp_path: Path):
    context = context_in(tmp_path)
    stage, *_ = steps(tmp_path)
    await Configure(context).do(stage)
    await Configure(context).settle(stage.aside)
    assert left_in(context.root) == []
