"""Certificates into a TLS context, with errors that name the file."""

import ssl
from pathlib import Path

from agent.errors import InputError


def load_certificates(context: ssl.SSLContext, ca: Path | None, cert: Path, key: Path) -> None:
    """PEM files; without `ca`, the context must know its authorities already. Raises InputError."""
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"{ca}: no readable PEM certificate: {error.strerror or error}") from None
    try:
        context.load_cert_chain(cert, key, password="")  # without one, OpenSSL would ask the terminal for it
    except (ssl.SSLError, OSError) as error:
        raise InputError(f"{cert}: does not go with {key.name}, or is no PEM: {error.strerror or error}") from None
