"""Commands and scripts, started as the AWS IoT Device Client starts them, by those rules and by stricter ones."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.causes import Cause
from agent.handlers import processes
from agent.handlers.handler import StepError, UnknownOperationError
from agent.handlers.run import Run
from tests.agent.handlers.bench import context_in, task_in

ECHO = '#!/bin/sh\necho "$GHOSTJOB_THING $GHOSTJOB_JOB_ID [$1] [$2] [$3]"\n'


def script(directory: Path, text: str = ECHO, name: str = "echo.sh", mode: int = 0o700) -> None:
    (directory / "scripts" / name).write_text(text)
    (directory / "scripts" / name).chmod(mode)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(
            {"command": '["echo", "a b", "$HOME"]', "stdout": "true"}, "a b $HOME\n", id="no shell in between"
        ),
        pytest.param({"command": '["echo", "secret"]'}, "", id="output that nobody asked for"),
        pytest.param(
            {"handler": "echo.sh", "args": '["x", "y"]', "user": "pi", "stdout": "true"},
            "dev fw [pi] [x] [y]\n",
            id="a script hears the user first",
        ),
        pytest.param({"handler": "echo.sh", "stdout": "true"}, "dev fw [] [] []\n", id="or an empty word"),
        pytest.param(
            {"handler": "echo", "args": '["x"]', "user": "pi", "stdout": "true"},
            "pi x\n",
            id="a program of PATH does too",
        ),
        pytest.param({"command": '["false"]', "ignore_failure": "true"}, "", id="a failure that does not matter"),
        pytest.param(
            {"command": '["true"]', "ignore_failure": "true", "restarts": "agent"},
            "",
            id="nor does a restart that is none",
        ),
        pytest.param(
            {"command": '["sh", "-c", "echo 1 >&2"]', "allow_stderr_lines": "1"}, "", id="as much on stderr as allowed"
        ),
    ],
)
async def test_a_program_does_what_the_document_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: dict[str, object], said: str
):
    monkeypatch.setitem(processes.DOWN_SECONDS, "agent", 0.05)
    context = context_in(tmp_path)
    script(tmp_path)
    assert await Run(context).do(task_in(tmp_path, "run", reversible=False, **args)) == said


@pytest.mark.parametrize(
    ("args", "says", "cause"),
    [
        pytest.param(
            {"command": '["sh", "-c", "echo a; echo woe >&2; exit 3"]'},
            "exit status 3: woe",
            Cause.PROGRAM,
            id="exit status",
        ),
        pytest.param({"command": '["sh", "-c", "kill -9 $$"]'}, "ended by signal 9", Cause.PROGRAM, id="signal"),
        pytest.param(
            {"command": '["sleep", "60"]', "timeout_seconds": "0.1"},
            "not done after 0.1 s",
            Cause.TIMEOUT,
            id="time limit",
        ),
        pytest.param(
            {"command": '["sh", "-c", "echo 1 >&2; echo 2 >&2"]', "allow_stderr_lines": "1"},
            "wrote 2 lines to stderr",
            Cause.PROGRAM,
            id="more on stderr than allowed",
        ),
        pytest.param({"handler": "nope.sh"}, "no handler nope.sh", Cause.UNKNOWN_OPERATION, id="no such script"),
        pytest.param({"handler": ".."}, "no ordinary file", Cause.REFUSED_PATH, id="a directory"),
        pytest.param({"handler": "../outside.sh"}, "no ordinary file", Cause.REFUSED_PATH, id="out with dots"),
        pytest.param({"handler": "link.sh"}, "no ordinary file", Cause.REFUSED_PATH, id="a link"),
        pytest.param(
            {"handler": "open.sh"},
            "open.sh: others may write to it",
            Cause.REFUSED_PATH,
            id="a script that anybody may change",
        ),
        pytest.param(
            {"handler": "plain.sh"}, "not one that may be run", Cause.NOT_FOUND, id="a file that is no program"
        ),
        pytest.param(
            {"command": '["true"]', "user": "nosuchuser"}, "no user nosuchuser", Cause.NOT_FOUND, id="no such user"
        ),
    ],
)
async def test_a_program_that_fails_or_may_not_run_says_so(
    tmp_path: Path, args: dict[str, object], says: str, cause: Cause
):
    context = context_in(tmp_path)
    (tmp_path / "outside.sh").write_text(ECHO)
    (tmp_path / "outside.sh").chmod(0o700)
    (tmp_path / "scripts" / "link.sh").symlink_to(tmp_path / "outside.sh")
    script(tmp_path, name="open.sh", mode=0o777)
    script(tmp_path, name="plain.sh", mode=0o600)
    with pytest.raises(StepError, match=says) as failed:
        await Run(context).do(task_in(tmp_path, "run", reversible=False, **args))
    assert failed.value.cause is cause


@pytest.mark.parametrize(
    ("whose", "mode"),
    [
        pytest.param("scripts", 0o777, id="anybody may write to its directory"),
        pytest.param("scripts", 0o1777, id="anybody may add to its directory"),
        pytest.param(".", 0o757, id="anybody may put another directory in its place"),
    ],
)
async def test_a_script_that_others_may_replace_does_not_run(tmp_path: Path, whose: str, mode: int):
    context = context_in(tmp_path)
    script(tmp_path)
    (tmp_path / whose).chmod(mode)
    with pytest.raises(StepError, match=f"others may write to {(tmp_path / whose)}"):
        await Run(context).do(task_in(tmp_path, "run", handler="echo.sh"))


async def test_a_script_runs_below_a_directory_where_nobody_can_rename_what_is_anothers(tmp_path: Path):
    context = context_in(tmp_path)
    script(tmp_path)
    context.scripts.parent.chmod(0o1777)
    assert await Run(context).do(task_in(tmp_path, "run", handler="echo.sh")) == ""


async def test_a_link_that_others_may_change_leads_to_no_script(tmp_path: Path):
    context = context_in(tmp_path)
    script(tmp_path)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    (tmp_path / "shared" / "link").symlink_to(context.scripts)
    through = replace(context, scripts=tmp_path / "shared" / "link")
    with pytest.raises(StepError, match=f"others may write to {context.scripts.parent}/shared"):
        await Run(through).do(task_in(tmp_path, "run", handler="echo.sh"))


async def test_a_program_works_in_the_directory_of_its_execution(tmp_path: Path):
    task = task_in(tmp_path, "run", command=json.dumps(["pwd"]), stdout="true")
    assert (await Run(context_in(tmp_path)).do(task)).strip() == str(task.aside)


async def test_a_script_goes_before_a_program_of_that_name_and_a_path_means_that_place_alone(tmp_path: Path):
    context, elsewhere = context_in(tmp_path), task_in(tmp_path, "run", handler="echo", path=str(tmp_path / "scripts"))
    with pytest.raises(UnknownOperationError, match=r"there is no handler echo among the scripts$"):
        await Run(context).do(elsewhere)
    script(tmp_path, name="echo", text="#!/bin/sh\necho a script\n")
    assert await Run(context).do(task_in(tmp_path, "run", handler="echo", stdout="true")) == "a script\n"


@pytest.mark.parametrize(
    ("command", "says", "cause"),
    [
        pytest.param("exit 0", "the program ended well, and the agent was not restarted", Cause.TIMEOUT, id="well"),
        pytest.param("kill -TERM $$", "ended by signal 15, and the agent was not", Cause.TIMEOUT, id="taken down"),
        pytest.param("exit 5", "exit status 5", Cause.PROGRAM, id="failed"),
    ],
)
async def test_a_program_that_is_to_restart_the_agent_has_not_done_it_while_this_one_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, says: str, cause: Cause
):
    monkeypatch.setitem(processes.DOWN_SECONDS, "agent", 0.05)
    task = task_in(tmp_path, "run", reversible=False, command=json.dumps(["sh", "-c", command]), restarts="agent")
    with pytest.raises(StepError, match=f"^{says}") as failed:
        await Run(context_in(tmp_path)).do(task)
    assert failed.value.cause is cause
