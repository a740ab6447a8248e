"""A Record as bytes for the journal, and back.

JSON, so that the agent of another firmware slot can read it: unknown keys are ignored, missing ones have their
defaults, and the steps stand there one by one, so that even an operation that only the newer agent knows can be undone
by the older.
"""

import re
from typing import Final

from pydantic import TypeAdapter, ValidationError

from agent.core.record import Record
from agent.errors import GhostjobError
from agent.wording import first_wrong

NUMBER: Final = re.compile(rb'\{"number":([0-9]{1,18})[,}]')
"""How a numbered record begins; what it is a member of has no such name."""
_RECORDS: Final = TypeAdapter(Record)


class RecordError(GhostjobError):
    """The journal is whole, but what it says means nothing to this agent."""


def write_record(record: Record) -> bytes:
    """The record as JSON; at most 48 KiB, since a job document has at most 32."""
    return _RECORDS.dump_json(record, exclude_defaults=True)


def numbered(record: bytes, number: int) -> bytes:
    """The record as that one of all that were written; whoever knows no numbers ignores it."""
    return b'{"number":%d%b%b' % (number, b"" if record == b"{}" else b",", record[1:])


def number_of(record: bytes) -> int:
    """Which of all it is; 0 for one that was written without a number."""
    found = NUMBER.match(record)
    return int(found[1]) if found is not None else 0


def read_record(snapshot: bytes) -> Record:
    """The record again. Raises RecordError."""
    try:
        return _RECORDS.validate_json(snapshot)
    except ValidationError as error:
        raise RecordError(f"journal: {first_wrong(error)}; was it written by a newer agent?") from None
