"""What is written down of a session is what it has, whatever moved in it, and costs what moved."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.records import KeptMessage
from simulator.cloud.mqtt.session import Message, Session
from tests.effort import lines_run


def _persistence() -> Persistence:
    return Persistence(lambda source: 1, lambda: 0.0, lambda: 0.0)


def _session() -> Session:
    session = Session("dev")
    session.expiry_seconds = 60
    return session


def _message(number: int, share: str = "") -> Message:
    return Message("a", b"%d" % number, None, None, 0.0, share)


def _store(session: Session, number: int) -> None:
    session.store(_message(number))


def _store_of_group(session: Session, number: int) -> None:
    session.store(_message(number, "$share/g/a"))


def _send(session: Session, number: int) -> None:
    if session.stored:
        session.in_flight = {**(session.in_flight or {}), number: session.stored.popleft()}


def _acknowledge(session: Session, number: int) -> None:
    if session.in_flight:
        session.in_flight.pop(next(iter(session.in_flight)))


def _give_up(session: Session, number: int) -> None:
    if session.stored:
        session.stored.popleft()


def _turn(session: Session, number: int) -> None:
    """What was stored waits, and what waited is stored."""
    session.stored, session.waiting = session.waiting, session.stored


def _leave_group(session: Session, number: int) -> None:
    session.take_shared()


def _there(session: Session) -> list[bytes]:
    queues: Iterable[Iterable[Message]] = (
        (session.in_flight or {}).values(),
        session.stored or (),
        session.waiting or (),
    )
    return sorted(message.payload for queue in queues for message in queue)


STEPS: list[Callable[[Session, int], None]] = [
    _store,
    _store,
    _store_of_group,
    _send,
    _acknowledge,
    _give_up,
    _turn,
    _leave_group,
]


@given(st.lists(st.lists(st.sampled_from(STEPS), max_size=6), max_size=12))
def test_the_records_are_what_the_session_has(batches: list[list[Callable[[Session, int], None]]]):
    persistence, session, records, number = _persistence(), _session(), dict[str, object](), 0
    for batch in batches:
        for step in batch:
            number += 1
            step(session, number)
        persistence.changed(session)
        for kind, key, record in persistence.rows():
            if kind == "message" and record is None:
                del records[key]
            elif kind == "message":
                records[key] = record
        kept = [record.payload for record in records.values() if isinstance(record, KeptMessage)]
        assert sorted(kept) == _there(session)
        assert len(records) == len(kept)


@pytest.mark.parametrize("step", [_store, _give_up, _send])
def test_one_message_more_or_less_costs_the_same_in_a_long_queue(step: Callable[[Session, int], None]):
    def cost(queued: int) -> int:
        persistence, session = _persistence(), _session()
        for number in range(queued):
            _store(session, number)
        persistence.changed(session)
        tuple(persistence.rows())
        step(session, queued)
        persistence.changed(session)
        return lines_run(lambda: tuple(persistence.rows()))

    assert cost(900) == cost(9)
