"""The thing of a session in an account, and what lets its device in, made there and removed again.

Whoever provisioned his device himself has a certificate and a policy for it, and nothing of that is touched.
"""

import asyncio
from pathlib import Path
from typing import Final

from agent.errors import InputError
from simulator.certify.aws.ledger import NOT_FOUND, Ledger, Ledgered
from simulator.certify.enrolment import policy_of
from simulator.certs import signing_request
from simulator.cloud.arns import AccountRegion
from simulator.controller.hand import Refused

ROOT_CA: Final = "https://www.amazontrust.com/repository/AmazonRootCA1.pem"
PENDING: Final = ("IN_PROGRESS", "QUEUED")
MOST_NAMED: Final = 5


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


async def check_that_nothing_waits(asked: Ledgered, thing: str) -> None:
    """Raises InputError if jobs that are not the session's wait for a thing: its device would do those first."""
    try:
        pages = [await asked.make("ListJobExecutionsForThing", thingName=thing, status=status) for status in PENDING]
    except Refused:
        return  # whoever may not see that has to know himself
    waiting = list(dict.fromkeys(each["jobId"] for page in pages for each in page["executionSummaries"]))
    if waiting:
        named = ", ".join(waiting[:MOST_NAMED]) + (", …" if len(waiting) > MOST_NAMED else "")
        raise InputError(
            f"--thing {thing}: jobs wait for it which are not this session's, and which its device would do first: "
            f"{named}; let it do them, or delete them"
        )


async def make_certificate(asked: Ledgered, ledger: Ledger, thing: str, thing_arn: str, certs: Path) -> None:
    """A certificate of the thing's own, and a policy that lets it do Jobs and probes; files go to `certs`.

    Its key is made here, and never leaves this machine. By it a certificate is known whose answer was lost. It can have
    no tags: its policy has them, whose name is the session's. Raises InputError.
    """
    if not (certs / "ca.pem").is_file():
        raise InputError(f"--certs {certs}: has no ca.pem, the CA of the endpoint; AWS's own is at {ROOT_CA}")
    cert, key = certs / f"{thing}.pem", certs / f"{thing}.key"
    for path in (cert, key):
        _claim(path, ledger)
    private, request, public = await asyncio.get_running_loop().run_in_executor(None, signing_request, thing)
    _write(key, private)
    try:
        pem = await _certificate(asked, ledger, request, public)
        await _let_in(asked, ledger, thing, thing_arn)
    except Refused as refused:
        raise InputError(f"--make-certificate: {refused}") from None
    _write(cert, pem)


def _claim(path: Path, ledger: Ledger) -> None:
    """Make a file that is not there yet: another session's is never touched."""
    try:
        path.touch(0o600, exist_ok=False)
    except FileExistsError:
        raise InputError(f"--make-certificate: {path} is there already; name another directory with --certs") from None
    except OSError as error:
        raise InputError(f"--certs {path.parent}: cannot write there: {error.strerror}") from None
    ledger.files.append(path)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"--certs {path.parent}: cannot write there: {error.strerror}") from None


async def _certificate(asked: Ledgered, ledger: Ledger, request: str, key: bytes) -> str:
    """The PEM of the certificate. Asked for twice there are two, so one whose answer is lost is remembered."""
    before = ledger.calls["CreateCertificateFromCsr"]
    ledger.stray_key = key
    made = await asked.make("CreateCertificateFromCsr", certificateSigningRequest=request, setAsActive=True)
    ledger.principal = str(made["certificateArn"])
    if ledger.calls["CreateCertificateFromCsr"] == before + 1:
        ledger.stray_key = None
    return str(made["certificatePem"])


async def _let_in(asked: Ledgered, ledger: Ledger, thing: str, thing_arn: str) -> None:
    partition, _, region, account = thing_arn.split(":")[1:5]
    name = f"ghostjob-certify-{ledger.session}"
    document = policy_of(AccountRegion(region, account)).replace("arn:aws:", f"arn:{partition}:")
    ledger.policy = name
    await asked.make("CreatePolicy", policyName=name, policyDocument=document, tags=ledger.tags)
    await asked.make("AttachPolicy", policyName=name, target=ledger.principal)
    ledger.attached = [thing]
    await asked.make(
        "AttachThingPrincipal", thingName=thing, principal=ledger.principal, thingPrincipalType="EXCLUSIVE_THING"
    )
