"""Client certificates, as a set-up script makes them, registers them and takes them out of use."""

from simulator.cloud.api.api_errors import ApiError, invalid
from simulator.cloud.api.authority import issued_by, key_pair, new_key
from simulator.cloud.api.backing import Backing, Operation, Parameters
from simulator.cloud.api.paging import Key, page_of_many
from simulator.cloud.registry import Certificate
from simulator.cloud.registry.certificates import certificate_id, list_position, read_certificate
from simulator.cloud.registry.records import CertificateStatus

PRIVATE_KEY = "privateKey"
"""Where CreateKeysAndCertificate finds a key that was made beforehand, as the HTTP server does off the loop."""


class CertificateOperations:
    """CA certificates are not registered here: RegisterCertificate takes its CA's with it."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._certificates = backing.registry.certificates

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreateCertificateFromCsr": self._create_from_csr,
            "CreateKeysAndCertificate": self._create_keys,
            "DeleteCertificate": self._delete,
            "DescribeCertificate": self._describe,
            "ListCertificates": self._list,
            "RegisterCertificate": self._register,
            "RegisterCertificateWithoutCA": self._register_alone,
            "UpdateCertificate": self._update,
        }

    def _create_keys(self, given: Parameters) -> Parameters:
        key = given.get(PRIVATE_KEY) or new_key()
        pem = self._backing.authority.for_key(key)
        return self._made(self._put(pem, _status(given))) | {"certificatePem": pem, "keyPair": key_pair(key)}

    def _create_from_csr(self, given: Parameters) -> Parameters:
        pem = self._backing.authority.for_request(given["certificateSigningRequest"])
        return self._made(self._put(pem, _status(given))) | {"certificatePem": pem}

    def _register(self, given: Parameters) -> Parameters:
        ca_id = None
        if (ca_pem := given.get("caCertificatePem")) is not None:
            certificate, ca = read_certificate(given["certificatePem"]), read_certificate(ca_pem)
            if not issued_by(certificate, ca):
                message = "The certificate was not issued by the CA certificate."
                raise ApiError("CertificateValidationException", message)
            ca_id = certificate_id(ca)
        return self._made(self._put(given["certificatePem"], _status(given), ca_id))

    def _register_alone(self, given: Parameters) -> Parameters:
        return self._made(self._put(given["certificatePem"], _status(given)))

    def _put(self, pem: str, status: CertificateStatus, ca_id: str | None = None) -> Certificate:
        return self._certificates.register(pem, status, self._backing.clock(), ca_id)

    def _describe(self, given: Parameters) -> Parameters:
        certificate = self._certificates.needed(given["certificateId"])
        return {
            "certificateDescription": self._shown(certificate)
            | {
                "certificatePem": certificate.pem,
                "caCertificateId": certificate.ca_certificate_id,
                "ownedBy": self._backing.account.account_id,
                "lastModifiedDate": certificate.last_modified_at,
                "customerVersion": certificate.version,
                "generationId": f"{certificate.certificate_id[:32]}-{certificate.version}",
                "validity": {"notBefore": certificate.not_before, "notAfter": certificate.not_after},
            }
        }

    def _list(self, given: Parameters) -> Parameters:
        newest_first = not given.get("ascendingOrder", False)

        def walk(after: Key | None, count: int) -> list[Certificate]:
            try:
                where = None if after is None else (float(after[0]), str(after[1]))
            except (ValueError, IndexError):
                raise invalid("Invalid marker.") from None
            return self._certificates.after(where, count, newest_first=newest_first)

        shown, marker = page_of_many("ListCertificates", given, walk, list_position)
        return {"certificates": [self._shown(each) for each in shown], "nextMarker": marker}

    def _update(self, given: Parameters) -> Parameters:
        self._certificates.set_status(given["certificateId"], given["newStatus"], self._backing.clock())
        return {}

    def _delete(self, given: Parameters) -> Parameters:
        certificate_id, force = given["certificateId"], given.get("forceDelete", False)
        self._backing.registry.delete_certificate(certificate_id, self._backing.clock(), force=force)
        return {}

    def _made(self, certificate: Certificate) -> Parameters:
        arn = self._backing.arn("cert", certificate.certificate_id)
        return {"certificateArn": arn, "certificateId": certificate.certificate_id}

    def _shown(self, certificate: Certificate) -> Parameters:
        return self._made(certificate) | {
            "status": certificate.status,
            "certificateMode": certificate.mode,
            "creationDate": certificate.created_at,
        }


def _status(given: Parameters) -> CertificateStatus:
    """`status`, or what the deprecated `setAsActive` says; a certificate that nobody activates is INACTIVE."""
    status: CertificateStatus = given.get("status", "ACTIVE" if given.get("setAsActive", False) else "INACTIVE")
    if status not in ("ACTIVE", "INACTIVE"):
        raise invalid(f"A certificate cannot be registered with the status {status}.")
    return status
