"""Job documents: where CreateJob and CreateJobTemplate take them from, and that they are JSON."""

import json
from pathlib import Path
from urllib.parse import unquote

from agent.values import JobDocument
from simulator.cloud.api.backing import Backing, Parameters
from simulator.cloud.api.errors import invalid
from simulator.cloud.buckets import file_of
from simulator.cloud.presigned import object_of

LARGEST: int = 1 << 20
"""Bytes of a file that is looked at; how many a document may have is a quota of jobs."""


def document_text(backing: Backing, given: Parameters) -> str:
    """The text of `document`, or of the file that stands for the object of `documentSource`. Raises ApiError."""
    if ("document" in given) == ("documentSource" in given):
        raise invalid("Exactly one of document and documentSource is needed.")
    if "document" in given:
        return str(given["document"])
    return _object(backing.files, given["documentSource"])


def _object(files: Path | None, url: str) -> str:
    if files is None:
        raise invalid("documentSource: there is no S3 here; pass the document, or give the cloud --files.")
    file = file_of(files, unquote(object_of(url)))
    try:
        if file is None or file.stat().st_size > LARGEST:
            raise invalid(f"documentSource: {url[:200]} is no object that can be read.")
        return file.read_text("utf-8")
    except (OSError, ValueError):
        raise invalid(f"documentSource: {url[:200]} cannot be read.") from None


def read_document(text: str) -> JobDocument:
    """Raises ApiError if it is no JSON, or has half a surrogate pair in it, which no payload can carry."""
    try:
        document = JobDocument.of(json.loads(text, parse_constant=_refuse))
        document.text.encode()
        return document
    except (ValueError, RecursionError):
        raise invalid("The job document is not JSON.") from None


def _refuse(name: str) -> object:
    raise ValueError(name)  # Infinity and NaN are JSON to Python alone
