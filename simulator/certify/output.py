"""The files of a session: `certificate.json`, `junit.xml`, `summary.md`; each whole or not at all."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from agent.errors import InputError
from simulator.certify.certificate import Certificate
from simulator.certify.junit import junit_xml
from simulator.certify.markdown import markdown
from simulator.engines.output import TRACE
from simulator.engines.whole_files import Make, Tell, WholeFiles, log_it
from simulator.report.junit import JUNIT
from simulator.report.markdown import SUMMARY

CERTIFICATE = "certificate.json"
FILES = (CERTIFICATE, SUMMARY, JUNIT, TRACE)
"""What a session leaves in its directory; the trace is written while it lasts."""
PLAYS = "cells"
"""Below it, each cell that was played has a directory of its own."""
NOTHING: Final[Mapping[str, Make]] = MappingProxyType({})


def write(
    certificate: Certificate, directory: Path, besides: Mapping[str, Make] = NOTHING, tell: Tell = log_it
) -> tuple[str, ...]:
    """Write them into a directory, which is made if need be, and others `besides`, by their names: the names of those
    that are there. `tell` is as WholeFiles has it.

    The certificate comes first. Raises InputError if not all can be written: those that can be are there all the same.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {directory}: cannot write there: {error.strerror}") from None
    files = WholeFiles(directory, tell)
    files.write(CERTIFICATE, lambda: certificate.model_dump_json(indent=2) + "\n")
    files.write(JUNIT, partial(junit_xml, certificate))
    files.write(SUMMARY, partial(markdown, certificate))
    for name, make in besides.items():
        files.write(name, make)
    files.settle()
    if (why := files.why_not_all()) is not None:
        raise InputError(why)
    return files.kept
