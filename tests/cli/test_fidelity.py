"""`ghostjob cloud --fidelity`: nothing is started; the table is for people, one JSON object a claim for machines."""

import json
import subprocess
import sys

import pytest

from simulator.cli.fidelity import given, place
from simulator.cloud.api.not_carried_out import NOT_CARRIED_OUT
from simulator.cloud.fidelity import CLAIMS, Claim
from simulator.cloud.settings.cloud import CloudSettings


def fidelity(*form: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "simulator.cli", "cloud", "--fidelity", *form]
    return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)


def test_people_read_every_claim_with_its_tag_and_settings_and_machines_get_the_same():
    told = [json.loads(line) for line in fidelity("json").stdout.splitlines()]
    assert [each["id"] for each in told] == [row.id for row in (*CLAIMS, *NOT_CARRIED_OUT)]
    assert len({tuple(each)[:7] for each in told}) == 1, "every row has the members of a claim"
    shown = " ".join(fidelity().stdout.split())
    for claim in CLAIMS:
        assert claim.text in shown
        assert claim.setting is None or f"{place(claim.setting)} = " in shown
    for row in NOT_CARRIED_OUT:
        assert all(text in shown for text in (row.what, row.instead, row.advice))
    assert "No live AWS account has checked any of it." in shown


def test_it_goes_to_stdout_wherever_that_leads_in_the_form_that_was_asked_for():
    assert [fidelity(*form).stdout[0] for form in ((), ("table",), ("json",))] == ["1", "1", "{"]
    assert [fidelity(*form).stderr for form in ((), ("json",))] == ["", ""]


def test_json_alone_says_nothing_to_people():
    done = fidelity("json")
    assert done.stderr == ""
    tags = [json.loads(line)["tag"] for line in done.stdout.splitlines()]
    assert tags == [*(claim.tag for claim in CLAIMS), *(None for _ in NOT_CARRIED_OUT)]


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if claim.setting], ids=lambda claim: claim.id)
def test_every_setting_that_is_told_can_be_given(claim: Claim):
    assert claim.setting is not None
    part, _, name = place(claim.setting).partition(".")
    default = given(claim.setting)
    settings = CloudSettings.model_validate_json(json.dumps({part: {name: default}}))
    assert getattr(getattr(settings, part), name) == claim.setting.default
