"""Pages: every item once, whatever comes and goes meanwhile; tokens that are another list's or nobody's are refused."""

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.certs import make_certificates
from simulator.cloud.api.api_errors import ApiError
from simulator.cloud.api.paging import page
from simulator.cloud.settings.http import HttpSettings
from tests.fidelity.proofs import proves

from .conftest import Plane

NAMES = st.sets(st.text("abc", min_size=1, max_size=3))


@proves("page-tokens-hold-while-things-come-and-go")
@settings(max_examples=50)
@given(before=NAMES, come=st.lists(NAMES, max_size=4), go=st.lists(NAMES, max_size=4), size=st.integers(1, 4))
def test_what_is_there_all_the_time_is_shown_once_and_nothing_twice(before, come, go, size):
    there, seen, token, steps = set(before), [], None, 0
    always = set(before).difference(*go)
    while True:
        asked = {"maxResults": size} | ({} if token is None else {"nextToken": token})
        shown, token = page("List", asked, sorted(there, key=lambda name: name[::-1]), lambda name: (name,))
        assert len(shown) <= size
        seen += shown
        if token is None:
            break
        if steps < len(come):
            there |= come[steps]
        if steps < len(go):
            there -= go[steps]
        steps += 1
    assert len(seen) == len(set(seen))
    assert always <= set(seen)
    assert seen == sorted(seen)


@settings(max_examples=30)
@given(st.sets(st.integers(0, 50)), st.integers(1, 5))
def test_the_newest_come_first_if_asked(numbers, size):
    seen, token = [], None
    while True:
        asked = {"maxResults": size} | ({} if token is None else {"nextToken": token})
        shown, token = page("List", asked, numbers, lambda number: (number,), newest_first=True)
        seen += shown
        if token is None:
            break
    assert seen == sorted(numbers, reverse=True)


@settings(max_examples=50)
@given(st.text() | st.binary().map(lambda raw: b64encode(raw).decode()))
def test_a_token_that_nobody_gave_out_is_refused(token: str):
    with pytest.raises(ApiError) as caught:
        page("List", {"nextToken": token}, "abc", lambda name: (name,))
    assert caught.value.name == "InvalidRequestException"


@pytest.mark.parametrize(
    "told",
    ["5", "null", "{}", "[" * 5000, "[]", "[[], 1]", '["{of}"]', '["{of}", 1]', '["{of}", true]', '["{of}", null]'],
)
def test_a_token_that_somebody_made_and_sealed_is_refused(told: str):
    _, good = page("List", {"maxResults": 1}, "abc", lambda name: (name,))
    assert good is not None
    of = json.loads(b64decode(good)[12:])[0]
    text = told.replace("{of}", of).encode()
    token = b64encode(sha256(text).digest()[:12] + text).decode()
    with pytest.raises(ApiError) as caught:
        page("List", {"nextToken": token}, "abc", lambda name: (name,))
    assert caught.value.name == "InvalidRequestException"


@proves("page-tokens-hold-while-things-come-and-go")
def test_a_token_holds_for_its_own_list_only(plane: Plane):
    plane.things("a", "b")
    token = plane.call("ListThings", maxResults=1)["nextToken"]
    assert plane.call("ListThings", nextToken=token)["things"][0]["thingName"] == "b"
    assert plane.refusal("ListThings", nextToken=token, thingTypeName="lamp") == "InvalidRequestException"
    assert plane.refusal("ListThingGroups", nextToken=token) == "InvalidRequestException"
    raw = bytearray(b64decode(token))
    raw[-3] ^= 1
    assert plane.refusal("ListThings", nextToken=b64encode(raw).decode()) == "InvalidRequestException"


# ── the size of a page that nobody asked for ──────────────────────────────────────────────────────────────────

ARN: Final = "arn:aws:iot:us-east-1:000000000000:{}"
NAMES_OF_THREE: Final = ("x", "y", "z")
STATEMENT: Final = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
POLICY: Final = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of 26 certificates."""
    directory = tmp_path_factory.mktemp("certs")
    names = [f"n{number}" for number in range(26)]
    make_certificates(directory, names)
    return [(directory / f"{name}.pem").read_text() for name in names]


def with_three_of_everything(pems: list[str]) -> tuple[Plane, str]:
    """And the ARN of one of the certificates."""
    plane = Plane(settings=HttpSettings(page_size=2))
    plane.things(*NAMES_OF_THREE)
    certificates = [
        plane.call("RegisterCertificateWithoutCA", certificatePem=pem, status="ACTIVE")["certificateArn"]
        for pem in pems[:3]
    ]
    targets = [ARN.format(f"thing/{name}") for name in NAMES_OF_THREE]
    tags = [{"Key": name, "Value": "v"} for name in NAMES_OF_THREE]
    plane.call("CreateJob", jobId="big", targets=targets, document="{}", tags=tags)
    for name in NAMES_OF_THREE:
        plane.call("CreateJob", jobId=name, targets=targets[:1], document="{}")
        plane.call("CreateJobTemplate", jobTemplateId=name, document="{}", description="d")
        plane.call("CreateThingGroup", thingGroupName=name)
        plane.call("AddThingToThingGroup", thingName="x", thingGroupName=name)
        plane.call("CreatePolicy", policyName=name, policyDocument=POLICY)
        plane.call("AttachPolicy", policyName=name, target=certificates[0])
        plane.call("AttachThingPrincipal", thingName=name, principal=certificates[0])
    for name, certificate in zip(NAMES_OF_THREE[1:], certificates[1:], strict=True):
        plane.call("AddThingToThingGroup", thingName=name, thingGroupName="x")
        plane.call("AttachPolicy", policyName="x", target=certificate)
        plane.call("AttachThingPrincipal", thingName="x", principal=certificate)
    return plane, certificates[0]


@proves("lists-come-in-pages")
def test_every_list_has_no_more_than_a_page_for_who_asks_for_no_number(pems: list[str]):
    plane, certificate = with_three_of_everything(pems)
    lists: dict[str, tuple[dict[str, Any], str]] = {
        "ListAttachedPolicies": ({"target": certificate}, "policies"),
        "ListJobExecutionsForJob": ({"jobId": "big"}, "executionSummaries"),
        "ListJobExecutionsForThing": ({"thingName": "x"}, "executionSummaries"),
        "ListJobTemplates": ({}, "jobTemplates"),
        "ListJobs": ({}, "jobs"),
        "ListManagedJobTemplates": ({}, "managedJobTemplates"),
        "ListPolicies": ({}, "policies"),
        "ListPolicyPrincipals": ({"policyName": "x"}, "principals"),
        "ListPrincipalPolicies": ({"principal": certificate}, "policies"),
        "ListPrincipalThings": ({"principal": certificate}, "things"),
        "ListPrincipalThingsV2": ({"principal": certificate}, "principalThingObjects"),
        "ListTagsForResource": ({"resourceArn": ARN.format("job/big")}, "tags"),
        "ListTargetsForPolicy": ({"policyName": "x"}, "targets"),
        "ListThingGroups": ({}, "thingGroups"),
        "ListThingGroupsForThing": ({"thingName": "x"}, "thingGroups"),
        "ListThingPrincipals": ({"thingName": "x"}, "principals"),
        "ListThingPrincipalsV2": ({"thingName": "x"}, "thingPrincipalObjects"),
        "ListThings": ({}, "things"),
        "ListThingsInThingGroup": ({"thingGroupName": "x"}, "things"),
    }
    elsewhere = {"ListCertificates", "ListPolicyVersions"}  # the latter has five at most, and no pages
    served = {operation for operation in plane.plane.operations if operation.startswith("List")}
    assert set(lists) == served - elsewhere
    for operation, (asked, member) in lists.items():
        told = plane.call(operation, **asked)
        assert len(told[member]) == 2, operation
        token = "nextMarker" if "nextMarker" in told else "nextToken"
        assert told[token], operation
        assert len(plane.pages(operation, member, token, **asked)) >= 3, operation


@proves("certificates-come-in-pages-of-25", "lists-come-in-pages")
def test_a_page_has_25_entries_by_itself(pems: list[str]):
    plane = Plane()
    plane.things(*(f"t{number}" for number in range(26)))
    for pem in pems:
        plane.call("RegisterCertificateWithoutCA", certificatePem=pem)
    assert len(plane.call("ListThings")["things"]) == 25
    assert len(plane.call("ListCertificates")["certificates"]) == 25
    assert len(plane.pages("ListCertificates", "certificates", "nextMarker")) == 26
    few = Plane(settings=HttpSettings(page_size=2))
    for pem in pems[:3]:
        few.call("RegisterCertificateWithoutCA", certificatePem=pem)
    assert len(few.call("ListCertificates")["certificates"]) == 3, "AWS says how many"
