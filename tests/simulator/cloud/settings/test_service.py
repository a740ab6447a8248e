"""What a cloud that stands alone holds its clients to, and one that plays a scenario."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from agent.log import configure
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import PLAYED
from simulator.scenario import Scenario, load


def test_a_cloud_that_stands_alone_has_the_defaults_of_the_core():
    assert CloudSettings.model_validate_json("{}").cloud == JobsSettings()
    alone = CloudSettings.model_validate_json('{"cloud": {"deletion_seconds": 1}}').cloud
    assert (alone.requests_per_second, alone.targets, alone.deletion_seconds) == (200, 100, 1)


def test_a_scenario_differs_in_what_is_named_unless_it_asks_for_it():
    main, fleet = (load(name).cloud for name in ("main", "fleet-hinted-at-once"))
    assert main == JobsSettings(**PLAYED)
    assert fleet == JobsSettings(**{**PLAYED, "requests_per_second": 200})


def test_what_a_scenario_asks_of_its_cloud_reaches_the_process_that_is_its_cloud():
    for cloud in (load("main").cloud, JobsSettings(removal_delays=(("fw-*", 2.0), ("*", 1.0)), targets=None)):
        sent = CloudSettings(cloud=cloud).model_dump_json()
        assert CloudSettings.model_validate_json(sent).cloud == cloud


def test_patterns_are_given_as_a_mapping_whose_order_counts():
    given = CloudSettings.model_validate_json('{"cloud": {"removal_delays": {"b*": 2, "a*": 1}}}').cloud
    assert given.removal_delays == (("b*", 2.0), ("a*", 1.0))


def test_the_schema_for_editors_has_the_bounds_and_a_scenarios_own_defaults():
    cloud = Scenario.model_json_schema()["$defs"]["JobsSettings"]["properties"]
    assert {name: cloud[name]["default"] for name in PLAYED} == PLAYED
    assert (cloud["deletion_seconds"]["minimum"], cloud["deletion_seconds"]["maximum"]) == (0, 86_400)
    assert cloud["removal_delays"]["type"] == "object"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"api_ports": 0}', ("api_ports",)),
        ('{"api_port": 65536}', ("api_port",)),
        ('{"region": "Ireland!"}', ("region",)),
        ('{"account": "12"}', ("account",)),
        ('{"cloud": {"deletion_seconds": -1}}', ("cloud", "deletion_seconds")),
        ('{"cloud": {"deletion_second": 1}}', ("cloud", "deletion_second")),
        ('{"cloud": {"deletions_at_once": 11}}', ("cloud", "deletions_at_once")),
        ('{"cloud": {"removal_delays": {"fw": 90000}}}', ("cloud",)),
        ('{"cloud": {"while_deleting": "sometimes"}}', ("cloud", "while_deleting")),
        ('{"http": {"operations_per_seconds": 1}}', ("http", "operations_per_seconds")),
        ('{"http": {"operations_per_second": 0}}', ("http", "operations_per_second")),
        ('{"gateway": {"nothing": 0}}', ("gateway", "nothing")),
        ('{"gateway": {"connects_per_second": 0}}', ("gateway", "connects_per_second")),
        ('{"gateway": {"redelivery_seconds": 0}}', ("gateway", "redelivery_seconds")),
        ('{"gateway": {"receive_maximum": 65536}}', ("gateway", "receive_maximum")),
        ('{"gateway": {"largest_packet": 268435456}}', ("gateway", "largest_packet")),
        ('{"gateway": {"websocket_seconds": 1e308}}', ("gateway", "websocket_seconds")),
    ],
)
def test_what_is_no_setting_or_out_of_bounds_is_refused_where_it_stands(text: str, where: tuple[str, ...]):
    with pytest.raises(ValidationError) as caught:
        CloudSettings.model_validate_json(text)
    assert caught.value.errors()[0]["loc"] == where


@pytest.mark.parametrize(
    ("given", "ignored"),
    [
        ({}, {}),
        ({"mqtts_port": 0, "data_port": "off"}, {"mqtts_port": "certs"}),
        ({"mqtts_port": 0, "data_port": 0, "certs": "certs"}, {}),
        ({"gateway": {"own_certificates": "unknown"}}, {"gateway.own_certificates": "certs"}),
        ({"files_url": "http://lab:4566"}, {"files_url": "files"}),
        ({"files_url": "http://lab:4566", "files": "files"}, {}),
    ],
)
def test_a_setting_that_means_nothing_without_another_is_ignored(given: dict[str, Any], ignored: dict[str, str]):
    assert dict(CloudSettings.model_validate(given).ignored()) == ignored


async def test_a_cloud_says_which_setting_it_ignores(capsys: pytest.CaptureFixture[str]):
    configure("json", "warning")
    async with LocalCloud(CloudSettings(api_port=None, mqtt_port=0, data_port=0)):
        pass
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["setting"], line["why"]) == ("setting.ignored", "data_port", "there is no certs")
