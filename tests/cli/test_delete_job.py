"""`ghostjob delete-job` by itself: on a terminal, with a prompt and a pager; its help; what it does not cost others.

What it has in common with the AWS CLI is compared with it in `tests/clients/test_delete_job.py`.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from simulator.cli.delete_job.prompting import Suggestions

COMMAND = (sys.executable, "-P", "-m", "simulator.cli")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "TERM": "xterm",
}
PROMPT = "> ghostjob delete-job "
EXAMPLE = ("--generate-cli-skeleton", "output", "--job-id", "x", "--query", "[`1`]", "--output", "text")


def on_a_terminal(arguments: Sequence[str], typed: str | None = None, **more: str) -> tuple[int, str]:
    """Exit code, and what the terminal got; `typed` is typed once the prompt is there."""
    ours, its = os.openpty()
    with subprocess.Popen(
        [*COMMAND, "delete-job", *arguments],
        stdin=its,
        stdout=its,
        stderr=its,
        env={**os.environ, **ENVIRONMENT, **more},
    ) as process:
        os.close(its)
        got = b""
        while chunk := _read(ours):
            got += chunk
            if b"\x1b[6n" in chunk:
                os.write(ours, b"\x1b[1;1R")  # where the cursor is, since it asks
            if typed is not None and PROMPT.encode() in got:
                os.write(ours, typed.encode())
                typed = None
        os.close(ours)
        return process.wait(), got.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody has the other end any more
        return b""


def test_the_prompt_starts_with_what_was_given_and_runs_the_line():
    code, shown = on_a_terminal(["--cli-auto-prompt", "--generate-cli-skeleton"], "yaml-input\r")
    assert code == 0
    assert "jobId: ''" in shown


def test_a_line_that_cannot_be_understood_is_prompted_for_if_the_configuration_says_on_partial():
    code, shown = on_a_terminal(["--generate-cli-skeleton", "output"], "--job-id x\r", AWS_CLI_AUTO_PROMPT="on-partial")
    assert code == 0
    assert "error" not in shown
    code, shown = on_a_terminal(EXAMPLE, AWS_CLI_AUTO_PROMPT="on-partial", AWS_PAGER="")
    assert (code, shown) == (0, "1\r\n")


def test_ctrl_c_leaves_the_prompt_and_nothing_is_run():
    code, shown = on_a_terminal(["--cli-auto-prompt", "--generate-cli-skeleton"], "\x03")
    assert code == 130
    assert "jobId" not in shown


def test_a_terminal_gets_the_output_through_the_configured_pager():
    assert on_a_terminal(EXAMPLE, AWS_PAGER="sed s/^/paged:/") == (0, "paged:1\r\n")
    assert on_a_terminal([*EXAMPLE, "--no-cli-pager"], AWS_PAGER="sed s/^/paged:/") == (0, "1\r\n")
    code, shown = on_a_terminal(EXAMPLE, AWS_PAGER="no-such-pager")
    assert code == 253
    assert "Unable to redirect output to pager" in shown


@pytest.mark.parametrize(
    ("line", "suggested"),
    [
        pytest.param("--jo", ["--job-id"], id="an option"),
        pytest.param("--output ya", ["yaml", "yaml-stream"], id="a value of an option that has few"),
        pytest.param("--job-id f", [], id="a value that only the user knows"),
        pytest.param("--force --for", [], id="not twice"),
        pytest.param("--cli-a", [], id="not what brought the prompt"),
    ],
)
def test_the_prompt_suggests(line: str, suggested: list[str]):
    found = Suggestions().get_completions(Document(line), CompleteEvent())
    assert [completion.text for completion in found] == suggested


def test_the_help_tells_every_option_and_an_example_that_runs():
    done = subprocess.run([*COMMAND, "delete-job", "--help"], capture_output=True, text=True, check=True)
    for option in ("--job-id", "--force", "--no-force", "--namespace-id", "--cli-input-json", "--cli-auto-prompt"):
        assert option in done.stdout
    [example] = [line.split()[1:] for line in done.stdout.splitlines() if "ghostjob delete-job --generate" in line]
    ran = subprocess.run([*COMMAND, *example], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("jobId: ''  # [REQUIRED] ")


def test_the_help_of_all_verbs_imports_no_botocore():
    program = (
        "import sys, simulator.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: print('botocore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert "delete-job" in done.stdout
    assert done.stdout.endswith("False\n")
