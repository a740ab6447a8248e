"""Section 2: what passes through the service without being understood arrives as it was written."""

import json

import pytest

from simulator.cloud.s3.presigned import FileUrls

from .proofs import proves
from .world import World

TEXT = ' {"b" : 1E3,\t"a":[1.10,-0,"\\u00e9\\/\\ud83d\\ude00 é"] ,"b":null,"c":12345678901234567890.0 }\r\n'
OPEN = "${aws:iot:s3-presigned-url:https:\\/\\/s3.amazonaws.com\\/b\\/k}"
DETAILS = {"zeta": "caf\u00e9 \\ /", "alpha": "2", "Mid": "1.10"}


@proves("documents-arrive-as-they-were-written")
@pytest.mark.parametrize("topic", ["start-next", "$next/get", "fw/get", "fw/update"])
def test_a_document_stands_in_an_answer_as_it_was_written(topic: str):
    world = World()
    world.create_job("fw", document=TEXT)
    request = {"status": "IN_PROGRESS", "includeJobDocument": True} if topic.endswith("update") else {}
    assert f'"jobDocument":{TEXT}}}'.encode() in world.raw(topic, request)


@proves("documents-arrive-as-they-were-written")
def test_of_a_document_with_placeholders_only_those_are_replaced():
    world = World()
    world.presign(FileUrls("http://files/", b"secret").document)
    before, after = '{"n": 1E3 , "\\u00e9": "see \\/ ', ' \\u0041" }'
    world.create_job("fw", document=f"{before}{OPEN}{after}")
    payload = world.raw("fw/get").decode()
    start, end = payload.index(before) + len(before), payload.index(after)
    assert payload[start:end].startswith("http://files/b/k?X-Amz-Algorithm=")
    assert payload[end:].startswith(after)
    assert json.loads(payload)["execution"]["jobDocument"]["n"] == 1000


@proves("what-is-told-beside-a-document-arrives-as-it-was-written")
def test_status_details_come_back_in_their_order():
    world = World()
    world.create_job("fw")
    world.operate("UpdateEventConfigurations", eventConfigurations={"JOB_EXECUTION": {"Enabled": True}})
    world.device("start-next", {"statusDetails": DETAILS})
    told = world.device("fw/get")[1]["execution"]["statusDetails"]
    shown = world.operate("DescribeJobExecution", jobId="fw", thingName="thing")["execution"]["statusDetails"]
    _, answer = world.device(
        "fw/update", {"status": "SUCCEEDED", "statusDetails": DETAILS, "includeJobExecutionState": True}
    )
    [event] = [payload for topic, payload in world.taken() if topic.startswith("$aws/events")]
    for each in (told, shown["detailsMap"], answer["executionState"]["statusDetails"], event["statusDetails"]):
        assert list(each.items()) == list(DETAILS.items())


@proves("what-is-told-beside-a-document-arrives-as-it-was-written")
def test_descriptions_comments_and_tags_come_back_as_they_were_given():
    world, text = World(), ' é\u00a0"\\/😀 1E3 '
    tags = [{"Key": "zeta", "Value": text}, {"Key": "alpha", "Value": "1.10"}, {"Key": "Mid", "Value": ""}]
    world.operate("UpdateEventConfigurations", eventConfigurations={"JOB": {"Enabled": True}})
    world.create_job("fw", description=text, tags=tags)
    arn = world.job("fw")["jobArn"]
    world.operate("CancelJob", jobId="fw", comment=text)
    told = world.job("fw")
    assert (told["description"], told["comment"]) == (text, text)
    assert world.operate("ListTagsForResource", resourceArn=arn)["tags"] == tags
    events = [payload for topic, payload in world.taken() if topic.startswith("$aws/events")]
    assert [(each["description"], each["comment"]) for each in events] == [(text, text)] * 2


@proves("what-is-no-utf-8-json-is-invalid-json")
@pytest.mark.parametrize(
    "payload",
    [
        b'{"status":"IN_PROGRESS","statusDetails":{"a":"\\ud800"}}',
        b'{"status":"IN_PROGRESS","statusDetails":{"a":"\xff"}}',
        b'{"status":"IN_PROGRESS","statusDetails":{"\\udc00":"a"}}',
        b'{"status":"IN_PROGRESS","more":NaN}',
        b'{"status":"IN_PROGRESS","more":[-Infinity]}',
    ],
)
def test_details_that_cannot_be_told_as_json_are_refused(payload: bytes):
    world = World()
    world.create_job("fw")
    topic, answer = world.device("fw/update", payload)
    assert (topic, answer["code"]) == ("fw/update/rejected", "InvalidJson")


def test_text_about_nan_is_no_nan():
    world = World()
    world.create_job("fw")
    details = {"NaN": "Infinity"}
    world.device("fw/update", {"status": "IN_PROGRESS", "statusDetails": details})
    assert world.device("fw/get")[1]["execution"]["statusDetails"] == details
