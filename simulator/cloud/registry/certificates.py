"""Client certificates: known by the SHA-256 of their DER, usable while ACTIVE."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from simulator.cloud.registry.records import Certificate, CertificateStatus, DeletedCertificate
from simulator.cloud.registry.registry_errors import RegistryError
from simulator.cloud.registry.tables import Report, Table

if TYPE_CHECKING:
    from cryptography import x509

MAY_BE_SET: Final = ("ACTIVE", "INACTIVE", "REVOKED")
"""PENDING_TRANSFER and PENDING_ACTIVATION are the service's own; REGISTER_INACTIVE is deprecated."""


def read_certificate(pem: str) -> "x509.Certificate":
    """Raises RegistryError if that is no certificate."""
    from cryptography import x509  # takes a while, and most worlds have no certificates

    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise RegistryError("CertificateValidation", "The certificate is not valid.") from None


def certificate_id(certificate: "x509.Certificate") -> str:
    """64 hex digits: the SHA-256 of the DER."""
    from cryptography.hazmat.primitives import hashes

    return certificate.fingerprint(hashes.SHA256()).hex()


ListPosition: TypeAlias = tuple[float, str]
"""When a certificate was made, and its id."""


class Certificates:
    """Every client certificate of one account, and which ones were deleted: those come back only if they are registered
    again, and never because they are found somewhere."""

    def __init__(self, report: Report) -> None:
        self._certificates: Table[Certificate] = Table("certificate", report)
        self._deleted: Table[DeletedCertificate] = Table("deleted-certificate", report)
        self._positions: list[ListPosition] | None = None

    def restore(self, certificate: Certificate) -> None:
        """Put a remembered certificate back."""
        self._certificates.put(certificate.certificate_id, certificate)
        self._positions = None

    def restore_deleted(self, record: DeletedCertificate) -> None:
        """Remember again that one was deleted."""
        self._deleted.put(record.certificate_id, record)

    def register(
        self, pem: str, status: CertificateStatus, now: float, ca_certificate_id: str | None = None
    ) -> Certificate:
        """CreateKeysAndCertificate, RegisterCertificate and their like. Raises RegistryError."""
        parsed = read_certificate(pem)
        known = self._certificates.get(certificate_id(parsed))
        if known is not None:
            message = "The certificate is registered already."
            raise RegistryError("ResourceAlreadyExists", message, f"cert/{known.certificate_id}")
        begins, ends = parsed.not_valid_before_utc.timestamp(), parsed.not_valid_after_utc.timestamp()
        certificate = Certificate(
            certificate_id(parsed), pem, status, now, now, begins, ends, ca_certificate_id=ca_certificate_id
        )
        self._certificates.put(certificate.certificate_id, certificate)
        self._deleted.drop(certificate.certificate_id)
        if self._positions is not None:
            insort(self._positions, list_position(certificate))
        return certificate

    def get(self, certificate_id: str) -> Certificate | None:
        """The certificate, or None."""
        return self._certificates.get(certificate_id)

    def needed(self, certificate_id: str) -> Certificate:
        """The certificate. Raises RegistryError."""
        certificate = self._certificates.get(certificate_id)
        if certificate is None:
            raise RegistryError("ResourceNotFound", f"Certificate {certificate_id} cannot be found.")
        return certificate

    def set_status(self, certificate_id: str, status: CertificateStatus, now: float) -> None:
        """UpdateCertificate. Raises RegistryError."""
        certificate = self.needed(certificate_id)
        if status not in MAY_BE_SET:
            raise RegistryError("InvalidRequest", f"A certificate's status cannot be set to {status}.")
        if certificate.status == status:
            return
        after = replace(certificate, status=status, last_modified_at=now, version=certificate.version + 1)
        self._certificates.put(certificate_id, after)

    def drop(self, certificate_id: str) -> None:
        """Forget a certificate."""
        known = self._certificates.get(certificate_id)
        if known is not None and self._positions is not None:
            del self._positions[bisect_left(self._positions, list_position(known))]
        self._certificates.drop(certificate_id)

    def delete(self, certificate_id: str, now: float) -> None:
        """Forget a certificate, but not that it was deleted."""
        self.drop(certificate_id)
        self._deleted.put(certificate_id, DeletedCertificate(certificate_id, now))

    def was_deleted(self, certificate_id: str) -> bool:
        """Whether it was there, and nobody has registered it since it was deleted."""
        return self._deleted.get(certificate_id) is not None

    def after(self, where: ListPosition | None, count: int, *, newest_first: bool) -> list[Certificate]:
        """The next certificates by time of creation; the first question sorts them, and the next ones need not."""
        if self._positions is None:
            self._positions = sorted(map(list_position, self._certificates))
        positions = self._positions
        if newest_first:
            end = len(positions) if where is None else bisect_left(positions, where)
            found = positions[max(0, end - count) : end][::-1]
        else:
            start = 0 if where is None else bisect_right(positions, where)
            found = positions[start : start + count]
        return [self.needed(certificate_id) for _, certificate_id in found]


def list_position(certificate: Certificate) -> ListPosition:
    """Where it stands in a list."""
    return certificate.created_at, certificate.certificate_id
