"""The cloud's log. As a library it prints nothing: whoever has not configured structlog finds it in `logging`."""

import logging
from typing import cast

import structlog

NAME = "ghostjob.cloud"

logging.getLogger("ghostjob").addHandler(logging.NullHandler())  # else `logging` itself would print warnings


def log() -> "structlog.typing.FilteringBoundLogger":
    """structlog's logger if somebody configured structlog, as our commands do; else one for `logging` of that name.

    Asked for anew each time: a program may configure its logging at any time.
    """
    if structlog.is_configured():
        return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(NAME))
    quiet = structlog.wrap_logger(
        logging.getLogger(NAME),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return cast("structlog.typing.FilteringBoundLogger", quiet)
