"""The files of a session: `certificate.json`, `junit.xml`, `summary.md`; each whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from agent.errors import InputError
from simulator.certify.certificate import Certificate
from simulator.certify.junit import junit_xml
from simulator.certify.markdown import markdown
from simulator.engines.output import TRACE
from simulator.report.junit import JUNIT
from simulator.report.markdown import SUMMARY

CERTIFICATE = "certificate.json"
FILES = (CERTIFICATE, SUMMARY, JUNIT, TRACE)
"""What a session leaves in its directory; the trace is written while it lasts."""
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def write(certificate: Certificate, directory: Path, besides: Mapping[str, str] = NOTHING) -> None:
    """Write them into a directory, which is made if need be, and others `besides`, by their names. Raises InputError if
    that cannot be done.

    Each is written under a name with `.partial` first, so that a reader never meets one that is cut off.
    """
    texts = {
        CERTIFICATE: certificate.model_dump_json(indent=2) + "\n",
        JUNIT: junit_xml(certificate),
        SUMMARY: markdown(certificate),
        **besides,
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            partial = directory / f"{name}.partial"
            try:
                partial.write_text(text, encoding="utf-8", newline="\n")
                partial.replace(directory / name)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"--out {directory}: cannot write there: {error.strerror}") from None
