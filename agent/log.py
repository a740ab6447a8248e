"""Logging through structlog: text for people, one JSON object a line for machines, both on stderr.

A device's log lines are its account: the event name is the account's `type`, its fields are the keys, and every line
is bound to thing, namespace_id, job_id, execution (number and queue time) and phase.

A process that has not configured structlog uses ghostjob as a library, which prints nothing: there the lines go to the
standard library's loggers below `ghostjob`, for whoever gives these a handler.

structlog is imported when there is a first line to write: it brings rich, and with it a good part of a start.
"""

import contextlib
import logging
import sys
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TextIO, cast

from agent.device_events import (
    AnswerReceived,
    AnswerUnreadable,
    DeviceCrashed,
    DeviceDisconnected,
    DeviceEvent,
    ExecutionTaken,
    PhaseChanged,
    RequestSent,
    StepUndone,
)
from agent.values import ExecutionKey

if TYPE_CHECKING:
    import structlog

DETAILS = frozenset(
    {
        "request.sent",
        "answer.received",
        "hint.received",
        "step.progressed",
        "hardware.changed",
        "journal.written",
    }
)
"""Events that are logged at debug, but for a question that is put again, and one that is refused; the others at info,
and those that mean trouble at warning."""
TROUBLE = frozenset({DeviceDisconnected, DeviceCrashed, StepUndone, AnswerUnreadable})
"""Events that may mean trouble."""
PLACES = frozenset({PhaseChanged, ExecutionTaken})
"""Events that say where in its work a device is: to it every line is bound."""
ROOT: Final = "ghostjob"
TRACEBACKS: Final = frozenset({"exception", "stack"})
"""Keys whose text is lines of ours."""
DIGITS: Final = 12
"""Of a digest, in a line for people."""
LEVEL_OF: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
}
"""By the method that logs a line."""


class _Asked(NamedTuple):
    log_format: str
    level: int


_asked: _Asked | None = None
"""What `configure` was asked for, until there is a line for it."""


def _level(event: DeviceEvent) -> int:
    if type(event) in TROUBLE:
        match event:
            case DeviceDisconnected(planned=False) | DeviceCrashed() | StepUndone(ok=False) | AnswerUnreadable():
                return logging.WARNING
            case _:
                pass
    match event:
        case RequestSent(attempt=attempt) if attempt > 1:
            return logging.INFO  # nobody answered the last time, or not now
        case AnswerReceived(accepted=False):
            return logging.INFO
        case _:
            return logging.DEBUG if event.type in DETAILS else logging.INFO


class _Stderr:
    """stderr, be it a file on a full disk, or a pipe that nobody reads: a device does without its log."""

    def write(self, text: str) -> int:
        """Write if that can be done."""
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if that can be done."""
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def _for_people(_logger: object, _name: str, said: "structlog.typing.EventDict") -> "structlog.typing.EventDict":
    """Without what is None, with no more of a digest than tells it from others, and nothing that a terminal obeys."""
    told = {key: value[:DIGITS] if key == "digest" else value for key, value in said.items() if value is not None}
    return {key: value if key in TRACEBACKS else _harmless(value) for key, value in told.items()}


def _harmless(value: object) -> object:
    """A text from outside may hold escape sequences, which would paint on a terminal; ours tell of them."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in value)


def configure(log_format: Literal["text", "json"] | str, level: str) -> None:
    """Set up structlog for this process: at the first line, or at once if it has been imported anyway."""
    global _asked
    _asked = _Asked(log_format, logging.getLevelNamesMapping()[level.upper()])
    if "structlog" in sys.modules:
        _set_up(_asked)
    _logger.cache_clear()
    _lowest.cache_clear()


def make_ready() -> None:
    """Set up what was asked for, without a line to write: for who cannot stand still while that is imported."""
    if (asked := _asked) is not None:
        _set_up(asked)


def _set_up(asked: _Asked) -> None:
    import structlog

    global _asked
    renderers: tuple[structlog.typing.Processor, ...] = (
        (structlog.processors.JSONRenderer(),)
        if asked.log_format == "json"
        else (_for_people, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(asked.level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )
    _asked = None  # at last: a thread may do this, and a line of another meanwhile does it once more


def get_logger(name: str) -> "structlog.typing.FilteringBoundLogger":
    """A logger of that name below `ghostjob`, made when it is used: what the process has configured by then counts."""
    return cast("structlog.typing.FilteringBoundLogger", _WhenUsed(name))


class _WhenUsed:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if _asked is not None and LEVEL_OF.get(method, _asked.level) < _asked.level:
            return _unsaid
        return getattr(_bound(self._name), method)

    def is_enabled_for(self, level: int) -> bool:
        """Whether a line of that level is written."""
        return level >= _asked.level if _asked is not None else bool(_bound(self._name).is_enabled_for(level))


def _unsaid(*_line: object, **_values: object) -> None:
    """A line below the level."""


def _bound(name: str) -> "structlog.typing.FilteringBoundLogger":
    import structlog

    if _asked is not None:
        _set_up(_asked)
    logger = structlog.get_logger(name) if structlog.is_configured() else _library_logger(name)
    return cast("structlog.typing.FilteringBoundLogger", logger.bind())


def _library_logger(name: str) -> Any:
    """Through `logging`; structlog's own default is to print to stdout."""
    import structlog

    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    )


logging.getLogger(ROOT).addHandler(logging.NullHandler())  # else `logging` would print warnings to stderr


@cache
def _logger() -> "structlog.typing.FilteringBoundLogger":
    """One for all devices of a process: half a KiB each otherwise."""
    return _bound("ghostjob.agent")


@cache
def _lowest() -> int:
    """The lowest level that is logged."""
    if _asked is not None:
        return _asked.level
    return next(
        (level for level in range(0, logging.CRITICAL, 10) if _logger().is_enabled_for(level)), logging.CRITICAL
    )


class DeviceLog:
    """One device's log. Costs a comparison where the level is off."""

    __slots__ = ("_key", "_phase", "_thing")

    def __init__(self, thing: str) -> None:
        self._thing = thing
        self._phase = "idle"
        self._key: ExecutionKey | None = None

    def write(self, event: DeviceEvent) -> None:
        """Log one event of the account."""
        if type(event) in PLACES:
            self._move(event)
        lowest = _lowest()
        if lowest > logging.INFO and type(event) not in TROUBLE:
            return
        level = _level(event)
        if level >= lowest:
            said = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("type", "execution")}
            _logger().log(level, event.type, **(self._bound() | said))

    def _move(self, event: DeviceEvent) -> None:
        if isinstance(event, PhaseChanged):
            self._phase, self._key = event.phase, event.execution
        elif isinstance(event, ExecutionTaken):
            self._key = event.execution

    def warning(self, name: str, **values: Any) -> None:
        """Log something that is not part of the account."""
        _logger().warning(name, **self._bound(), **values)

    def info(self, name: str, **values: Any) -> None:
        """Log something that is not part of the account, and no trouble."""
        if _lowest() <= logging.INFO:
            _logger().info(name, **self._bound(), **values)

    def crashed(self, error: Exception) -> None:
        """Log the exception that a device died of, with its traceback."""
        _logger().error("device.crashed", **self._bound(), exc_info=error)

    def _bound(self) -> dict[str, Any]:
        key = self._key
        bound: dict[str, Any] = {"thing": self._thing, "phase": self._phase}
        if key is not None:
            bound |= {
                "namespace_id": key.namespace_id,
                "job_id": key.job_id,
                "execution": f"{key.execution_number}@{key.queued_at}",
            }
        return bound
