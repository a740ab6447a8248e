"""Telling what clients did not get: one line in the log and one event in the trace, and how many more like it.

    client.refused   client_id=other principal=5f… address=127.0.0.1 action=iot:Connect resource=client/other
                     code=not-allowed why="…" hint="connect with client_id=lamp, or …"

The first of its kind is told at once. What is like it (the same client, action, resource and code; of messages that are
lost, whatever their topic) is counted, and told in one line, with `times`, once a while has passed. A client that is
refused a thousand times a second costs two lines, and so does one that loses a thousand messages.
Memory is bounded in the number of kinds and in the length of each; what is beyond is counted by its code alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from agent.log import get_logger
from simulator.cloud.notices.refusals import CODES, DROPPED, Code, Notice, shortened
from simulator.trace import ClientRefused, CloudEvent, MessageDropped

_log = get_logger("ghostjob.cloud")
QUIET_SECONDS: Final = 30.0
"""For so long what is like something that was told is only counted."""
MOST_KINDS: Final = 1024
"""So many are told apart; with texts of the greatest length they take 8 MiB."""
MOST_AT_ONCE: Final = 32
"""So many sums are told at a time, which takes 2 ms or 3; the others follow a second later."""

Kind: TypeAlias = tuple[Code, str, str, str, str]
"""Code, client id, principal, action, resource; of a lost message without its resource."""


@dataclass(slots=True)
class _Told:
    """The first of its kind, when one was told last, and how many came since then."""

    notice: Notice
    at: float
    more: int = 0


class Notices:
    """Tells each `Notice`. `observe` gets trace events; `clock` gives seconds that only grow."""

    def __init__(
        self,
        observe: Callable[[CloudEvent], None] | None,
        clock: Callable[[], float],
        write: Callable[[str, dict[str, object]], None] | None = None,
    ) -> None:
        self._observe = observe
        self._clock = clock
        self._write = write or _warn
        self._kinds: dict[Kind, _Told] = {}

    def tell(self, notice: Notice) -> None:
        """Tell it, or count it."""
        short = _short(notice)
        # Which messages a client lost matters less than how many: on each topic another would be a line for each.
        resource = "" if short.code in DROPPED else short.resource
        kind: Kind = (short.code, short.client_id, short.principal, short.action, resource)
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            short = Notice(short.code, "", "", f"{CODES[short.code]}: many, of which no more are told apart")
            kind = (short.code, "", "", "", "")
        told = self._kinds.get(kind)
        if told is None:
            explained = _explained(short)
            self._kinds[kind] = _Told(explained, self._clock())
            self._say(explained)
        else:
            told.more += 1

    def sweep(self) -> None:
        """Once a second: tell how many more there were of what was told a while ago, and forget what did not come
        again."""
        now, left = self._clock(), MOST_AT_ONCE
        for kind, told in tuple(self._kinds.items()):
            if now - told.at >= QUIET_SECONDS and (left or not told.more):
                left -= told.more > 0
                self._sum_up(kind, told, now)

    def close(self) -> None:
        """Tell what was only counted so far."""
        for kind, told in tuple(self._kinds.items()):
            self._sum_up(kind, told, self._clock())

    def _sum_up(self, kind: Kind, told: _Told, now: float) -> None:
        if not told.more:
            del self._kinds[kind]
            return
        self._say(told.notice, told.more)
        told.at, told.more = now, 0

    def _say(self, notice: Notice, more: int = 0) -> None:
        event = _event(notice, more or 1)
        if self._observe is not None:
            self._observe(event)
        said: dict[str, object] = {
            "client_id": notice.client_id or None,
            "principal": notice.principal or None,
            "address": notice.address or None,
            "action": notice.action or None,
            "resource": notice.resource or None,
            "code": notice.code,
            "why": f"{notice.why} (and {more} more like it)" if more else notice.why,
            "statement": notice.statement,
            "hint": notice.hint,
            "times": more or None,
        }
        self._write(event.type, {key: value for key, value in said.items() if value is not None})


def _warn(event: str, said: dict[str, object]) -> None:
    _log.warning(event, **said)


def _explained(notice: Notice) -> Notice:
    if notice.explain is None:
        return notice
    denial = notice.explain()
    return replace(notice, why=denial.why, statement=denial.statement, hint=denial.hint, explain=None)


def _short(notice: Notice) -> Notice:
    return replace(
        notice,
        client_id=shortened(notice.client_id),
        resource=shortened(notice.resource),
        why=shortened(notice.why),
        principal=shortened(notice.principal),
    )


def _event(notice: Notice, times: int) -> ClientRefused | MessageDropped:
    told = (
        notice.code,
        notice.action,
        notice.resource,
        notice.why,
        notice.client_id,
        notice.principal,
        notice.address,
        notice.statement,
        notice.hint,
        times,
    )
    return MessageDropped(*told) if notice.code in DROPPED else ClientRefused(*told)
