"""The cloud's trace events as log lines, for who asks for them by the level of the log.

info    who connects and goes, what becomes of jobs and executions
debug   requests, answers and notifications as well
"""

import logging
from collections.abc import Callable
from dataclasses import fields
from typing import Final

from agent.log import get_logger
from simulator.trace import (
    AnswerDelivered,
    ClientRefused,
    CloudEvent,
    CloudListening,
    HintPublished,
    MessageDropped,
    RequestAnswered,
    RequestReceived,
)

_log = get_logger("ghostjob.cloud")
DETAILS: Final = (RequestReceived, RequestAnswered, AnswerDelivered, HintPublished)
SAID_ALREADY: Final = (CloudListening, ClientRefused, MessageDropped)
"""What is announced, and what is a warning (see `notices`)."""


def event_log() -> Callable[[CloudEvent], None] | None:
    """What logs events; None if the log's level is above all of them, so that they need not be made."""
    lowest = next((level for level in (logging.DEBUG, logging.INFO) if _log.is_enabled_for(level)), None)
    if lowest is None:
        return None

    def write(event: CloudEvent) -> None:
        level = logging.DEBUG if isinstance(event, DETAILS) else logging.INFO
        if level >= lowest and not isinstance(event, SAID_ALREADY):
            said = {each.name: getattr(event, each.name) for each in fields(event) if each.name != "type"}
            _log.log(level, event.type, **{key: value for key, value in said.items() if value is not None})

    return write
