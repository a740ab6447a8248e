"""`ghostjob certify --endpoint-url`: a cloud of another process, by its public endpoints only, as AWS is reached."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.account import ENVIRONMENT, CloudAccount, cloud_account
from tests.cli.certifying import Certifying, device
from tests.cli.command import ghostjob


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
    cells = ("taking/calm", "recreated/same-document", "report/held")
    only = [word for cell in cells for word in ("--only", cell)]
    there = ("--endpoint-url", account.api, "--thing", "made", "--make-certificate", "--certs", str(certs))
    iot = account.iot()
    with Certifying(tmp_path, "--json", *there, *only, command=device("reference", 0.4)) as certify:
        learned = certify.until("learned")["learned"]
        tags = [_tags(iot, job["jobArn"]) for job in iot.list_jobs()["jobs"]]
        attributes = iot.describe_thing(thingName="made")["attributes"]
        policies = [
            _tags(iot, each["policyArn"]) for each in iot.list_policies()["policies"] if "certify" in each["policyName"]
        ]
        assert (certs / "made.key").stat().st_mode & 0o077 == 0
        results = [each["result"] for each in certify.events() if each["event"] == "cell.ended"]
        code, _, err = certify.end()
    assert code == 0, (results, err)
    assert [(each["id"], each["outcome"]) for each in results] == [
        ("taking/calm", "passed"),
        ("report/held", "not-applicable"),
        ("recreated/same-document", "passed"),
    ]
    assert "needs the local cloud" in results[1]["why"]
    assert learned["seen_by"] == "control-plane"
    for told in (*tags, *policies, attributes):
        assert told["ghostjob"] == "certify"
        assert told["ghostjob-session"] == attributes["ghostjob-session"]
    assert (len(tags), len(policies)) == (1, 1)
    _is_as_it_was(account)
    assert not (certs / "made.key").exists()
    assert "could not be removed" not in err


def test_a_device_that_rests_after_a_loss_fails_and_an_interruption_removes_its_jobs(
    account: CloudAccount, tmp_path: Path
):
    limits = ("--bound", "ready_seconds=1", "--bound", "lost_job_seconds=1")
    there = ("--endpoint-url", account.api, "--thing", "pump", "--certs", str(account.certs))
    command = device("rests-after-a-loss", 0.1)
    with Certifying(
        tmp_path, "--json", "--out", "out", *there, *limits, "--only", "taking/calm", "--only", "step-middle/calm",
        command=command,
    ) as certify:  # fmt: skip
        result = certify.until("cell.ended")["result"]
        certify.until("cell.began")
        certify.interrupt()
        code, _, err = certify.end()
    assert (result["id"], result["outcome"], code) == ("taking/calm", "failed", 130), (result["why"], err)
    assert {each["id"]: each["outcome"] for each in result["invariants"]}["ready-in-time"] == "violated"
    assert any("removed the record of" in each["text"] for each in result["evidence"] if each["pointed_at"])
    told = json.loads((tmp_path / "out/certificate.json").read_text())
    assert told["not_seen"]["no-hammering"].startswith("needs the device's requests")
    assert "ready-in-time" not in told["not_seen"]
    _is_as_it_was(account)


def test_a_dry_run_asks_nothing(account: CloudAccount, tmp_path: Path):
    seen = len(account.events())
    told = ghostjob("certify", "--endpoint-url", account.api, "--dry-run", "--json", "--quick", cwd=tmp_path)
    found = json.loads(told.stdout)
    assert told.returncode == 0, told.stderr
    assert found["cells"] == ["taking/calm", "asking/unasked", "step-middle/calm"]
    assert found["jobs"] == found["calls"]["CreateJob"] == found["calls"]["DeleteJob"] == 7
    assert len(account.events()) == seen
    assert not list(tmp_path.iterdir())


def _tags(iot: Any, arn: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in iot.list_tags_for_resource(resourceArn=arn)["tags"]}


def _is_as_it_was(account: CloudAccount) -> None:
    """There is what the cloud was started with, and nothing besides."""
    iot = account.iot()
    assert iot.list_jobs()["jobs"] == []
    assert [each["thingName"] for each in iot.list_things()["things"]] in ([], ["pump"])
    assert not [each for each in iot.list_policies()["policies"] if "certify" in each["policyName"]]
    assert len(iot.list_certificates()["certificates"]) <= 1
