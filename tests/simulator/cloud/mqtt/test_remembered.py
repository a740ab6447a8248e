"""Sessions and messages of a process before this one, by a clock that may be wrong: none goes at once or stays."""

import pytest

from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.records import KeptMessage, KeptSession, RememberedSessions
from simulator.cloud.mqtt.restoring import LONGEST_SECONDS, restore
from simulator.cloud.mqtt.shells import Gateway

from .conftest import Jobs

EPOCH, LOOP, HOUR, YEAR = 1_800_000_000.0, 5_000.0, 3600, 365 * 86_400.0


@pytest.mark.parametrize(
    ("after", "passed"),
    [
        pytest.param(60.0, 60.0, id="a minute later: it counts"),
        pytest.param(LONGEST_SECONDS, LONGEST_SECONDS, id="a week later: it counts"),
        pytest.param(LONGEST_SECONDS + 1, 0.0, id="more than that: not believed"),
        pytest.param(YEAR, 0.0, id="a year ahead"),
        pytest.param(-1.0, 0.0, id="a second back"),
        pytest.param(-YEAR, 0.0, id="a year back"),
    ],
)
def test_what_passed_between_two_processes(after: float, passed: float):
    persistence = Persistence(lambda source: 1, lambda: EPOCH + after, lambda: LOOP)
    gateway = Gateway(Jobs())
    gateway.broker.context.persistence = persistence
    messages = {"lamp/1": KeptMessage("lamp", "mail", b"1", EPOCH, expiry_seconds=HOUR)}
    retained = (KeptMessage(None, "a", b"", EPOCH, expiry_seconds=HOUR), KeptMessage(None, "b", b"x", EPOCH))
    session = KeptSession("lamp", 4, HOUR, EPOCH + HOUR)
    restore(gateway.broker.sessions, persistence, RememberedSessions((session,), messages, retained))
    restored = gateway.broker.sessions.by_client_id["lamp"]
    assert restored.expires_at == LOOP + HOUR - passed
    assert [message.since for message in restored.stored or ()] == [LOOP - passed]
    kept, _ = gateway.broker.router.retained.on("b", LOOP)
    assert kept.since == LOOP - max(after, 0.0), "what is retained for good may be of any age"
