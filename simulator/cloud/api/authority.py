"""Who signs the certificates that the API hands out: the CA of `--certs`, or one made when it is first needed.

What knows cryptography is imported when it is needed: it takes a while, and most worlds have no certificates.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulator.cloud.api.api_errors import invalid

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

    from simulator.certs import Authority

COMMON_NAME: Final = "AWS IoT Certificate"
"""As it stands in certificates whose keys AWS makes."""


class CertificateAuthority:
    """Signs client certificates; `directory` is what `ghostjob certs` made, None for a CA of this cloud's own."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    @cached_property
    def _authority(self) -> "Authority":
        from simulator.certs import authority_in, new_authority

        return new_authority() if self._directory is None else authority_in(self._directory)

    def for_key(self, key: "rsa.RSAPrivateKey") -> str:
        """A certificate for a key, as PEM."""
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        from simulator.certs import client_certificate

        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
        return _pem(client_certificate(self._authority, subject, key.public_key()))

    def for_request(self, text: str) -> str:
        """A certificate for a signing request, with the subject that it asks for. Raises ApiError."""
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        from simulator.certs import client_certificate

        try:
            request = x509.load_pem_x509_csr(text.encode())
            public = request.public_key()
            if not request.is_signature_valid:
                raise InvalidSignature
            return _pem(client_certificate(self._authority, request.subject, public))
        except (ValueError, UnsupportedAlgorithm, InvalidSignature):
            raise invalid("The certificate signing request is not valid.") from None


def new_key() -> "rsa.RSAPrivateKey":
    """2048-bit RSA, as CreateKeysAndCertificate documents. Takes a tenth of a second or more: not for the loop."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pair(key: "rsa.RSAPrivateKey") -> dict[str, str]:
    """The `keyPair` that goes out once and is kept nowhere."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {"PublicKey": public.decode(), "PrivateKey": private.decode()}


def issued_by(certificate: "x509.Certificate", ca: "x509.Certificate") -> bool:
    """Whether a CA signed a certificate."""
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _pem(certificate: "x509.Certificate") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()
