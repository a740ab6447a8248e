"""Job documents: where CreateJob and CreateJobTemplate take them from, and that they are JSON."""

import json

from agent.values import JobDocument
from simulator.cloud.api.backing import Parameters
from simulator.cloud.api.errors import invalid


def document_text(given: Parameters) -> str:
    """The text of `document`, the only source that is served. Raises ApiError."""
    if "documentSource" in given:
        raise invalid("documentSource: the local cloud reads no S3; pass the document.")
    if "document" not in given:
        raise invalid("Exactly one of document and documentSource is needed.")
    return str(given["document"])


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
