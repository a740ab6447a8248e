"""AWS IoT policies: which documents let whom do what."""

import json
from typing import Any

import pytest

from simulator.cloud.access.policies import MalformedPolicy, allows, parse
from tests.fidelity.proofs import proves

ARN = "arn:aws:iot:us-east-1:000000000000:"
JOBS = ARN + "topic/$aws/things/thing-0/jobs/get"
OWN = "topic/$aws/things/${iot:Connection.Thing.ThingName}/jobs/*"
THING = {
    "iot:ClientId": "thing-0",
    "iot:Connection.Thing.ThingName": "thing-0",
    "iot:Connection.Thing.ThingTypeName": "lamp",
    "iot:Connection.Thing.Attributes[site]": "hall-1",
    "iot:Connection.Thing.IsAttached": "true",
    "iot:Certificate.Subject.CommonName": ("thing-0",),
    "iot:Certificate.Subject.Organization": ("Example Corp", "AnyCompany"),
    "iot:CertificateId": "ab" * 32,
    "aws:SourceIp": "192.0.2.7",
    "iot:DomainName": "iot.example.com",
}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _deny(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def _on(condition: dict[str, Any]) -> str:
    return _policy(_allow("iot:*", "*", Condition=condition))


def row(sentence: str, *cells: Any) -> Any:
    return pytest.param(*cells, id=sentence)


@proves("policies-are-evaluated-as-documented")
@pytest.mark.parametrize(
    ("actions", "resources", "action", "resource", "expected"),
    [
        row("a star allows everything", "*", "*", "iot:Publish", "topic/a", True),
        row("a star within the service", "iot:*", "*", "iot:Connect", "client/x", True),
        row("but not another service's", "iot:*", "*", "iotjobsdata:DescribeJobExecution", "thing/x", False),
        row("the data plane's actions", "iotjobsdata:*", "thing/x", "iotjobsdata:UpdateJobExecution", "thing/x", True),
        row("one of a list of actions", ["iot:Connect", "iot:Publish"], "*", "iot:Publish", "topic/a", True),
        row("a star inside an action", "iot:Pub*", "*", "iot:Publish", "topic/a", True),
        row("actions are compared without case", "IOT:publish", "*", "iot:Publish", "topic/a", True),
        row("another action", "iot:Subscribe", "*", "iot:Publish", "topic/a", False),
        row("one of the resources", "iot:Publish", ["topic/b", "topic/a"], "iot:Publish", "topic/a", True),
        row("none of the resources", "iot:Publish", ["topic/b", "topic/c"], "iot:Publish", "topic/a", False),
        row("a star crosses slashes", "iot:Publish", "topic/a*", "iot:Publish", "topic/a/b/c", True),
        row("a/* is not a", "iot:Publish", "topic/a/*", "iot:Publish", "topic/a", False),
        row("a star in the middle", "iot:Publish", "topic/*/c", "iot:Publish", "topic/a/b/c", True),
        row("two stars in a row", "iot:Publish", "topic/a/**/c", "iot:Publish", "topic/a/b/c", True),
        row("the last part is the last", "iot:Publish", "topic/*b*b", "iot:Publish", "topic/abcbdb", True),
        row("stars in their order", "iot:Publish", "topic/*c*b*", "iot:Publish", "topic/abc", False),
        row("a question mark is one character", "iot:Publish", "topic/a?c", "iot:Publish", "topic/abc", True),
        row("a question mark is not two", "iot:Publish", "topic/a?c", "iot:Publish", "topic/abbc", False),
        row("topics have case", "iot:Publish", "topic/a", "iot:Publish", "topic/A", False),
        row("a dot is a dot", "iot:Publish", "topic/a.c", "iot:Publish", "topic/abc", False),
        row("+ is that very filter", "iot:*", "topicfilter/a/+/c", "iot:Subscribe", "topicfilter/a/+/c", True),
        row("+ is no wildcard", "iot:*", "topicfilter/a/+/c", "iot:Subscribe", "topicfilter/a/b/c", False),
        row("# is no wildcard", "iot:*", "topicfilter/a/#", "iot:Subscribe", "topicfilter/a/b", False),
        row("* covers filters with wildcards", "iot:*", "topicfilter/a/*", "iot:Subscribe", "topicfilter/a/+/c", True),
        row("a topic filter is no topic", "iot:*", "topicfilter/a", "iot:Publish", "topic/a", False),
        row("${*} is a star", "iot:*", "topic/a${*}", "iot:Publish", "topic/a*", True),
        row("${*} is no wildcard", "iot:*", "topic/a${*}", "iot:Publish", "topic/ab", False),
    ],
)
def test_a_statement_applies(actions: Any, resources: Any, action: str, resource: str, expected: bool):
    arns = [each if each == "*" else ARN + each for each in ([resources] if isinstance(resources, str) else resources)]
    assert allows([_policy(_allow(actions, arns))], action, ARN + resource, THING) is expected


@proves("policy-variables-stand-for-the-connection")
@pytest.mark.parametrize(
    ("resource", "asked", "expected"),
    [
        row("the client id", "client/${iot:ClientId}", "client/thing-0", True),
        row("the client id, and no more", "client/${iot:ClientId}", "client/thing-00", False),
        row("its own thing's jobs", OWN, "topic/$aws/things/thing-0/jobs/get", True),
        row("not another thing's jobs", OWN, "topic/$aws/things/thing-1/jobs/get", False),
        row("two variables", "topic/${iot:Connection.Thing.ThingTypeName}/${iot:ClientId}", "topic/lamp/thing-0", True),
        row("an attribute", "topic/${iot:Connection.Thing.Attributes[site]}", "topic/hall-1", True),
        row("an attribute it has not", "topic/${iot:Connection.Thing.Attributes[floor]}", "topic/", False),
        row("the common name", "topic/${iot:Certificate.Subject.CommonName}", "topic/thing-0", True),
        row("the first of many", "topic/${iot:Certificate.Subject.Organization}", "topic/Example Corp", True),
        row("the second of many", "topic/${iot:Certificate.Subject.Organization.1}", "topic/AnyCompany", True),
        row("one that is not there", "topic/${iot:Certificate.Subject.Organization.2}", "topic/", False),
        row("the certificate's id", "topic/${iot:CertificateId}", f"topic/{'ab' * 32}", True),
        row("an unknown name matches not even itself", "topic/${iot:Unknown}/*", "topic/${iot:Unknown}/x", False),
        row("what is not closed is no variable", "topic/${iot:ClientId", "topic/${iot:ClientId", True),
    ],
)
def test_a_variable_stands_for_what_is_known_of_the_client(resource: str, asked: str, expected: bool):
    assert allows([_policy(_allow("iot:*", ARN + resource))], "iot:Publish", ARN + asked, THING) is expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("iot:Certificate.Subject.CommonName", "*", id="a common name with a wildcard is not put in"),
        pytest.param("iot:Certificate.Subject.CommonName", "x" * 1025, id="a value that is too long is not put in"),
    ],
)
def test_a_certificate_cannot_widen_a_policy(name: str, value: str):
    policy = _policy(_allow("iot:*", ARN + "topic/${" + name + "}"))
    assert not allows([policy], "iot:Publish", ARN + "topic/" + value, {name: (value,)})


def test_a_client_id_with_a_wildcard_is_taken_literally():
    policy = _policy(_allow("iot:*", ARN + "topic/${iot:ClientId}"))
    assert allows([policy], "iot:Publish", ARN + "topic/*", {"iot:ClientId": "*"})
    assert not allows([policy], "iot:Publish", ARN + "topic/other", {"iot:ClientId": "*"})


def test_many_stars_are_not_slow():
    policy = _policy(_allow("iot:*", ARN + "topic/" + "*a" * 100 + "b"))
    assert not allows([policy], "iot:Publish", ARN + "topic/" + "a" * 250, THING)


def test_a_sixth_value_of_an_attribute_is_ignored():
    six = {"iot:Certificate.Subject.Organization": tuple("abcdef")}
    policy = _policy(_allow("iot:*", ARN + "topic/${iot:Certificate.Subject.Organization.5}"))
    assert not allows([policy], "iot:Publish", ARN + "topic/f", six)
    listed = _on({"ForAnyValue:StringEquals": {"iot:Certificate.Subject.Organization.List": ["f"]}})
    assert not allows([listed], "iot:Publish", JOBS, six)


@proves("policies-are-evaluated-as-documented")
@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        row("no policy allows nothing", [], False),
        row("a deny after an allow wins", [_policy(_allow("*", "*"), _deny("iot:Publish", JOBS))], False),
        row("a deny before an allow wins", [_policy(_deny("iot:Publish", JOBS), _allow("*", "*"))], False),
        row("a deny in another policy wins", [_policy(_allow("*", "*")), _policy(_deny("iot:*", JOBS))], False),
        row("a deny of something else", [_policy(_deny("iot:Subscribe", "*")), _policy(_allow("*", "*"))], True),
        row("policies add up", [_policy(_allow("iot:Connect", "*")), _policy(_allow("iot:Publish", "*"))], True),
        row(
            "one statement needs no list", [json.dumps({"Version": "2012-10-17", "Statement": _allow("*", "*")})], True
        ),
        row("what is no policy counts for nothing", ["{", _policy(_allow("*", "*"))], True),
        row(
            "a deny whose variable has no value denies nothing",
            [_policy(_allow("*", "*"), _deny("*", ARN + "topic/${iot:Unknown}"))],
            True,
        ),
    ],
)
def test_what_policies_say_together(documents: list[str], expected: bool):
    assert allows(documents, "iot:Publish", JOBS, THING) is expected


ORGANISATION = "iot:Certificate.Subject.Organization.List"
ATTRIBUTES = "iot:ConnectAttributes"


@pytest.mark.parametrize(
    ("condition", "more", "expected"),
    [
        row("attached", {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}, {}, True),
        row("a JSON boolean will do", {"Bool": {"iot:Connection.Thing.IsAttached": True}}, {}, True),
        row(
            "not attached",
            {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}},
            {"iot:Connection.Thing.IsAttached": "false"},
            False,
        ),
        row("the domain", {"StringEquals": {"iot:DomainName": "iot.example.com"}}, {}, True),
        row("StringEquals has no wildcard", {"StringEquals": {"iot:DomainName": "*.example.com"}}, {}, False),
        row("StringLike has", {"StringLike": {"iot:DomainName": "*.example.com"}}, {}, True),
        row("StringNotLike", {"StringNotLike": {"iot:DomainName": "*.example.com"}}, {}, False),
        row("StringNotEquals", {"StringNotEquals": {"iot:DomainName": "x"}}, {}, True),
        row("without case", {"StringEqualsIgnoreCase": {"iot:DomainName": "IOT.example.com"}}, {}, True),
        row("a key that is absent equals nothing", {"StringEquals": {"iot:Absent": "x"}}, {}, False),
        row("a key that is absent differs from all", {"StringNotEquals": {"iot:Absent": "x"}}, {}, True),
        row("IfExists forgives its absence", {"StringEqualsIfExists": {"iot:Absent": "x"}}, {}, True),
        row("Null: true is absent", {"Null": {"iot:Absent": "true"}}, {}, True),
        row("Null: true is not there", {"Null": {"iot:DomainName": "true"}}, {}, False),
        row(
            "a variable in a condition",
            {"StringEquals": {"iot:ClientId": "${iot:Connection.Thing.ThingName}"}},
            {},
            True,
        ),
        row("within the range", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {}, True),
        row("outside the range", {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, {}, False),
        row("that very address", {"NotIpAddress": {"aws:SourceIp": "192.0.2.7"}}, {}, False),
        row("one of two ranges", {"IpAddress": {"aws:SourceIp": ["::/0", "192.0.2.7"]}}, {}, True),
        row(
            "every operator has to hold",
            {"Bool": {"iot:Connection.Thing.IsAttached": "true"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            {},
            False,
        ),
        row(
            "all of an attribute's values are listed",
            {"ForAllValues:StringEquals": {ORGANISATION: ["Example Corp", "AnyCompany"]}},
            {},
            True,
        ),
        row("one is not listed", {"ForAllValues:StringEquals": {ORGANISATION: ["Example Corp"]}}, {}, False),
        row("one is listed", {"ForAnyValue:StringEquals": {ORGANISATION: ["AnyCompany"]}}, {}, True),
        row(
            "a plain connection uses no attribute",
            {"ForAllValues:StringEquals": {ATTRIBUTES: ["PersistentConnect"]}},
            {ATTRIBUTES: ()},
            True,
        ),
        row(
            "a will is not among default features",
            {"ForAllValues:StringEquals": {ATTRIBUTES: []}},
            {ATTRIBUTES: ("LastWill",)},
            False,
        ),
        row(
            "a persistent session is refused",
            {"ForAllValues:StringNotEquals": {ATTRIBUTES: ["PersistentConnect"]}},
            {ATTRIBUTES: ("PersistentConnect", "LastWill")},
            False,
        ),
        row(
            "no value is any value",
            {"ForAnyValue:StringEquals": {ATTRIBUTES: ["PersistentConnect"]}},
            {ATTRIBUTES: ()},
            False,
        ),
        row(
            "the will's topic",
            {"ArnEquals": {"iot:LastWillTopic": ARN + "topic/my/*"}},
            {"iot:LastWillTopic": ARN + "topic/my/will"},
            True,
        ),
    ],
)
def test_a_condition_holds(condition: dict[str, Any], more: dict[str, Any], expected: bool):
    assert allows([_on(condition)], "iot:Connect", ARN + "client/thing-0", THING | more) is expected


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("", id="nothing"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="no statement"),
        pytest.param('{"Statement": []}', id="an empty list of statements"),
        pytest.param('{"Version": "2020-01-01", "Statement": {}}', id="another version"),
        pytest.param('{"Version": ["2012-10-17"], "Statement": {}}', id="a list of versions"),
        pytest.param('{"Version": {}, "Statement": {}}', id="an object for a version"),
        pytest.param(_policy({"Effect": "Permit", "Action": "*", "Resource": "*"}), id="another effect"),
        pytest.param(_policy({"Effect": "Allow", "Resource": "*"}), id="no action"),
        pytest.param(_policy({"Effect": "Allow", "Action": "*"}), id="no resource"),
        pytest.param(_policy(_allow([], "*")), id="an empty list of actions"),
        pytest.param(_policy(_allow(["iot:Publish", 1], "*")), id="a number among the actions"),
        pytest.param(_policy(_allow("*", "*", Principal="*")), id="a principal"),
        pytest.param(_policy({"Effect": "Allow", "NotAction": "*", "Resource": "*"}), id="NotAction"),
        pytest.param(_policy(_allow("*", "*", Condition=[])), id="conditions as a list"),
        pytest.param(_policy(_allow("*", "*", Condition={"StringSounds": {"a": "b"}})), id="an unknown operator"),
        pytest.param(_policy(_allow("*", "*", Condition={"StringEquals": "a"})), id="an operator without keys"),
        pytest.param(_policy(_allow("*", "*", Condition={"IpAddress": {"aws:SourceIp": "here"}})), id="no address"),
        pytest.param(_policy(_allow("*", "x" * 2048)), id="too long"),
        pytest.param("[" * 2000, id="nested too deeply"),
    ],
)
def test_what_is_no_policy_is_refused(document: str):
    with pytest.raises(MalformedPolicy):
        parse(document)
