"""The thing of a session in an account, and what lets its device in, made there and removed again.

Whoever provisioned his device himself has a certificate and a policy for it, and nothing of that is touched.
"""

from pathlib import Path
from typing import Final

from agent.errors import InputError
from simulator.certify.aws.ledger import NOT_FOUND, Ledger, Ledgered
from simulator.certify.enrolment import policy_of
from simulator.cloud.arns import AccountRegion
from simulator.controller.hand import Refused

ROOT_CA: Final = "https://www.amazontrust.com/repository/AmazonRootCA1.pem"


async def enrol(asked: Ledgered, ledger: Ledger, thing: str) -> str:
    """The thing's ARN; it is made if there is none. Raises InputError."""
    try:
        return str((await asked.make("DescribeThing", thingName=thing))["thingArn"])
    except Refused as refused:
        if refused.code != NOT_FOUND:
            raise InputError(f"--thing {thing}: {refused}") from None
    ledger.thing = thing
    try:
        payload = {"attributes": ledger.attributes}
        return str((await asked.make("CreateThing", thingName=thing, attributePayload=payload))["thingArn"])
    except Refused as refused:
        ledger.thing = None
        raise InputError(f"--thing {thing}: cannot be made: {refused}") from None


async def make_certificate(asked: Ledgered, ledger: Ledger, thing: str, thing_arn: str, certs: Path) -> None:
    """A certificate of the thing's own, and a policy that lets it do Jobs and probes; files go to `certs`.

    A certificate can have no tags: its policy has them, whose name is the session's. Raises InputError.
    """
    if not (certs / "ca.pem").is_file():
        raise InputError(f"--certs {certs}: has no ca.pem, the CA of the endpoint; AWS's own is at {ROOT_CA}")
    cert, key = certs / f"{thing}.pem", certs / f"{thing}.key"
    if there := [path for path in (cert, key) if path.exists()]:
        raise InputError(f"--make-certificate: {there[0]} is there already; name another directory with --certs")
    partition, _, region, account = thing_arn.split(":")[1:5]
    name = f"ghostjob-certify-{ledger.session}"
    document = policy_of(AccountRegion(region, account)).replace("arn:aws:", f"arn:{partition}:")
    try:
        made = await asked.make("CreateKeysAndCertificate", setAsActive=True)
        ledger.principal = str(made["certificateArn"])
        await asked.make("CreatePolicy", policyName=name, policyDocument=document, tags=ledger.tags)
        ledger.policy = name
        await asked.make("AttachPolicy", policyName=name, target=ledger.principal)
        await asked.make(
            "AttachThingPrincipal", thingName=thing, principal=ledger.principal, thingPrincipalType="EXCLUSIVE_THING"
        )
        _write(cert, made["certificatePem"])
        _write(key, made["keyPair"]["PrivateKey"])
    except Refused as refused:
        raise InputError(f"--make-certificate: {refused}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.touch(0o600, exist_ok=False)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"--certs {path.parent}: cannot write there: {error.strerror}") from None


async def remove(asked: Ledgered, ledger: Ledger, thing: str, certs: Path) -> None:
    """Remove it, in an order that AWS allows; what is left stands in the ledger. Raises Refused, InputError."""
    if (principal := ledger.principal) is not None:
        await _if_there(asked, "DetachThingPrincipal", thingName=thing, principal=principal)
        if ledger.policy is not None:
            await _if_there(asked, "DetachPolicy", policyName=ledger.policy, target=principal)
        certificate_id = principal.rpartition("/")[2]
        await _if_there(asked, "UpdateCertificate", certificateId=certificate_id, newStatus="INACTIVE")
        await _if_there(asked, "DeleteCertificate", certificateId=certificate_id)
        ledger.principal = None
        for path in (certs / f"{thing}.pem", certs / f"{thing}.key"):
            path.unlink(missing_ok=True)
    if ledger.policy is not None:
        await _if_there(asked, "DeletePolicy", policyName=ledger.policy)
        ledger.policy = None
    if ledger.thing is not None:
        await _if_there(asked, "DeleteThing", thingName=ledger.thing)
        ledger.thing = None


async def _if_there(asked: Ledgered, operation: str, **parameters: str) -> None:
    try:
        await asked.make(operation, **parameters)
    except Refused as refused:
        if refused.code != NOT_FOUND:
            raise
