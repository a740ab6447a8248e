"""What the control plane made is there again after a restart on the same file, and works as before."""

import json
from pathlib import Path
from typing import Any

import aiohttp

from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings

GROUP = "arn:aws:iot:us-east-1:000000000000:thinggroup/g"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
MEMBER = {"thingName": "t", "thingGroupName": "low"}
QUESTIONS = (
    "/things/t",
    "/thing-groups/low",
    "/thing-groups/g/things?recursive=true",
    "/job-templates/tpl",
    f"/tags?resourceArn={GROUP}",
    "/policies/p",
    "/policies/p/version",
    "/certificates",
    "/event-configurations",
    "/jobs/fw",
    "/jobs/fw/job-document",
    "/jobs/filled/job-document?beforeSubstitution=true",
    "/things/t/principals",
)
TEMPLATE = {
    "description": "d",
    "document": '{ "a": 1 }',
    "timeoutConfig": {"inProgressTimeoutInMinutes": 5},
    "maintenanceWindows": [{"startTime": "cron(0 3 * * ? *)", "durationInMinutes": 60}],
}


async def made(session: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str) -> Any:
    async with session.request(method, path, json=body or {}, headers=headers) as response:
        raw = await response.read()
        assert response.status == 200, raw
        return json.loads(raw) if raw else {}


async def answers(session: aiohttp.ClientSession) -> dict[str, Any]:
    found = {}
    for path in QUESTIONS:
        async with session.get(path) as response:
            assert response.status == 200
            found[path] = await response.json()
    return found


async def test_everything_that_was_made_is_there_again_and_goes_on(tmp_path: Path):
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, state=tmp_path / "state")
    async with LocalCloud(options) as cloud, aiohttp.ClientSession(cloud.endpoints["api"]) as session:
        await made(session, "POST", "/things/t", {"attributePayload": {"attributes": {"a": "1"}}})
        await made(session, "POST", "/thing-groups/g", {"tags": [{"Key": "k", "Value": "v"}]})
        await made(session, "POST", "/thing-groups/low", {"parentGroupName": "g"})
        await made(session, "PUT", "/thing-groups/addThingToThingGroup", MEMBER)
        await made(session, "PUT", "/job-templates/tpl", TEMPLATE)
        await made(session, "POST", "/policies/p", {"policyDocument": json.dumps(POLICY)})
        arn = (await made(session, "POST", "/keys-and-certificate?setAsActive=true"))["certificateArn"]
        await made(session, "PUT", "/target-policies/p", {"target": arn})
        await made(session, "PUT", "/things/t/principals", **{"x-amzn-principal": arn})
        await made(session, "PATCH", "/event-configurations", {"eventConfigurations": {"JOB": {"Enabled": True}}})
        template = {"jobTemplateArn": "arn:aws:iot:us-east-1:000000000000:jobtemplate/tpl"}
        await made(session, "PUT", "/jobs/fw", {"targets": [GROUP], "targetSelection": "CONTINUOUS"} | template)
        managed = {"jobTemplateArn": "arn:aws:iot:us-east-1::jobtemplate/AWS-Run-Command:1.0"}
        command = {"targets": [GROUP], "targetSelection": "CONTINUOUS", "documentParameters": {"command": "ls"}}
        await made(session, "PUT", "/jobs/filled", command | managed)
        before = await answers(session)

    async with LocalCloud(options) as cloud, aiohttp.ClientSession(cloud.endpoints["api"]) as session:
        assert await answers(session) == before
        await made(session, "PUT", "/thing-groups/removeThingFromThingGroup", MEMBER)
        told = await made(session, "GET", "/things/t/jobs?jobId=filled")
        assert told["executionSummaries"][0]["jobExecutionSummary"]["status"] == "REMOVED"
        async with session.delete("/things/t") as response:
            assert response.status == 400, "its certificate is still attached"
