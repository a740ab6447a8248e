"""`ghostjob delete-job` beside `aws iot delete-job`: for the same input the same output, error, exit code and request.

Each side has a job of its own, and a front of its own that keeps what was asked of the service. What is compared is
everything that a caller can see, after each side's own names (program, job, port) have been taken out.
"""

import argparse
import json
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator.cli.delete_job.options import COMMAND_OPTIONS, GLOBAL_OPTIONS, VERSION
from simulator.cli.delete_job.output import render

from .cloud_process import running_cloud
from .conftest import Api
from .forked import Done, Forked, aws_cli
from .fronts import Front, front

USAGE = re.compile(r"usage: .*?\n\n(?=(?:\S+: error|ghostjob delete-job: error|Unknown options))", re.DOTALL)
PLACE = re.compile(r"\(_ssl\.c:\d+\)|^/.*/urllib3/connectionpool\.py:\d+: |https://urllib3\S+", re.MULTILINE)
"""Where in a library something was found, or is told of: each side has its own versions."""
BARE = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
AT_ONCE = {"AWS_MAX_ATTEMPTS": "1"}
WARM = ["--generate-cli-skeleton", "output", "--job-id", "x"]
SHOWN = '{b: `2`, a: [`1`,`2`], c: [{x: `true`, y: `"é漢"`},{x: `null`, z: [`1`]}], d: {e: `1`}, f: [[`1`],[`2`]]}'
WIDE = "{a: `" + json.dumps("w" * 50) + "`, b: `" + json.dumps("v" * 50) + "`}"


@dataclass
class Side:
    """One of the two commands, with its front of the service."""

    name: str
    command: Forked
    plain: Front
    tls: Front
    values: dict[str, str] = field(default_factory=dict)

    def run(self, case: "Case", job_id: str) -> "Seen":
        values = self.values | {"api": self.plain.url, "tls": self.tls.url, "job": job_id}
        filled = lambda text: re.sub(r"<(\w+)>", lambda found: values[found[1]], text)  # noqa: E731
        where = () if case.elsewhere else ("--endpoint-url", self.plain.url)
        environment = {name: filled(value) for name, value in case.environment.items()}
        done = self.command.run([*where, *map(filled, case.arguments)], environment)
        asked = [self._plain(line, job_id) for line in (*self.plain.asked, *self.tls.asked)]
        self.plain.asked.clear()
        self.tls.asked.clear()
        return Seen(done.code, self._plain(done.stdout, job_id), self._plain(done.stderr, job_id), asked)

    def _plain(self, text: str, job_id: str) -> str:
        """Without what is the side's own."""
        text = USAGE.sub("usage: …\n\n", text).replace("ghostjob delete-job: error", "aws: error")
        for own, name in ((self.plain.url, "<api>"), (self.tls.url, "<tls>"), (job_id, "<job>")):
            text = text.replace(own, name)
        return PLACE.sub("", text)


@dataclass
class Seen:
    """What a caller sees of a run, and what the service saw."""

    code: int
    stdout: str
    stderr: str
    asked: list[str]
    is_gone: bool = False


@dataclass(frozen=True)
class Case:
    """`elsewhere`: the arguments say themselves where the service is, or it is not asked."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    prepare: Callable[[Api, str], None]
    elsewhere: bool


def in_progress(api: Api, job_id: str) -> None:
    api.create_job(job_id, "dev-0")


def in_a_namespace(api: Api, job_id: str) -> None:
    api.create_job(job_id, "dev-0", "lab")


def cancelled(api: Api, job_id: str) -> None:
    api.create_job(job_id, "dev-0")
    api.iot.cancel_job(jobId=job_id)


def case(
    *arguments: str,
    code: int,
    id: str,  # noqa: A002 - pytest's name for it
    job: Callable[[Api, str], None] = in_progress,
    elsewhere: bool = False,
    **environment: str,
) -> Any:
    return pytest.param(Case(arguments, environment, job, elsewhere), code, id=id)


GOOD = [
    case("--job-id", "<job>", "--force", code=0, id="a job in progress, with force"),
    case("--job-id", "<job>", "--no-force", code=0, job=cancelled, id="a cancelled job, without force"),
    case("--job-id", "<job>", "--force", "--namespace-id", "lab", code=0, job=in_a_namespace, id="in a namespace"),
    case("--job", "<job>", "--no-force", "--forc", "--reg=us-west-2", code=0, id="abbreviated, and the last one wins"),
    case(
        *("--job-id", "<job>", "--force", "--region", "eu-west-1", "--color", "on", "--no-paginate", "--no-cli-pager"),
        *("--cli-read-timeout", "0", "--cli-connect-timeout", "5", "--cli-binary-format", "raw-in-base64-out"),
        *("--no-cli-auto-prompt", "--output", "text"),
        code=0,
        id="every other option at once",
    ),
    case("--job-id", "<job>", "--force", "--no-sign-request", code=0, **BARE, id="unsigned, without credentials"),
    case(
        *("--cli-input-json", "file://<dir>/input.json", "--job-id", "<job>"),
        code=0,
        id="input from a JSON file; arguments override it",
    ),
    case("--cli-input-yaml", "{jobId: <job>, force: true}", code=0, id="input as YAML"),
    case(
        *("--job-id", "<job>", "--force", "--query", "jobId", "--profile", "lab"),
        code=0,
        id="a query of nothing is null, region and output from the profile",
    ),
    case("--job-id", "<job>", "--force", code=0, AWS_REGION="ap-south-1", AWS_PROFILE="lab", id="AWS_REGION first"),
    case(
        *("--endpoint-url", "<tls>", "--ca-bundle", "<ca>", "--job-id", "<job>", "--force"),
        code=0,
        elsewhere=True,
        id="over TLS, with the CA that signed",
    ),
    case(
        *("--endpoint-url", "<tls>", "--job-id", "<job>", "--force", "--no-verify-ssl"),
        code=0,
        elsewhere=True,
        id="over TLS, unverified",
    ),
    case(
        *("--endpoint-url", "<tls>", "--job-id", "<job>", "--force"),
        code=0,
        elsewhere=True,
        AWS_CA_BUNDLE="<ca>",
        id="over TLS, with the CA that AWS_CA_BUNDLE names",
    ),
    case("--generate-cli-skeleton", code=0, id="an example of the input"),
    case("--generate-cli-skeleton", "yaml-input", code=0, id="an example of the input as YAML"),
    *(
        case(
            *("--generate-cli-skeleton", "output", "--job-id", "x", "--query", SHOWN, "--output", form),
            code=0,
            id=f"an example of the output as {form}",
        )
        for form in ("json", "text", "table", "yaml", "yaml-stream")
    ),
    case(
        *("--generate-cli-skeleton", "output", "--job-id", "x", "--query", WIDE, "--output", "table"),
        code=0,
        id="a table too wide for the terminal stands upright",
    ),
]
BAD = [
    case("--job-id", "<job>", code=254, id="in progress, without force"),
    case("--job-id", "nope", "--force", code=254, id="no such job"),
    case("--job-id", "<job>", "--force", code=254, job=in_a_namespace, id="namespace left out"),
    case("--job-id", "x" * 65, code=254, id="an id that the service finds too long"),
    case(code=252, id="no job"),
    case("--job-id", "", code=252, id="an empty job id"),
    case("--job-id", "x", "--bogus", "1", "more", code=252, id="options that there are not"),
    case("--job-id", "x", "--output", "jsom", code=252, id="a form that there is not"),
    case("--job-id", "x", "--cli", code=252, id="an ambiguous abbreviation"),
    case("--query", "a[", code=252, id="a query that is none, before all else"),
    case("--job-id", "x", "--endpoint-url", "127.0.0.1:1", code=252, elsewhere=True, id="an endpoint without scheme"),
    case("--cli-input-json", "{}", "--cli-input-yaml", "{}", code=252, id="two inputs"),
    case("--cli-input-json", "{", code=252, id="input that is no JSON"),
    case("--cli-input-json", "[1]", code=252, id="input that is no object"),
    case("--cli-input-yaml", "jobId: x\nforce: yes\nmore: 1", code=252, id="yes is no boolean, and unknown members"),
    case("--job-id", "file:///nope", code=252, id="a file that there is not"),
    case("--generate-cli-skeleton", "output", code=252, id="an example of the output needs valid input"),
    case("--job-id", "x", "--cli-auto-prompt", "--no-cli-auto-prompt", code=252, id="prompt, and do not"),
    case("--job-id", "x", "--force", code=253, **BARE, id="no credentials"),
    case("--job-id", "x", "--cli-read-timeout", "soon", code=255, id="a timeout that is no number"),
    case("--job-id", "x", "--profile", "nobody", code=255, id="no such profile"),
    case(
        *("--endpoint-url", "http://127.0.0.1:<dead>", "--job-id", "x"),
        code=255,
        elsewhere=True,
        **AT_ONCE,
        id="nobody listens",
    ),
    case(
        *("--endpoint-url", "http://127.0.0.1:<silent>", "--job-id", "x", "--cli-read-timeout", "1"),
        code=255,
        elsewhere=True,
        **AT_ONCE,
        id="nobody answers",
    ),
    case(
        *("--endpoint-url", "<tls>", "--job-id", "x"),
        code=255,
        elsewhere=True,
        **AT_ONCE,
        id="a certificate of a CA that is not known",
    ),
]


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[dict[str, str]]:
    """Files, and ports where nobody listens or answers."""
    directory = tmp_path_factory.mktemp("input")
    (directory / "input.json").write_text('{"jobId": "overridden", "force": true}')
    (directory / "config").write_text("[profile lab]\nregion = eu-north-1\noutput = yaml\n")
    (directory / "credentials").write_text("[lab]\naws_access_key_id = lab\naws_secret_access_key = lab\n")
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        ports = {"silent": str(silent.getsockname()[1]), "dead": str(dead.getsockname()[1])}
        yield {"dir": str(directory), "ca": str(certs / "ca.pem"), **ports}


@pytest.fixture(scope="module")
def sides(
    aws: str, certs: Path, surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Side, Side, Api]]:
    """Ours, theirs, and an operator who prepares jobs."""
    with ExitStack() as stack:
        endpoint = stack.enter_context(running_cloud("--deletion-seconds", "0"))["api"]
        api = Api(endpoint)
        stack.callback(api.iot.close)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("AWS_CONFIG_FILE", f"{surroundings['dir']}/config")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{surroundings['dir']}/credentials")
        made = []
        for name, command in (("ours", ours()), ("theirs", aws_cli(aws, "iot", "delete-job"))):
            runner = Forked(*command, WARM, tmp_path_factory.mktemp(name))
            stack.callback(runner.close)
            fronts = stack.enter_context(front(endpoint)), stack.enter_context(front(endpoint, certs))
            made.append(Side(name, runner, *fronts, surroundings))
        yield made[0], made[1], api


def ours() -> tuple[list[str], str, str, str]:
    imports = "import simulator.cli.delete_job.running\nfrom simulator.cli import main"
    return [sys.executable, "-P"], "ghostjob", imports, "main(['delete-job', *sys.argv[1:]])"


@pytest.mark.parametrize(("case", "code"), [*GOOD, *BAD])
def test_both_do_the_same(sides: tuple[Side, Side, Api], case: Case, code: int, request: pytest.FixtureRequest) -> None:
    mine, aws, api = sides
    number = request.node.callspec.indices["case"]

    def run(side: Side) -> Seen:
        job_id = f"{side.name}-{number}"
        case.prepare(api, job_id)
        seen = side.run(case, job_id)
        pages = api.iot.get_paginator("list_jobs").paginate()
        seen.is_gone = not any(job["jobId"] == job_id for page in pages for job in page["jobs"])
        return seen

    with ThreadPoolExecutor(2) as both:
        seen, expected = both.map(run, (mine, aws))
    assert expected.code == code, expected.stderr
    assert seen == expected


def test_the_log_of_a_debug_run_tells_the_request_and_the_end_is_the_same(sides: tuple[Side, Side, Api]):
    debugged = Case(("--job-id", "nope", "--debug"), {}, in_progress, False)
    mine, aws = (side.run(debugged, "nope") for side in sides[:2])
    assert (mine.code, mine.asked) == (aws.code, aws.asked) == (254, ["DELETE /jobs/<job> us-east-1"])
    for seen in (mine, aws):
        assert re.search(r" - MainThread - botocore\.\S+ - DEBUG - .*DeleteJob", seen.stderr)
        assert " - MainThread - urllib3.connectionpool - DEBUG - " in seen.stderr
        assert "An error occurred (ResourceNotFoundException) when calling the DeleteJob operation" in seen.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "theirs_say", "we_say"),
    [
        pytest.param(
            ("--version",), 0, r"aws-cli/2\.", r"ghostjob/[\d.]+ Python/[\d.]+ \w+ botocore/", id="each is itself"
        ),
        pytest.param(
            ("--job-id", "x", "--cli-auto-prompt"),
            255,
            r"Warning: Input is not a terminal \(fd=0\)\.",
            r"Auto-prompt needs a terminal, and standard input is none\.",
            id="theirs is what its prompt library happens to say where there is no terminal",
        ),
    ],
)
def test_what_differs_on_purpose(
    sides: tuple[Side, Side, Api], arguments: tuple[str, ...], code: int, theirs_say: str, we_say: str
):
    for side, words in zip(sides, (we_say, theirs_say), strict=False):
        done = side.command.run(list(arguments), {})
        assert done.code == code
        assert re.search(words, done.stdout + done.stderr)


def test_every_option_is_compared():
    here = {
        word for line in Path(__file__).read_text("utf-8").splitlines() for word in re.findall(r'"(--[a-z-]+)', line)
    }
    assert {option.flag for option in (*COMMAND_OPTIONS, *GLOBAL_OPTIONS, VERSION)} <= here


def test_colours_are_the_same_but_for_resets_that_reset_nothing(sides: tuple[Side, Side, Api]):
    reset = "\x1b[0m"
    shown = [
        "--generate-cli-skeleton",
        "output",
        "--job-id",
        "x",
        "--query",
        SHOWN,
        "--output",
        "table",
        "--color",
        "on",
    ]
    mine, aws = (side.command.run(shown, {}).stdout for side in sides[:2])
    assert mine.replace(reset, "") == aws.replace(reset, "")
    assert mine.count(reset) == mine.count("\x1b[34m") + mine.count("\x1b[33m") > 0


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IOT"])
def test_the_environment_may_say_where_the_service_is(sides: tuple[Side, Side, Api], variable: str):
    """The AWS CLI does so since 2.13; an older one would go to AWS, and is not run."""
    mine, _, api = sides
    api.create_job(variable, "dev-0")
    assert mine.command.run(["--job-id", variable, "--force"], {variable: mine.plain.url}) == Done(0, "", "")
    assert mine.plain.asked == [f"DELETE /jobs/{variable}?force=true us-east-1"]
    mine.plain.asked.clear()


def test_forked_runs_are_those_of_the_commands_themselves(sides: tuple[Side, Side, Api], aws: str):
    mine, theirs, _ = sides
    for side, command in ((mine, [sys.executable, "-P", "-m", "simulator.cli"]), (theirs, [aws, "iot"])):
        where = ["--endpoint-url", side.plain.url, "--job-id", "nope"]
        done = subprocess.run([*command, "delete-job", *where], capture_output=True, text=True, check=False)
        assert Done(done.returncode, done.stdout, done.stderr) == side.command.run(where, {})
        assert side.plain.asked == ["DELETE /jobs/nope us-east-1"] * 2
        side.plain.asked.clear()


# ── the forms of the output ───────────────────────────────────────────────────────────────────────────────────

RENDERING = """
import argparse, io, json, sys
from awscli.formatter import get_formatter
def rendered(result, form):
    out = io.StringIO()
    options = argparse.Namespace(query=argparse.Namespace(search=lambda response: result), color="off")
    try:
        get_formatter(form, options)("DeleteJob", {}, out)
    except ValueError as error:
        return str(error)
    except Exception:
        return None
    return out.getvalue()
json.dump([rendered(*each) for each in json.load(sys.stdin)], sys.stdout)
"""


SCALARS = (None, True, False, 0, 1, 2.5, "", "a", "two words", "漢字", "x" * 41, "a: b")


def any_result(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.random()
    if depth == 3 or kind < 0.35:
        return draw.choice(SCALARS)
    members = [any_result(draw, depth + 1) for _ in range(draw.randrange(4))]
    if kind < 0.65:
        return members
    return {draw.choice("abcdefgh") * draw.randrange(1, 9): member for member in members}


def test_whatever_a_query_makes_is_shown_in_every_form_as_the_aws_cli_shows_it(aws: str):
    draw = random.Random(7)
    drawn = {json.dumps(each): each for each in (any_result(draw) for _ in range(400))}  # many are one and the same
    asked = [(each, form) for each in drawn.values() for form in ("json", "text", "table", "yaml", "yaml-stream")]
    interpreter, *_ = aws_cli(aws)
    done = subprocess.run(
        [*interpreter, "-c", RENDERING], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    compared = [(each, told) for each, told in zip(asked, json.loads(done.stdout), strict=True) if told is not None]
    assert len(compared) > 0.9 * len(asked), "the AWS CLI breaks down over few"
    for (result, form), expected in compared:
        query = argparse.Namespace(search=lambda response, result=result: result)
        try:
            shown = render({}, form, argparse.Namespace(query=query, color="off"))
        except ValueError as error:
            shown = str(error)
        assert shown == expected, (form, result)
