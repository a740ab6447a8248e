"""Job documents: where CreateJob and CreateJobTemplate take them from, and that they are JSON that any device can read.

A document is looked at when it is made, and delivered as it was written. So whatever reads it without complaint but
could not be told to others is refused here: NaN and Infinity, which are no JSON; a number that is infinite to whoever
keeps numbers as doubles (RFC 8259, section 6); half a surrogate pair, which no UTF-8 can carry (section 8.2); and what
is nested deeper than readers go (section 9). A member that is named twice is JSON, and what it means is its reader's
affair (section 4).
"""

import json
from pathlib import Path
from urllib.parse import unquote

from agent.values import JobDocument
from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Backing, Parameters
from simulator.cloud.jobs import JobsSettings, placeholders
from simulator.cloud.jobs.quotas import check_document
from simulator.cloud.s3.buckets import file_of
from simulator.cloud.s3.presigned import object_of

LARGEST: int = 1 << 20
"""Bytes of a file that is looked at; how many a document may have is a quota of jobs."""


def document_text(backing: Backing, given: Parameters) -> str:
    """The text of `document`, or of the file that stands for the object of `documentSource`. Raises ApiError."""
    if ("document" in given) == ("documentSource" in given):
        raise invalid("Exactly one of document and documentSource is needed.")
    if "document" in given:
        return str(given["document"])
    return _object(backing.files, placeholders.unwrapped(given["documentSource"]))


def _object(files: Path | None, url: str) -> str:
    if files is None:
        raise invalid("documentSource: there is no S3 here; pass the document, or give the cloud --files.")
    file = file_of(files, unquote(object_of(url)))
    try:
        if file is None or file.stat().st_size > LARGEST:
            raise invalid(f"documentSource: {url[:200]} is no object that can be read.")
        return file.read_bytes().decode()  # read as text, a file would lose its line ends
    except UnicodeDecodeError as error:
        raise invalid(f"documentSource: {url[:200]} is not UTF-8, at its byte {error.start}.") from None
    except OSError:
        raise invalid(f"documentSource: {url[:200]} cannot be read.") from None


def read_document(text: str, settings: JobsSettings) -> JobDocument:
    """The document that has this text. Raises ApiError, JobsError if it could not be told to a device as it stands."""
    check_document(text, settings)
    try:
        value = json.loads(text, parse_constant=_refuse, parse_int=_finite, parse_float=_finite, object_pairs_hook=list)
        if _is_deeper(value, settings.document_depth):
            raise RecursionError
        for each in (text, json.dumps(value, ensure_ascii=False)):
            each.encode()
    except UnicodeEncodeError:
        raise invalid("The job document has half a surrogate pair in it, which no payload can carry.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise invalid(f"The job document is not JSON: {where}: {error.msg}.") from None
    except RecursionError:
        most = settings.document_depth
        raise invalid(f"The job document is nested deeper than {most} levels, where devices may not follow.") from None
    return JobDocument(text)


def _is_deeper(value: object, most: int) -> bool:
    """Whether more arrays and objects than that stand in one another; an object is a list of its pairs here."""
    lists = [value] if isinstance(value, list) else []
    for _ in range(most):
        items = (item[1] if isinstance(item, tuple) else item for each in lists for item in each)
        lists = [item for item in items if isinstance(item, list)]
    return bool(lists)


def _refuse(name: str) -> object:
    raise invalid(f"The job document is not JSON: {name} is no number in it.")


def _finite(number: str) -> float:
    if abs(value := float(number)) == float("inf"):
        raise invalid(
            f"The job document has a number that most devices would read as Infinity: {number[:50]} is larger than a "
            "double can be; write it as a string."
        )
    return value
