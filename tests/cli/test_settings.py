"""`ghostjob cloud --settings`: whatever `--fidelity` lists can be set there, and whoever uses the cloud sees it.

The table has a row for each setting: what it is set to, and what somebody meets who looks at it. Where the row says so,
the same look at a cloud without the setting meets something else.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cli.fidelity import place
from simulator.cloud.fidelity import CLAIMS
from tests.simulator.cloud.mqtt.packets import connect, publish, subscribe, text
from tests.simulator.cloud.mqtt.peers import WAIT

from .served import Served, options, served, served_by_the_command

Look = Callable[[Served], Awaitable[object]]
GONE: Final = "ResourceNotFound"
MANY: Final = 86_400
"""Seconds: more than any test lasts."""
LATER: Final = object()
"""Nobody waits to see what a cloud without the setting does."""
URL: Final = "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/bucket/image}"
PRESIGNED: Final = {"roleArn": "arn:aws:iam::000000000000:role/files", "expiresInSec": 60}


@dataclass(frozen=True)
class Row:
    """`sees` is what `look` returns where the setting has the value, `instead` where it is not set.

    `beside` are settings of both clouds; `instead_of`: the value of the other one, where that is not the default.
    """

    value: object
    look: Look
    sees: object
    instead: object
    beside: dict[str, Any] = field(default_factory=dict)
    instead_of: object = None


# ── deletion ──────────────────────────────────────────────────────────────────────────────────────────────────


async def the_job_after_its_deletion(c: Served) -> object:
    await c.job()
    await c.delete()
    return await c.status()


async def describe_after_the_deletion(c: Served) -> object:
    await c.job()
    device = await c.device()
    await device.subscribe("$aws/things/t/jobs/+/get/+")
    await c.delete()
    told = await device.ask("fw/get")
    return told.get("code", "told")


async def a_second_deletion(c: Served) -> object:
    await c.job()
    await c.delete()
    return await c.delete()


async def another_deletion_meanwhile(c: Served) -> object:
    await c.job("a")
    await c.job("b")
    await c.delete("a")
    return await c.delete("b")


async def a_cancellation_after_the_deletion(c: Served) -> object:
    await c.job()
    await c.delete()
    return (await c.ask("PUT /jobs/fw/cancel")).error


async def a_deletion_in_another_namespace(c: Served) -> object:
    await c.job(namespaceId="lab")
    return await c.delete(query="&namespaceId=other")


async def deleting_a_queued_execution(c: Served) -> object:
    await c.job()
    return (await c.ask("DELETE /things/t/jobs/fw/executionNumber/1")).error


# ── notifications ─────────────────────────────────────────────────────────────────────────────────────────────


async def _heard_of_a_job_in(c: Served, namespace_id: str) -> dict[str, Any]:
    device = await c.device()
    await device.subscribe("$aws/things/t/jobs/#")
    await c.job("b", namespaceId=namespace_id)
    below = len("$aws/things/t/jobs/")
    return {topic[below:]: payload for topic, payload in await device.heard()}


async def notify_next_behind_another_namespace(c: Served) -> object:
    await c.job("a")
    return "notify-next-namespace-lab" in await _heard_of_a_job_in(c, "lab")


async def whether_the_documented_topic_is_used(c: Served) -> object:
    return "b/notify-namespace-lab/" in await _heard_of_a_job_in(c, "lab")


async def what_the_documented_topic_tells(c: Served) -> object:
    told = (await _heard_of_a_job_in(c, "lab"))["b/notify-namespace-lab/"]
    return sorted(set(told) - {"timestamp"})


async def a_job_in_a_namespace_of_aws(c: Served) -> object:
    return await c.job(namespaceId="aws-mine")


async def how_many_are_listed(c: Served) -> object:
    for number in range(3):
        await c.job(f"j{number}")
    return len((await c.as_device("GET /things/t/jobs")).body["queuedJobs"])


async def how_many_are_listed_in_a_window(c: Served) -> object:
    began = datetime.now(UTC) - timedelta(minutes=2)
    window = {"startTime": f"cron({began.minute} {began.hour} ? * * *)", "durationInMinutes": 1430}
    for number in range(3):
        assert await c.job(f"j{number}", schedulingConfig={"maintenanceWindows": [window]}) is None
    return len((await c.as_device("GET /things/t/jobs")).body["queuedJobs"])


# ── devices ───────────────────────────────────────────────────────────────────────────────────────────────────


async def _update(c: Served, body: dict[str, Any]) -> object:
    await c.job()
    device = await c.device()
    await device.subscribe("$aws/things/t/jobs/fw/update/+")
    return (await device.ask("fw/update", body)).get("code")


async def a_status_that_only_the_service_sets(c: Served) -> object:
    return await _update(c, {"status": "TIMED_OUT"})


async def two_details(c: Served) -> object:
    return await _update(c, {"status": "IN_PROGRESS", "statusDetails": {"a": "1", "b": "2"}})


async def a_detail_of_six_characters(c: Served) -> object:
    return await _update(c, {"status": "IN_PROGRESS", "statusDetails": {"a": "123456"}})


async def three_reads_at_once(c: Served) -> object:
    await c.job()
    answers = [await c.as_device("GET /things/t/jobs/fw") for _ in range(5)]
    return any(answer.error == "Throttling" for answer in answers)


async def seconds_until_a_timeout(c: Served) -> object:
    await c.job(timeoutConfig={"inProgressTimeoutInMinutes": 1})
    before = datetime.now(UTC).timestamp()
    await c.as_device("PUT /things/t/jobs/$next")
    assert c.local is not None, "looked at from within: nobody waits for a minute"
    due = c.local.core.jobs.next_due()
    assert due is not None, "a timer runs"
    return round((due - before) / 3600)


async def the_execution_of_a_thing_that_was_deleted(c: Served) -> object:
    await c.job()
    await c.ask("DELETE /things/t")
    told = await c.ask("GET /jobs/fw/things")
    return told.body["executionSummaries"][0]["jobExecutionSummary"]["status"]


async def an_update_with_a_wrong_version(c: Served) -> object:
    await c.job()
    return (await c.as_device("POST /things/t/jobs/fw", {"status": "IN_PROGRESS", "expectedVersion": 9})).error


# ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def a_job_for_two_things(c: Served) -> object:
    return await c.job(things=("a", "b"))


async def a_job_with_a_long_document(c: Served) -> object:
    return await c.job(document='{"a":"0123456789"}')


async def a_job_with_a_deep_document(c: Served) -> object:
    return await c.job(document='{"a":[{}]}')


async def a_second_job(c: Served) -> object:
    await c.job("a")
    return await c.job("b")


async def how_many_are_queued_at_first(c: Served) -> object:
    await c.job(things=("a", "b", "c"), jobExecutionsRolloutConfig={"maximumPerMinute": 1000})
    return (await c.ask("GET /jobs/fw")).body["job"]["jobProcessDetails"]["numberOfQueuedThings"]


async def a_job_that_starts_in_ten_minutes(c: Served) -> object:
    start = f"{datetime.now(UTC) + timedelta(minutes=10):%Y-%m-%d %H:%M}"
    return await c.job(schedulingConfig={"startTime": start})


async def a_job_with_a_retry(c: Served) -> object:
    return await c.job(jobExecutionsRetryConfig={"criteriaList": [{"failureType": "FAILED", "numberOfRetries": 1}]})


async def a_job_with_a_placeholder(c: Served) -> object:
    return await c.job(document=json.dumps({"url": URL}), presignedUrlConfig=PRESIGNED)


# ── the control plane ─────────────────────────────────────────────────────────────────────────────────────────


async def an_operation_again_and_again(c: Served) -> object:
    return any([(await c.ask("POST /things/t")).error == "Throttling" for _ in range(5)])


async def how_many_of_three_things_are_listed(c: Served) -> object:
    await c.job(things=("a", "b", "c"))
    return len((await c.ask("GET /things")).body["things"])


async def the_jobs_endpoint(c: Served) -> object:
    return (await c.ask("GET /endpoint?endpointType=iot:Jobs")).error


# ── the gateway ───────────────────────────────────────────────────────────────────────────────────────────────


async def the_connack_of_version_5(c: Served) -> object:
    """Asks for a keep-alive of 60 s and a session of 7200 s."""
    bare = await c.bare(version=5, properties=b"\x05\x11" + (7200).to_bytes(4, "big"))
    _, body = await bare.packet()
    return [int.from_bytes(body.partition(mark)[2][:size], "big") for mark, size in ((b"\x13", 2), (b"\x11", 4))]


async def how_many_wait_for_a_client_that_comes_back(c: Served) -> object:
    device = await c.device(flags=0)
    await device.subscribe("news", qos=1)
    device.bare.send(b"\xe0\0")
    await device.bare.rest()
    for number in range(13):
        assert (await c.ask("POST /topics/news?qos=1", {"n": number})).status == 200
    return len(await (await c.device(flags=0)).heard())


async def a_message_that_is_not_acknowledged(c: Served) -> object:
    device = await c.device()
    await device.subscribe("news", qos=1)
    await c.ask("POST /topics/news?qos=1")
    first, again = await device.bare.packet(), await device.bare.packet()
    return (first[0] | 8) == again[0] and first[1] == again[1]


async def _is_ended_by(c: Served, *raw: bytes) -> bool:
    device = await c.device()
    device.bare.send(*raw, b"\xc0\0")
    try:
        while (await device.bare.packet())[0] != 0xD0:
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        return True
    return False


async def eleven_bytes_of_payload(c: Served) -> object:
    return await _is_ended_by(c, publish("a", b"x" * 11, 4))


async def two_filters_in_a_request(c: Served) -> object:
    return await _is_ended_by(c, subscribe("a", "b", version=4))


async def fifty_one_subscriptions(c: Served) -> object:
    return await _is_ended_by(c, *(subscribe(str(number), version=4) for number in range(51)))


async def how_many_of_three_messages_at_once_arrive(c: Served) -> object:
    device = await c.device()
    await device.subscribe("a")
    other = await c.bare("other")
    other.send(*[publish("a", b"1", 4)] * 3, b"\xc0\0")
    while (await other.packet())[0] != 0xD0:
        pass
    return len(await device.heard())


async def connecting_again_at_once(c: Served) -> object:
    await c.device()
    return (await (await c.bare()).packet())[1][1]


async def _granted(c: Served, *filters: str) -> object:
    """What the SUBACK says to the last of clients that subscribe to a filter each: the QoS; 0x80: refused."""
    code = None
    for number, text_ in enumerate(filters):
        device = await c.device(f"member-{number}")
        device.bare.send(subscribe(text_, version=4, options=0))
        code = (await device.bare.packet())[1][-1]
    return code


async def a_second_member_of_a_shared_subscription(c: Served) -> object:
    return await _granted(c, "$share/g/a", "$share/g/a")


async def a_second_shared_subscription(c: Served) -> object:
    return await _granted(c, "$share/g/a", "$share/h/a")


async def a_websocket(c: Served) -> object:
    async with c.http.ws_connect(f"{c.endpoints['api']}/mqtt", protocols=("mqtt",)) as socket:
        await socket.send_bytes(connect(4, rest=text("dev")))
        assert (await socket.receive_bytes(timeout=WAIT))[0] == 0x20
        return (await socket.receive(timeout=WAIT)).type


async def somebody_connects(c: Served) -> object:
    device = await c.device()
    await device.subscribe("$aws/events/presence/connected/+")
    await c.device("other")
    return len(await device.heard())


async def a_certificate_of_our_own(c: Served) -> object:
    assert c.certs is not None, "made for this"
    tls = client_context(c.certs / "ca.pem", c.certs / "t.pem", c.certs / "t.key")
    await c.ask("POST /things/t")
    url = f"{c.endpoints['data']}/things/t/jobs".replace("127.0.0.1", "localhost")
    async with c.http.get(url, ssl=tls) as response:
        return response.status


QUICK: Final = {"deletion_seconds_per_execution": 0}
STRETCHED: Final = {"removal_delay_seconds": MANY}
READS: Final = {"while_deleting": "reads-answer"}
ROWS: Final[dict[str, Row]] = {
    "cloud.deletion_seconds": Row(0, the_job_after_its_deletion, None, "DELETION_IN_PROGRESS", QUICK),
    "cloud.deletion_seconds_per_execution": Row(
        MANY, the_job_after_its_deletion, "DELETION_IN_PROGRESS", None, {"deletion_seconds": 0}, instead_of=0
    ),
    "cloud.removal_delay_seconds": Row(MANY, describe_after_the_deletion, "told", GONE, READS),
    "cloud.removal_delays": Row({"f*": MANY}, describe_after_the_deletion, "told", GONE, READS),
    "cloud.while_deleting": Row("terminal", describe_after_the_deletion, "TerminalStateReached", GONE, STRETCHED),
    "cloud.stale_reads_seconds": Row(MANY, describe_after_the_deletion, "told", GONE),
    "cloud.deletions_at_once": Row(1, another_deletion_meanwhile, "LimitExceeded", None),
    "cloud.deleting_again": Row("InvalidRequest", a_second_deletion, "InvalidRequest", "InvalidStateTransition"),
    "cloud.cancelling_deleted": Row(
        "LimitExceeded", a_cancellation_after_the_deletion, "LimitExceeded", "InvalidRequest"
    ),
    "cloud.wrong_namespace": Row("InvalidRequest", a_deletion_in_another_namespace, "InvalidRequest", GONE),
    "cloud.queued_deletion_needs_force": Row(True, deleting_a_queued_execution, "InvalidStateTransition", None),
    "cloud.head_across_namespaces": Row(False, notify_next_behind_another_namespace, True, False),
    "cloud.documented_notify": Row("none", whether_the_documented_topic_is_used, False, True),
    "cloud.documented_payload": Row("next", what_the_documented_topic_tells, ["execution"], ["jobs"]),
    "cloud.aws_namespaces_reserved": Row(False, a_job_in_a_namespace_of_aws, None, "InvalidRequest"),
    "cloud.pending_listed": Row(2, how_many_are_listed, 2, 3),
    "cloud.pending_listed_in_window": Row(2, how_many_are_listed_in_a_window, 2, 3, {"pending_listed": 1}),
    "cloud.forbidden_status": Row(
        "InvalidRequest", a_status_that_only_the_service_sets, "InvalidRequest", "InvalidStateTransition"
    ),
    "cloud.details": Row(1, two_details, "InvalidRequest", None),
    "cloud.detail_length": Row(5, a_detail_of_six_characters, "InvalidRequest", None),
    "cloud.requests_per_second": Row(1, three_reads_at_once, True, False),
    "cloud.timeouts_late_seconds": Row(7200, seconds_until_a_timeout, 2, 0),
    "cloud.deleted_thing": Row("stays", the_execution_of_a_thing_that_was_deleted, "QUEUED", "REMOVED"),
    "cloud.targets": Row(1, a_job_for_two_things, "LimitExceeded", None),
    "cloud.document_bytes": Row(10, a_job_with_a_long_document, "LimitExceeded", None),
    "cloud.document_depth": Row(2, a_job_with_a_deep_document, "InvalidRequest", None),
    "cloud.active_jobs": Row(1, a_second_job, "LimitExceeded", None),
    "cloud.rollout_per_minute": Row(2, how_many_are_queued_at_first, 2, 3),
    "cloud.schedule_lead_seconds": Row(60, a_job_that_starts_in_ten_minutes, None, "InvalidRequest"),
    "cloud.retries": Row(0, a_job_with_a_retry, "InvalidRequest", None),
    "cloud.placeholders": Row(0, a_job_with_a_placeholder, "InvalidRequest", None),
    "http.operations_per_second": Row(1, an_operation_again_and_again, True, False),
    "http.page_size": Row(2, how_many_of_three_things_are_listed, 2, 3),
    "http.jobs_endpoint": Row("served", the_jobs_endpoint, None, "InvalidRequest"),
    "http.version_mismatch_over_http": Row(
        "InvalidStateTransitionException", an_update_with_a_wrong_version, "InvalidStateTransition", "InvalidRequest"
    ),
    "gateway.shortest_keep_alive": Row(90, the_connack_of_version_5, [90, 3600], [60, 3600]),
    "gateway.persistent_seconds": Row(1800, the_connack_of_version_5, [60, 1800], [60, 3600]),
    "gateway.replay_per_second": Row(
        None, how_many_wait_for_a_client_that_comes_back, 13, 10, {"connects_per_second": None}
    ),
    "gateway.redelivery_seconds": Row(0.1, a_message_that_is_not_acknowledged, True, LATER),
    "gateway.largest_payload": Row(10, eleven_bytes_of_payload, True, False),
    "gateway.filters_a_request": Row(1, two_filters_in_a_request, True, False),
    "gateway.too_many_subscriptions": Row("close", fifty_one_subscriptions, True, False),
    "gateway.shared_group_members": Row(1, a_second_member_of_a_shared_subscription, 0x80, 0),
    "gateway.shared_groups": Row(1, a_second_shared_subscription, 0x80, 0),
    "gateway.publishes_per_second": Row(2, how_many_of_three_messages_at_once_arrive, 2, 3),
    "gateway.connects_per_second": Row(None, connecting_again_at_once, 0, 3),
    "gateway.websocket_seconds": Row(0.1, a_websocket, aiohttp.WSMsgType.CLOSE, LATER),
    "gateway.lifecycle_events": Row(False, somebody_connects, 0, 1),
    "gateway.own_certificates": Row("unknown", a_certificate_of_our_own, 400, 200),
}


def test_every_setting_that_fidelity_lists_has_a_row():
    assert sorted(ROWS) == sorted({place(claim.setting) for claim in CLAIMS if claim.setting is not None})


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["t"])
    return directory


@pytest.mark.parametrize("name", ROWS)
async def test_a_setting_from_the_command_line_has_its_effect(name: str, certs: Path):
    part, _, setting = name.partition(".")
    row = ROWS[name]
    args = ("--certs", str(certs), "--data-port", "0") if row.look is a_certificate_of_our_own else ()
    async with served({part: {**row.beside, setting: row.value}}, *args) as cloud:
        assert await row.look(cloud) == row.sees
    if row.instead is LATER:
        return
    other = {} if row.instead_of is None else {setting: row.instead_of}
    async with served({part: {**row.beside, **other}}, *args) as cloud:
        assert await row.look(cloud) == row.instead, "the setting makes the difference"


@pytest.mark.parametrize(
    ("args", "seconds", "per_execution"),
    [
        pytest.param((), 3, 0.001, id="neither: the default"),
        pytest.param(("--settings", '{"cloud": {"deletion_seconds": 30}}'), 30, 0.001, id="the setting alone"),
        pytest.param(("--deletion-seconds", "4"), 4, 0, id="the option alone: however many the executions"),
        pytest.param(
            ("--deletion-seconds", "3", "--settings", '{"cloud": {"deletion_seconds": 30}}'), 3, 0, id="the option wins"
        ),
    ],
)
def test_an_option_overrides_a_setting_only_if_it_was_given(
    args: tuple[str, ...], seconds: float, per_execution: float
):
    jobs = options(*args).cloud
    assert (jobs.deletion_seconds, jobs.deletion_seconds_per_execution) == (seconds, per_execution)


TOGETHER: Final = ("cloud.document_bytes", "cloud.while_deleting", "http.jobs_endpoint", "gateway.largest_payload")
"""Settings that do not disturb each other."""


async def test_the_command_itself_goes_by_its_settings():
    """A process of its own; the tests above make the cloud of the same command line in this one."""
    settings: dict[str, dict[str, Any]] = {"cloud": STRETCHED, "gateway": {"connects_per_second": None}, "http": {}}
    for name in TOGETHER:
        part, _, setting = name.partition(".")
        settings[part] = {**settings[part], setting: ROWS[name].value}
    async with served_by_the_command(settings) as cloud:
        for name in TOGETHER:
            assert await ROWS[name].look(cloud) == ROWS[name].sees, name
