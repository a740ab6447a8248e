"""`ghostjob certify --endpoint-url`: a cloud of another process, by its public endpoints only, as AWS is reached."""

import asyncio
import json
import re
import shlex
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError
from simulator.certify.aws.budget import DEPTH
from simulator.certify.aws.desk import AccountDesk, AccountSettings
from simulator.certify.aws.ledger import Ledger
from simulator.certify.aws.watching import Watching
from simulator.cli.certify import certify
from simulator.cli.certifying_account import Account, Remains
from simulator.controller.hand import Refused
from tests.cli.account import ENVIRONMENT, CloudAccount, cloud_account
from tests.cli.certifying import Certifying, device


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudAccount]:
    """One for all tests here."""
    with cloud_account(tmp_path_factory.mktemp("account"), "pump") as found:
        yield found


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_a_device_with_a_certificate_made_for_it_passes_and_nothing_stays(account: CloudAccount, tmp_path: Path):
    certs = tmp_path / "device"
    certs.mkdir()
    shutil.copy(account.certs / "ca.pem", certs)
    only = ("--only", "recreated/same-document", "--only", "report/held")
    there = ("--endpoint-url", account.api, "--thing", "made", "--make-certificate", "--certs", str(certs))
    iot = account.iot()
    with Certifying(tmp_path, "--json", *there, *only, command=device("reference", 0.3)) as certifying:
        learned = certifying.until("learned")["learned"]
        jobs = [_tags(iot, job["jobArn"]) for job in iot.list_jobs()["jobs"]]
        policies = [_tags(iot, each["policyArn"]) for each in _policies(iot)]
        attributes = iot.describe_thing(thingName="made")["attributes"]
        assert (certs / "made.key").stat().st_mode & 0o077 == 0
        results = [each["result"] for each in certifying.events() if each["event"] == "cell.ended"]
        code, _, err = certifying.end()
    outcomes = {each["id"]: each["outcome"] for each in results}
    assert outcomes == {"recreated/same-document": "passed", "report/held": "not-applicable"}, results
    assert code == 0, err
    assert learned["seen_by"] == "control-plane"
    assert {*jobs[0], *policies[0]} == {*attributes} == {"ghostjob", "ghostjob-session"}
    assert jobs[0] == policies[0] == attributes
    assert attributes["ghostjob"] == "certify"
    assert "could not be removed" not in err
    assert not (certs / "made.key").exists()
    _is_as_it_was(account)


def test_a_device_that_rests_after_a_loss_fails_with_what_shows_it(
    account: CloudAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    limits = ("--bound", "ready_seconds=1", "--bound", "lost_job_seconds=1")
    there = ("--endpoint-url", account.api, "--thing", "pump", "--certs", str(account.certs))
    kept = ("--json", "--out", str(tmp_path / "out"))
    with account.device("pump", "rests-after-a-loss", 0.1):
        code = _certify(*there, *limits, *kept, "--only", "taking/calm")
    told = json.loads((tmp_path / "out/certificate.json").read_text())
    (cell,) = told["cells"]
    assert (code, cell["outcome"]) == (1, "failed"), cell["why"]
    assert {each["id"]: each["outcome"] for each in cell["invariants"]}["ready-in-time"] == "violated"
    assert any("removed the record of" in each["text"] for each in cell["evidence"] if each["pointed_at"])
    assert told["not_seen"]["no-hammering"].startswith("needs the device's requests")
    assert "ready-in-time" not in told["not_seen"]
    assert told["bricked"]["cell"] == "taking/calm"
    assert "could not be removed" not in capsys.readouterr().err
    _is_as_it_was(account)


async def test_who_is_interrupted_leaves_no_job_and_deletes_nobody_elses(account: CloudAccount, tmp_path: Path):
    iot, ledger, is_made = account.iot(), Ledger("abc123"), asyncio.Event()
    arn = iot.create_thing(thingName="lamp")["thingArn"]
    settings = AccountSettings("lamp", None, account.api, None, None, tmp_path, makes_certificate=False)

    async def interrupted() -> None:
        async with AccountDesk(settings, ledger) as desk:
            iot.create_job(jobId="somebody-elses", targets=[arn], document="{}")
            await desk.hand().create_job("certify-abc123-0001", ["lamp"], {}, None)
            with pytest.raises(InputError, match="not made by this session"):
                await desk.hand().delete_job("somebody-elses", force=True, namespace_id=None)
            is_made.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(interrupted())
    await is_made.wait()
    assert ledger.left() == ("aws iot delete-job --job-id certify-abc123-0001 --force",)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.left() == ()
    assert [job["jobId"] for job in iot.list_jobs()["jobs"]] == ["somebody-elses"]
    with pytest.raises(InputError, match=r"not this session's, and which its device would do first: somebody-elses"):
        async with AccountDesk(settings, ledger):
            pass
    iot.delete_job(jobId="somebody-elses", force=True)
    iot.delete_thing(thingName="lamp")


def test_who_interrupts_twice_is_told_what_is_left_and_commands_that_remove_it(account: CloudAccount, tmp_path: Path):
    shutil.copy(account.certs / "ca.pem", tmp_path)
    there = ("--endpoint-url", account.api, "--thing", "made", "--make-certificate", "--certs", str(tmp_path))
    with Certifying(tmp_path, *there, "--only", "taking/calm", command=device("reference", 5.0)) as certifying:
        assert certifying.process.stderr is not None
        for sign in ("has taken its first job", "is being deleted, which takes"):
            next(line for line in certifying.process.stderr if sign in line)
            certifying.process.send_signal(signal.SIGINT)
        code, out, err = certifying.end()
    assert (code, out.splitlines()[-1]) == (130, "INCONCLUSIVE: interrupted; 0 of 1 cell passed")
    assert "Traceback" not in err
    said, iot = err.splitlines(), account.iot()
    at = said.index("ghostjob: certify: this session made what could not be removed; these commands do it:")
    for line in filter(None, said[at + 1 :]):
        _type(iot, line)
    for _ in range(300):  # each asks the cloud, whose deletions take their time
        if not iot.list_jobs()["jobs"]:
            break
        threading.Event().wait(0.05)
    _is_as_it_was(account)


def _type(iot: Any, line: str) -> None:
    """Do what a command of a shell does."""
    program, *words = shlex.split(line)
    if program == "rm":
        Path(words[-1]).unlink()
        return
    operation, *options = (word for word in words[1:] if word != "--force")
    given = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    del given["endpoint-url"]
    camel = {re.sub(r"-(.)", lambda found: found[1].upper(), name): value for name, value in given.items()}
    force = {"force": True} if "--force" in words else {}
    getattr(iot, operation.replace("-", "_"))(**camel, **force)


async def test_what_goes_wrong_beside_the_account_is_told_as_it_is(account: CloudAccount, tmp_path: Path):
    settings = AccountSettings("lamp", None, account.api, None, None, tmp_path, makes_certificate=False)
    for wrong in (InputError("--power-cmd: no relay answers"), KeyError("a fault of ours")):
        with pytest.raises(type(wrong)) as told:
            async with AccountDesk(settings, Ledger("abc124")):
                raise wrong
        assert told.value is wrong


async def test_an_account_that_answers_no_more_ends_what_goes_on_there(
    account: CloudAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def refused(_self: Watching) -> None:
        raise Refused("AccessDeniedException", "not authorized")

    monkeypatch.setattr(Watching, "run", refused)
    settings = AccountSettings("lamp", None, account.api, None, None, tmp_path, makes_certificate=False)
    with pytest.raises(InputError, match=f"{account.api}: nothing more is seen there: .*not authorized"):
        async with AccountDesk(settings, Ledger("abc125")):
            await asyncio.Event().wait()


def test_what_is_left_in_an_account_is_told_to_people_and_to_scripts(capsys: pytest.CaptureFixture[str]):
    account = Account(
        endpoint_url="http://x", profile=None, region=None, allow_aws=False, make_certificate=False, dry_run=False
    )
    ledger = Ledger("abc126", thing="pump")
    with Remains(account, ledger, is_json=True):
        pass
    told, command = capsys.readouterr(), "aws iot delete-thing --thing-name pump --endpoint-url http://x"
    assert told.err.splitlines()[1:] == [f"  {command}"]
    assert json.loads(told.out) == {"event": "left", "commands": [command]}


def test_a_dry_run_asks_nothing(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        nobody.setblocking(False)
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert _certify("--endpoint-url", url, "--dry-run", "--json", "--quick") == 0
        with pytest.raises(BlockingIOError):
            nobody.accept()
    found = json.loads(capsys.readouterr().out)
    assert found["cells"] == ["taking/calm", "asking/unasked", "step-middle/calm"]
    assert found["jobs"] == found["calls"]["CreateJob"] == found["calls"]["DeleteJob"] == 7


def test_a_dry_run_tells_each_reason_once_with_all_cells_of_which_it_is_said(capsys: pytest.CaptureFixture[str]):
    assert _certify("--endpoint-url", "http://127.0.0.1:9", "--dry-run") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "nothing was asked of http://127.0.0.1:9; a session would"
    assert all(line[DEPTH - 2 : DEPTH] == "  " and line[DEPTH] != " " for line in lines)
    reasons = [line.partition(": ")[2] for line in lines if line.startswith("  not ")]
    assert len(reasons) == len(set(reasons)) > 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--region", "eu-west-1"], "AWS: not this machine; deleting jobs there needs --allow-aws"),
        (["--endpoint-url", "https://iot.eu-west-1.amazonaws.com"], "needs --allow-aws"),
        (["--endpoint-url", "iot"], "give a URL"),
        (["--dry-run", "--bound", "nonsense=4"], "--bound nonsense=4"),
        (["--dry-run", "--thing", "a b"], "--thing a b: a thing name is"),
        (["--dry-run", "--document", "/dev/null"], "documents; give one"),
        (["--endpoint-url", "http://127.0.0.1:9", "--api-port", "0"], "--api-port: is for the local cloud"),
        (["--endpoint-url", "http://127.0.0.1:9", "--namespace-id", "aws-x"], "by AWS's services only"),
        (["--endpoint-url", "http://127.0.0.1:9", "--profile", "nobody-has-it"], "see --region, --profile"),
    ],
)
def test_what_is_not_allowed_or_does_not_go_together_is_told(arguments: list[str], said: str):
    with pytest.raises(InputError) as refused:
        _certify(*arguments)
    assert said in str(refused.value)


def _certify(*arguments: str) -> int:
    code = certify.main(list(arguments), standalone_mode=False)
    assert isinstance(code, int)
    return code


def _tags(iot: Any, arn: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in iot.list_tags_for_resource(resourceArn=arn)["tags"]}


def _policies(iot: Any) -> list[dict[str, str]]:
    return [each for each in iot.list_policies()["policies"] if "certify" in each["policyName"]]


def _is_as_it_was(account: CloudAccount) -> None:
    """There is what the cloud was started with, and nothing besides."""
    iot = account.iot()
    assert iot.list_jobs()["jobs"] == []
    assert "made" not in [each["thingName"] for each in iot.list_things()["things"]]
    assert _policies(iot) == []
    assert len(iot.list_certificates()["certificates"]) <= 1
