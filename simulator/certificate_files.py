"""What `ghostjob certs` made, as it is used: what lies in the directory, who may read it, and TLS with it.

It knows no cryptography, which takes a while to import: see `simulator.certs`.
"""

import os
import re
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.errors import InputError
from agent.tls import load_certificates

THING_NAME: Final = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
RESERVED: Final = frozenset({"ca", "server"})
LONGEST_COMMON_NAME: Final = 64
"""Characters (X.509); a thing name may have 128."""


def exposed(directory: Path) -> Iterator[str]:
    """What others than the owner may do with what lies there, in a sentence each; nothing if all is well."""
    if os.name != "posix" or not directory.is_dir():
        return
    if directory.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield (
            f"{directory}: others may write there, and so put a CA of their own in the place of this; "
            f"chmod go-w {directory}"
        )
    open_to_others = stat.S_IRWXG | stat.S_IRWXO
    keys = [path for path in sorted(directory.glob("*.key")) if path.stat().st_mode & open_to_others]
    if keys:
        more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        yield f"{keys[0]}{more}: others may read or write private keys; chmod 600 {directory}/*.key"


def server_context(directory: Path, *, is_mutual: bool = True) -> ssl.SSLContext:
    """TLS for the cloud: its own certificate and, if mutual, a demand for the client's. Raises InputError."""
    ca, cert, key = (needed(directory / name) for name in ("ca.pem", "server.pem", "server.key"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED if is_mutual else ssl.CERT_NONE
    context.num_tickets = 0  # nobody resumes a session here, and making tickets is a third of a handshake's CPU
    load_certificates(context, ca, cert, key)
    return context


def client_context(ca: Path, cert: Path, key: Path) -> ssl.SSLContext:
    """TLS for a device. Raises InputError naming the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    of_whom = f" --thing {cert.stem}"
    load_certificates(context, needed(ca), needed(cert, of_whom), needed(key, of_whom))
    return context


def needed(path: Path, of_whom: str = "") -> Path:
    """`path`, which is there. Raises InputError that says how to make it."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; make it with `ghostjob certs --dir {path.parent}{of_whom}`")
    return path
