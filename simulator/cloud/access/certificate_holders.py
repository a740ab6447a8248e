"""Holders of client certificates: which certificates are known, and what their holders may do.

A certificate that `ghostjob certs` made is registered when its holder first comes, with a policy for its own thing
alone; AWS wants it registered before. Its thing is the name of its file. That happens once in a certificate's life: one
that was deleted is not registered again because its file is still there. A certificate that somebody made through the
API is registered there, and has the policies that are attached to it, which may be none.
"""

import json
import ssl
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from simulator.certificate_files import LONGEST_COMMON_NAME, RESERVED, THING_NAME
from simulator.cloud.access.policies import RequestContext
from simulator.cloud.arns import AccountRegion
from simulator.cloud.notices.refusals import Code, Notice
from simulator.cloud.registry import Registry
from simulator.cloud.registry.records import Certificate, Thing

if TYPE_CHECKING:
    from cryptography import x509

OWN_POLICY: Final = "ghostjob-own-thing"


class Standing(NamedTuple):
    """Of a certificate: whether it is ACTIVE, the policies on it, and the thing that its holder is connected as."""

    is_active: bool
    documents: tuple[str, ...]
    thing_name: str | None
    thing: Thing | None


class CertificateHolders:
    """`directory` is what `ghostjob certs` made; None: all have to be registered. `clock`: epoch seconds."""

    def __init__(
        self, registry: Registry, account: AccountRegion, clock: Callable[[], float], directory: Path | None = None
    ) -> None:
        self.registry = registry
        self.account = account
        self._clock = clock
        self._directory = directory

    def certificate(self, der: bytes) -> Certificate | None:
        """The certificate of somebody who proved in TLS to have it; None if it is not known, or not ACTIVE."""
        certificate_id = sha256(der).hexdigest()
        known = self.registry.certificate(certificate_id) or self._enrol(certificate_id, der)
        return known if known is not None and known.status == "ACTIVE" else None

    def turned_away(self, der: bytes, action: str, address: str) -> Notice:
        """What there is to tell of one that `certificate` does not let in."""
        from simulator.cloud.access.policy_variables import common_name

        certificate_id = sha256(der).hexdigest()
        known, subject = self.registry.certificate(certificate_id), common_name(_of_der(der))
        who = f"the certificate{f' of {subject}' if subject else ''}"
        code: Code = "certificate-unregistered" if known is None else "certificate-inactive"
        if known is not None:
            why = f"{who} is {known.status}"
            hint = f"aws iot update-certificate --certificate-id {certificate_id} --new-status ACTIVE"
        elif self.registry.certificates.was_deleted(certificate_id):
            why = f"{who} was deleted; that it lies in the directory of --certs does not bring it back"
            hint = "aws iot register-certificate-without-ca"
        else:
            why = f"{who} is not registered"
            hint = "aws iot register-certificate-without-ca, or use one that `ghostjob certs` made"
        return Notice(code, action, "", why, principal=certificate_id, address=address, hint=hint)

    def own_thing(self, certificate_id: str) -> str | None:
        """The thing that `ghostjob certs` made a certificate for; None if it did not."""
        certificate = self.registry.certificate(certificate_id)
        if certificate is None:
            return None
        return self._thing_of_file(_of_pem(certificate.pem.encode()))

    def _enrol(self, certificate_id: str, der: bytes) -> Certificate | None:
        """Register one of `ghostjob certs` when it first comes; never one that was there, and was deleted."""
        if self.registry.certificates.was_deleted(certificate_id):
            return None
        parsed = _of_der(der)
        thing = self._thing_of_file(parsed)
        if thing is None:
            return None
        now = self._clock()
        certificate = self.registry.register_certificate(ssl.DER_cert_to_PEM_cert(der), now)
        is_short = len(thing) <= LONGEST_COMMON_NAME
        name = OWN_POLICY if is_short else f"{OWN_POLICY}-{certificate_id[:16]}"
        if self.registry.policies.get(name) is None:
            own = "${iot:Certificate.Subject.CommonName}" if is_short else thing
            self.registry.policies.create(name, own_policy(self.account, own), now)
        self.registry.policies.attach(name, f"cert/{certificate_id}")
        return certificate

    def _thing_of_file(self, certificate: "x509.Certificate") -> str | None:
        """The thing whose certificate lies in the directory."""
        from simulator.cloud.access.policy_variables import common_name

        name = common_name(certificate)
        if self._directory is None or name is None or not THING_NAME.fullmatch(name) or name in RESERVED:
            return None
        # The common name holds the beginning of a thing name that is too long for it.
        is_whole = len(name) < LONGEST_COMMON_NAME
        for each in [name] if is_whole else sorted(path.stem for path in self._directory.glob(f"{name}*.pem")):
            try:
                found = _of_pem((self._directory / f"{each}.pem").read_bytes())
            except (OSError, ValueError):
                continue
            if found == certificate:
                return each
        return None

    def standing(self, certificate_id: str, client_id: str | None) -> Standing:
        """What decisions about a holder depend on, beside what never changes; over HTTP there is no client id."""
        certificate = self.registry.certificate(certificate_id)
        name = self._thing(certificate_id, client_id)
        return Standing(
            certificate is not None and certificate.status == "ACTIVE",
            self.registry.policy_documents(certificate_id),
            name,
            None if name is None else self.registry.things.get(name),
        )

    def context(self, certificate_id: str, address: str, client_id: str | None) -> dict[str, str | tuple[str, ...]]:
        """The policy variables of a holder."""
        certificate = self.registry.certificate(certificate_id)
        context: dict[str, str | tuple[str, ...]] = {"iot:CertificateId": certificate_id}
        if certificate is not None:
            from simulator.cloud.access.policy_variables import certificate_variables

            context |= certificate_variables(certificate.pem)
        if address:
            context["aws:SourceIp"] = address
        if client_id is not None:
            context["iot:ClientId"] = client_id
        thing = self._thing(certificate_id, client_id)
        context["iot:Connection.Thing.IsAttached"] = "false" if thing is None else "true"
        return context if thing is None else {**context, **self._thing_variables(thing)}

    def _thing(self, certificate_id: str, client_id: str | None) -> str | None:
        """Variables of a thing need the client id to be its name, unless the certificate is that thing's exclusively
        (Developer Guide, "Thing policy variables"); without a client id, that the certificate has one thing only."""
        principal, things = f"cert/{certificate_id}", self.registry.things
        if (exclusive := things.exclusive(principal)) is not None:
            return exclusive
        if client_id is None:
            return things.principals.only_left(principal)
        return client_id if things.principals.get(client_id, principal) is not None else None

    def _thing_variables(self, name: str) -> RequestContext:
        found: dict[str, str] = {"iot:Connection.Thing.ThingName": name}
        thing = self.registry.things.get(name)
        if thing is not None:
            if thing.thing_type is not None:
                found["iot:Connection.Thing.ThingTypeName"] = thing.thing_type
            found |= {f"iot:Connection.Thing.Attributes[{key}]": value for key, value in thing.attributes}
        return found


def _of_der(certificate: bytes) -> "x509.Certificate":
    from cryptography import x509  # takes a while, and most worlds have no certificates

    return x509.load_der_x509_certificate(certificate)


def _of_pem(certificate: bytes) -> "x509.Certificate":
    from cryptography import x509

    return x509.load_pem_x509_certificate(certificate)


@lru_cache(maxsize=64)
def own_policy(account: AccountRegion, thing: str) -> str:
    """What a certificate of `ghostjob certs` may do: everything about its own thing, and nothing else.

    `thing` is a name, or a policy variable.
    """

    def arns(kind: str, *names: str) -> list[str]:
        return [account.arn(kind, name) for name in names]

    own = (f"$aws/things/{thing}/*", f"{thing}/*")
    allowed = {
        ("iot:Connect",): arns("client", thing),
        ("iot:Publish", "iot:RetainPublish", "iot:Receive"): arns("topic", *own),
        ("iot:Subscribe",): arns("topicfilter", *own),
        ("iotjobsdata:*",): arns("thing", thing),
    }
    statements = [
        {"Effect": "Allow", "Action": list(actions), "Resource": resources} for actions, resources in allowed.items()
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
