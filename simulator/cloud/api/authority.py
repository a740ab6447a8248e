"""Who signs the certificates that the API hands out: the CA of `--certs`, or one made when it is first needed."""

from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from simulator.certs import Authority, authority_in, client_certificate, new_authority
from simulator.cloud.api.errors import invalid

SUBJECT: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AWS IoT Certificate")])
"""As it stands in certificates that AWS makes."""


class CertificateAuthority:
    """Signs client certificates; `directory` is what `ghostjob certs` made, None for a CA of this cloud's own."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    @cached_property
    def _authority(self) -> Authority:
        return new_authority() if self._directory is None else authority_in(self._directory)

    def for_key(self, public: CertificatePublicKeyTypes) -> str:
        """A certificate, as PEM, with the subject that AWS gives those whose keys it makes."""
        return _pem(client_certificate(self._authority, SUBJECT, public))

    def for_request(self, text: str) -> str:
        """A certificate for a signing request, with the subject that it asks for. Raises ApiError."""
        try:
            request = x509.load_pem_x509_csr(text.encode())
            public = request.public_key()
            if not request.is_signature_valid:
                raise InvalidSignature
            return _pem(client_certificate(self._authority, request.subject, public))
        except (ValueError, UnsupportedAlgorithm, InvalidSignature):
            raise invalid("The certificate signing request is not valid.") from None


def new_key() -> rsa.RSAPrivateKey:
    """2048-bit RSA, as CreateKeysAndCertificate documents. Takes a tenth of a second or more: not for the loop."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pair(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The `keyPair` that goes out once and is kept nowhere."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {"PublicKey": public.decode(), "PrivateKey": private.decode()}


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
