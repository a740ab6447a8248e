"""Certificates for the local cloud and its devices: a CA, a server certificate, one client certificate for each thing.

    DIR/ca.pem  DIR/ca.key        the CA; existing ones are kept, so more things can be added later
    DIR/server.pem  .key          the cloud's, for localhost, 127.0.0.1, ::1 and what --host adds
    DIR/THING.pem  .key           a device's; its common name is the thing name

Keys are P-256: mutual TLS with them costs a fraction of RSA's. Key files are readable by their owner alone.
"""

import datetime
import ipaddress
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.errors import InputError
from simulator.certificate_files import LONGEST_COMMON_NAME, RESERVED, THING_NAME, needed

DEFAULT_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
YEARS: Final = 10
HOST_NAME: Final = re.compile(
    r"(\*\.)?[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?)*"
)
"""Labels of letters, digits and hyphens; the first may be a star."""


def make_certificates(directory: Path, things: Iterable[str], hosts: Sequence[str] = DEFAULT_HOSTS) -> None:
    """Make what is missing in `directory`. Raises InputError.

    Nothing that exists is overwritten, but for a server certificate that lacks one of `hosts`: it is made again, with
    the names that it had and those.
    """
    names = tuple(things)
    for host in hosts:
        if not _is_host(host):
            raise InputError(f"--host {host}: neither a host name nor an address")
    for name in names:
        if not THING_NAME.fullmatch(name) or name in RESERVED:
            raise InputError(f"--thing {name}: a thing name is 1 to 128 of a-z A-Z 0-9 : _ - (and not ca or server)")
    ca_files = (directory / "ca.pem", directory / "ca.key")
    if ca_files[0].exists() != ca_files[1].exists():
        missing = next(path for path in ca_files if not path.exists())
        raise InputError(f"{missing}: missing beside the other half of the CA; restore it, or use an empty directory")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        ca, key = _load_ca(*ca_files) if ca_files[0].exists() else _make_ca(*ca_files)
        known = _hosts_in(directory / "server.pem")
        if known is None or not set(hosts) <= set(known):
            _issue(directory, "server", ca, key, _server_extensions((*(known or ()), *hosts)))
        for name in names:
            if not (directory / f"{name}.pem").exists():
                _issue(directory, name, ca, key, [_usage(ExtendedKeyUsageOID.CLIENT_AUTH)])
    except OSError as error:
        raise InputError(f"--dir {directory}: cannot write there: {error.strerror}") from None


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= 253 and HOST_NAME.fullmatch(text) is not None
    return True


def _hosts_in(server: Path) -> tuple[str, ...] | None:
    """What a server certificate is for; None if there is none."""
    if not server.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(server.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        raise InputError(f"{server}: not a certificate that ghostjob made; use an empty directory") from None
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *(str(address) for address in addresses))


# ── making ────────────────────────────────────────────────────────────────────────────────────────────────────

Authority = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _load_ca(cert: Path, key: Path) -> Authority:
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        authority = x509.load_pem_x509_certificate(cert.read_bytes())
    except ValueError:
        raise InputError(f"{key}: the CA there cannot be read; use an empty directory") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise InputError(f"{key}: not a key that ghostjob made; use an empty directory")
    return authority, private


def _make_ca(cert: Path, key: Path) -> Authority:
    authority, private = new_authority()
    _write(key, _key_pem(private), 0o600)
    _write(cert, authority.public_bytes(serialization.Encoding.PEM), 0o644)
    return authority, private


def new_authority() -> Authority:
    """A CA that is written nowhere."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = _name("ghostjob local CA")
    identifier = x509.SubjectKeyIdentifier.from_public_key(private.public_key())
    authority = (
        _builder(name, name, private.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(private, hashes.SHA256())
    )
    return authority, private


def authority_in(directory: Path) -> Authority:
    """The CA that `ghostjob certs` made there. Raises InputError."""
    return _load_ca(needed(directory / "ca.pem"), needed(directory / "ca.key"))


def client_certificate(authority: Authority, subject: x509.Name, public: CertificatePublicKeyTypes) -> x509.Certificate:
    """A client certificate for whoever holds the private half of `public`."""
    return _sign(authority, subject, public, [_usage(ExtendedKeyUsageOID.CLIENT_AUTH)])


def _issue(
    directory: Path,
    name: str,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    extensions: Sequence[x509.ExtensionType],
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign((ca, ca_key), _name(name), private.public_key(), extensions)
    _write(directory / f"{name}.key", _key_pem(private), 0o600)
    _write(directory / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _sign(
    authority: Authority,
    subject: x509.Name,
    public: CertificatePublicKeyTypes,
    extensions: Sequence[x509.ExtensionType],
) -> x509.Certificate:
    ca, ca_key = authority
    builder = (
        _builder(subject, ca.subject, public)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:LONGEST_COMMON_NAME])])


def _usage(purpose: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([purpose])


def _server_extensions(hosts: Sequence[str]) -> list[x509.ExtensionType]:
    names = x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])
    return [_usage(ExtendedKeyUsageOID.SERVER_AUTH), names]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole, with its mode from the first byte on, into a file that nobody else has made or holds open."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)


def signing_request(common_name: str) -> tuple[str, str, bytes]:
    """A new key of 2048-bit RSA and a request for a certificate of it, both PEM, and its public key as `public_key`.

    Takes a tenth of a second or more: not for an event loop.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:LONGEST_COMMON_NAME])])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return private.decode(), request.public_bytes(serialization.Encoding.PEM).decode(), _der(key.public_key())


def public_key(pem: str) -> bytes:
    """That of a certificate, as DER."""
    return _der(x509.load_pem_x509_certificate(pem.encode()).public_key())


def _der(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
