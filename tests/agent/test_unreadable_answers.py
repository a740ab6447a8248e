"""An answer that cannot be read ends in a rejection with the reason, and the next job is done: never in a wedge.

The service here writes bytes, and the device is everything but a connection: runner, messages and core.
"""

from collections.abc import Callable

import pytest

from agent.device_events import AnswerUnreadable
from agent.messages import LONGEST_PAYLOAD
from tests.agent.offline import played
from tests.agent.spoiling import NOW, Job, Service, nested

DOCUMENTS = [
    pytest.param(nested(250), "nested more than 200 deep", id="nested too deeply"),
    pytest.param(nested(30_000), "nested more than 200 deep", id="nested far too deeply"),
    pytest.param('{"operation":"update","version":1e999}', "a number that is too large", id="an infinite number"),
    pytest.param('{"operation":"update","x":' + "9" * 5000 + "}", "a number of 5000 digits", id="5,000 digits"),
    pytest.param('{"operation":"update","x":NaN}', "NaN is no number", id="no number"),
    pytest.param('{"operation":"run","operation":"update"}', "a member twice: 'operation'", id="a member twice"),
    pytest.param('{"operation":"update","x":"\\ud800"}', "half of a surrogate pair", id="half a surrogate pair"),
    pytest.param('{"operation":"update","x":tru}', "no JSON", id="no JSON"),
    pytest.param('{"operation":"update","x":[}]}', "no JSON", id="brackets that do not pair"),
    pytest.param("[1]", "no JSON object", id="a list"),
]


@pytest.mark.parametrize("namespace_id", [None, "lab"])
@pytest.mark.parametrize(("document", "reason"), DOCUMENTS)
async def test_a_document_that_cannot_be_read_is_rejected_with_the_reason_and_the_next_job_is_begun(
    document: str, reason: str, namespace_id: str | None
):
    bad = Job("bad", document)
    device = await played(namespace_id, Service(bad, Job("good")))
    assert bad.status == "REJECTED"
    assert reason in bad.details["reason"]
    assert bad.details["cause"] == "malformed-document"
    assert device.bench.begun[0] == "good"


def without(name: str) -> Callable[[str], bytes]:
    """A member of the execution that is nonsense."""
    return lambda text: text.replace(f'"{name}": ', f'"{name}": tru', 1).encode()


SPOILT = [
    pytest.param(lambda text: text.encode().replace(b'"2.0"', b'"\xff"'), "not UTF-8", id="bytes that are not UTF-8"),
    pytest.param(lambda text: text[:-3].encode(), "cannot be read", id="cut off in the document"),
    pytest.param(lambda text: text[:80].encode(), "cannot be read", id="cut off in the identity"),
    pytest.param(without("status"), "", id="a status that is none"),
    pytest.param(
        lambda text: text.replace('"statusDetails": {', '"statusDetails": {"a":7,').encode(), "", id="details"
    ),
    pytest.param(lambda text: text.replace(f'"queuedAt": {NOW}', '"queuedAt": 1e999').encode(), "", id="queuedAt"),
    pytest.param(
        lambda text: text.replace('"executionNumber": 1', f'"executionNumber": {"9" * 5000}').encode(), "", id="number"
    ),
    pytest.param(lambda text: text.replace('"execution"', '"timestamp": "soon", "execution"').encode(), "", id="time"),
    pytest.param(lambda text: text.encode() + b" " * LONGEST_PAYLOAD, "at most", id="too long"),
    pytest.param(lambda text: b"", "", id="nothing"),
    pytest.param(lambda text: b"\xff" * 40, "", id="noise"),
]


@pytest.mark.parametrize("knows", ["by the list", "by a notification"])
@pytest.mark.parametrize("namespace_id", [None, "lab"])
@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
async def test_an_answer_that_cannot_be_read_keeps_nobody_waiting(
    spoil: Callable[[str], bytes], reason: str, namespace_id: str | None, knows: str
):
    bad = Job("bad", spoil=spoil)
    service = Service(bad, Job("good"), lists=knows == "by the list")
    device = await played(namespace_id, service, notified=not service.lists)
    assert bad.status == "REJECTED"
    assert reason in bad.details["reason"]
    assert device.bench.begun[0] == "good"
    assert [event for event in device.told if isinstance(event, AnswerUnreadable)] or "not UTF-8" in reason


async def test_an_identity_that_was_spoilt_too_is_rejected_under_the_one_that_the_list_has():
    bad = Job("bad", spoil=lambda text: text.replace('"bad"', '"bd"')[:-3].encode())
    device = await played(None, Service(bad, Job("good")))
    assert bad.status == "REJECTED"
    assert device.bench.begun[0] == "good"
