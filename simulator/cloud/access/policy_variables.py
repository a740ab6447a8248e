"""Policy variables of a certificate (Developer Guide, "X.509 Certificate AWS IoT Core policy variables"). Pure."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from simulator.cloud.access.policies import RequestContext

ATTRIBUTES: Final = {
    "DistinguishedNameQualifier": NameOID.DN_QUALIFIER,
    "Country": NameOID.COUNTRY_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OrganizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "State": NameOID.STATE_OR_PROVINCE_NAME,
    "CommonName": NameOID.COMMON_NAME,
    "SerialNumber": NameOID.SERIAL_NUMBER,
    "Title": NameOID.TITLE,
    "Surname": NameOID.SURNAME,
    "GivenName": NameOID.GIVEN_NAME,
    "Initials": NameOID.INITIALS,
    "Pseudonym": NameOID.PSEUDONYM,
    "GenerationQualifier": NameOID.GENERATION_QUALIFIER,
}
ALTERNATIVES: Final[dict[str, type[x509.GeneralName]]] = {
    "RFC822Name": x509.RFC822Name,
    "DNSName": x509.DNSName,
    "DirectoryName": x509.DirectoryName,
    "UniformResourceIdentifier": x509.UniformResourceIdentifier,
    "IPAddress": x509.IPAddress,
}


LONGEST_REMEMBERED: Final = 4096
"""Characters of a certificate; a longer one is read each time it is asked."""


def certificate_variables(pem: str) -> RequestContext:
    """Every variable that has a value; an attribute may have several."""
    return _remembered(pem) if len(pem) <= LONGEST_REMEMBERED else _read(pem)


@lru_cache(maxsize=1024)
def _remembered(pem: str) -> RequestContext:
    """So many of the longest take 24 MiB."""
    return _read(pem)


def _read(pem: str) -> RequestContext:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    found: dict[str, str | tuple[str, ...]] = {"iot:Certificate.SerialNumber": str(certificate.serial_number)}
    for whose, name, oid in (
        ("Issuer", certificate.issuer, ExtensionOID.ISSUER_ALTERNATIVE_NAME),
        ("Subject", certificate.subject, ExtensionOID.SUBJECT_ALTERNATIVE_NAME),
    ):
        stem = f"iot:Certificate.{whose}"
        found |= {
            f"{stem}.{attribute}": tuple(_texts(one.value for one in name.get_attributes_for_oid(number)))
            for attribute, number in ATTRIBUTES.items()
        }
        alternatives = _alternatives(certificate, oid)
        found |= {
            f"{stem}.AlternativeName.{kind}": tuple(_texts(one.value for one in alternatives if isinstance(one, known)))
            for kind, known in ALTERNATIVES.items()
        }
    found = {name: value for name, value in found.items() if value}
    return {**found, "iot:Certificate.AvailableKeys": tuple(found)}


def common_name(certificate: x509.Certificate) -> str | None:
    """The first common name of the subject."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else None


def _alternatives(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[x509.GeneralName]:
    try:
        extension = certificate.extensions.get_extension_for_oid(oid).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return list(extension) if isinstance(extension, x509.SubjectAlternativeName | x509.IssuerAlternativeName) else []


def _texts(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        yield value.rfc4514_string() if isinstance(value, x509.Name) else str(value)
