"""What a device's set-up script calls, and its opposites: certificates, policies, principals."""

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator.certs import client_certificate, new_authority
from tests.fidelity.proofs import proves

from .conftest import Plane

DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})


@pytest.fixture
def arn(plane: Plane) -> str:
    """A certificate that is ACTIVE."""
    return str(plane.call("CreateKeysAndCertificate", setAsActive=True)["certificateArn"])


def id_of(arn: str) -> str:
    return arn.partition("/")[2]


def subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_keys_and_certificate_belong_together(plane: Plane):
    made = plane.call("CreateKeysAndCertificate", setAsActive=True)
    certificate = x509.load_pem_x509_certificate(made["certificatePem"].encode())
    private = serialization.load_pem_private_key(made["keyPair"]["PrivateKey"].encode(), None)
    public = serialization.load_pem_public_key(made["keyPair"]["PublicKey"].encode())
    assert certificate.public_key() == private.public_key() == public
    assert certificate.fingerprint(hashes.SHA256()).hex() == made["certificateId"]
    assert made["certificateArn"].endswith(f":cert/{made['certificateId']}")
    told = plane.call("DescribeCertificate", certificateId=made["certificateId"])["certificateDescription"]
    assert (told["status"], told["certificatePem"]) == ("ACTIVE", made["certificatePem"])
    assert told["validity"]["notBefore"] < told["validity"]["notAfter"]


def test_a_signing_request_is_signed_for_its_own_key_and_subject(plane: Plane):
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(subject("pump")).sign(key, hashes.SHA256())
    text = request.public_bytes(serialization.Encoding.PEM).decode()
    made = plane.call("CreateCertificateFromCsr", certificateSigningRequest=text)
    certificate = x509.load_pem_x509_certificate(made["certificatePem"].encode())
    assert (certificate.public_key(), certificate.subject) == (key.public_key(), subject("pump"))
    told = plane.call("DescribeCertificate", certificateId=made["certificateId"])["certificateDescription"]
    assert told["status"] == "INACTIVE"
    assert plane.refusal("CreateCertificateFromCsr", certificateSigningRequest="nonsense") == "InvalidRequestException"


def test_a_certificate_of_another_ca_is_registered_with_it_or_without(plane: Plane):
    authority, other = new_authority(), new_authority()
    one, two = (
        pem(client_certificate(authority, subject(name), ec.generate_private_key(ec.SECP256R1()).public_key()))
        for name in ("one", "two")
    )
    ca = pem(authority[0])
    assert plane.refusal("RegisterCertificate", certificatePem=one, caCertificatePem=pem(other[0])) == (
        "CertificateValidationException"
    )
    made = plane.call("RegisterCertificate", certificatePem=one, caCertificatePem=ca, status="ACTIVE")
    told = plane.call("DescribeCertificate", certificateId=made["certificateId"])["certificateDescription"]
    assert told["caCertificateId"] == authority[0].fingerprint(hashes.SHA256()).hex()
    assert plane.refusal("RegisterCertificateWithoutCA", certificatePem=one) == "ResourceAlreadyExistsException"
    plane.call("RegisterCertificateWithoutCA", certificatePem=two)
    assert plane.refusal("RegisterCertificateWithoutCA", certificatePem="x") == "CertificateValidationException"
    assert plane.refusal("RegisterCertificateWithoutCA", certificatePem=ca, status="REVOKED") == (
        "InvalidRequestException"
    )


def test_certificates_are_listed_newest_first_or_in_the_order_of_creation(plane: Plane):
    made = [plane.call("CreateKeysAndCertificate")["certificateId"] for _ in range(3)]
    for ascending, expected in ((False, made[::-1]), (True, made)):
        found = plane.pages("ListCertificates", "certificates", "nextMarker", pageSize=2, ascendingOrder=ascending)
        assert [each["certificateId"] for each in found] == expected


@proves("an-active-certificate-is-not-deleted")
def test_a_certificate_goes_out_of_use_step_by_step(plane: Plane, arn: str):
    plane.things("t")
    plane.call("CreatePolicy", policyName="p", policyDocument=DOCUMENT)
    plane.call("AttachPolicy", policyName="p", target=arn)
    plane.call("AttachThingPrincipal", thingName="t", principal=arn)
    one = id_of(arn)
    assert plane.refusal("DeleteCertificate", certificateId=one) == "CertificateStateException"
    assert plane.refusal("UpdateCertificate", certificateId=one, newStatus="PENDING_TRANSFER") == (
        "InvalidRequestException"
    )
    plane.call("UpdateCertificate", certificateId=one, newStatus="INACTIVE")
    assert plane.refusal("DeleteCertificate", certificateId=one, forceDelete=True) == "DeleteConflictException"
    plane.call("DetachThingPrincipal", thingName="t", principal=arn)
    assert plane.refusal("DeleteCertificate", certificateId=one) == "DeleteConflictException"
    assert plane.refusal("DeletePolicy", policyName="p") == "DeleteConflictException"
    plane.call("DeleteCertificate", certificateId=one, forceDelete=True)
    assert plane.refusal("DescribeCertificate", certificateId=one) == "ResourceNotFoundException"
    plane.call("DeletePolicy", policyName="p")


def test_a_policy_has_versions_one_of_which_is_in_force(plane: Plane):
    made = plane.call("CreatePolicy", policyName="p", policyDocument=DOCUMENT)
    assert (made["policyVersionId"], made["policyDocument"]) == ("1", DOCUMENT)
    assert plane.refusal("CreatePolicy", policyName="p", policyDocument=DOCUMENT) == "ResourceAlreadyExistsException"
    other = DOCUMENT.replace("iot:*", "iot:Connect")
    plane.call("CreatePolicyVersion", policyName="p", policyDocument=other)
    assert plane.call("GetPolicy", policyName="p")["policyDocument"] == DOCUMENT
    plane.call("SetDefaultPolicyVersion", policyName="p", policyVersionId="2")
    assert plane.call("GetPolicy", policyName="p")["policyDocument"] == other
    told = plane.call("ListPolicyVersions", policyName="p")["policyVersions"]
    assert [(each["versionId"], each["isDefaultVersion"]) for each in told] == [("2", True), ("1", False)]
    assert plane.call("GetPolicyVersion", policyName="p", policyVersionId="1")["policyDocument"] == DOCUMENT
    assert plane.refusal("DeletePolicy", policyName="p") == "DeleteConflictException"
    assert plane.refusal("DeletePolicyVersion", policyName="p", policyVersionId="2") == "DeleteConflictException"
    plane.call("DeletePolicyVersion", policyName="p", policyVersionId="1")
    assert plane.refusal("GetPolicyVersion", policyName="p", policyVersionId="1") == "ResourceNotFoundException"
    plane.call("DeletePolicy", policyName="p")
    assert plane.refusal("GetPolicy", policyName="p") == "ResourceNotFoundException"


@pytest.mark.parametrize("document", ["", "{", "[]", '{"Version":"2012-10-17"}', '{"Version":"x","Statement":[]}'])
def test_what_is_no_policy_is_refused_as_malformed(plane: Plane, document: str):
    assert plane.refusal("CreatePolicy", policyName="p", policyDocument=document) == "MalformedPolicyException"
    plane.call("CreatePolicy", policyName="p", policyDocument=DOCUMENT)
    assert plane.refusal("CreatePolicyVersion", policyName="p", policyDocument=document) == "MalformedPolicyException"


@proves("a-policy-has-five-versions")
def test_a_sixth_version_is_one_too_many(plane: Plane):
    plane.call("CreatePolicy", policyName="p", policyDocument=DOCUMENT)
    for _ in range(4):
        plane.call("CreatePolicyVersion", policyName="p", policyDocument=DOCUMENT, setAsDefault=True)
    assert plane.refusal("CreatePolicyVersion", policyName="p", policyDocument=DOCUMENT) == (
        "VersionsLimitExceededException"
    )


def test_policies_are_found_from_both_ends_and_under_their_older_names(plane: Plane, arn: str):
    group = plane.call("CreateThingGroup", thingGroupName="g")["thingGroupArn"]
    inner = plane.call("CreateThingGroup", thingGroupName="inner", parentGroupName="g")["thingGroupArn"]
    for name, attach, who in (
        ("a", "AttachPolicy", {"target": arn}),
        ("b", "AttachPrincipalPolicy", {"principal": arn}),
        ("c", "AttachPolicy", {"target": group}),
    ):
        plane.call("CreatePolicy", policyName=name, policyDocument=DOCUMENT)
        plane.call(attach, policyName=name, **who)

    def attached(operation: str, **who) -> list[str]:
        found = plane.pages(operation, "policies", "nextMarker", pageSize=1, **who)
        return [each["policyName"] for each in found]

    assert attached("ListAttachedPolicies", target=arn) == ["a", "b"]
    assert attached("ListPrincipalPolicies", principal=arn) == ["a", "b"]
    assert attached("ListAttachedPolicies", target=inner) == []
    assert attached("ListAttachedPolicies", target=inner, recursive=True) == ["c"]
    assert attached("ListPolicies", ascendingOrder=True) == ["a", "b", "c"]
    assert plane.call("ListTargetsForPolicy", policyName="c")["targets"] == [group]
    assert plane.call("ListPolicyPrincipals", policyName="b")["principals"] == [arn]
    plane.call("DetachPolicy", policyName="a", target=arn)
    plane.call("DetachPrincipalPolicy", policyName="b", principal=arn)
    assert attached("ListAttachedPolicies", target=arn) == []


def test_an_eleventh_policy_on_a_certificate_is_one_too_many(plane: Plane, arn: str):
    for number in range(11):
        plane.call("CreatePolicy", policyName=f"p{number}", policyDocument=DOCUMENT)
    for number in range(10):
        plane.call("AttachPolicy", policyName=f"p{number}", target=arn)
    assert plane.refusal("AttachPolicy", policyName="p10", target=arn) == "LimitExceededException"
    plane.call("AttachPolicy", policyName="p9", target=arn)
    plane.call("DetachPolicy", policyName="p0", target=arn)
    plane.call("AttachPolicy", policyName="p10", target=arn)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        pytest.param("nonsense", "InvalidRequestException", id="no ARN"),
        pytest.param("arn:aws:iot:us-east-1:000000000000:thing/t", "InvalidRequestException", id="a thing"),
        pytest.param(f"arn:aws:iot:us-east-1:000000000000:cert/{'0' * 64}", "ResourceNotFoundException", id="no cert"),
        pytest.param("arn:aws:iot:us-east-1:000000000000:thinggroup/g", "ResourceNotFoundException", id="no group"),
    ],
)
def test_a_policy_is_attached_to_what_exists(plane: Plane, target: str, name: str):
    plane.call("CreatePolicy", policyName="p", policyDocument=DOCUMENT)
    assert plane.refusal("AttachPolicy", policyName="p", target=target) == name
    assert plane.refusal("ListAttachedPolicies", target=target) == name


def test_a_principal_may_be_one_things_alone(plane: Plane, arn: str):
    plane.things("t", "u")
    plane.call("AttachThingPrincipal", thingName="t", principal=arn, thingPrincipalType="EXCLUSIVE_THING")
    assert plane.refusal("AttachThingPrincipal", thingName="u", principal=arn) == "InvalidRequestException"
    told = plane.call("ListThingPrincipalsV2", thingName="t")["thingPrincipalObjects"]
    assert told == [{"principal": arn, "thingPrincipalType": "EXCLUSIVE_THING"}]
    assert plane.call("ListPrincipalThingsV2", principal=arn, thingPrincipalType="NON_EXCLUSIVE_THING") == {
        "principalThingObjects": [],
        "nextToken": None,
    }
    plane.call("DetachThingPrincipal", thingName="t", principal=arn)
    for thing in ("t", "u"):
        plane.call("AttachThingPrincipal", thingName=thing, principal=arn)
    assert plane.pages("ListPrincipalThings", "things", maxResults=1, principal=arn) == ["t", "u"]
    assert plane.call("ListThingPrincipals", thingName="u")["principals"] == [arn]
    assert plane.refusal("AttachThingPrincipal", thingName="t", principal=arn[:-1] + "x") == "ResourceNotFoundException"
