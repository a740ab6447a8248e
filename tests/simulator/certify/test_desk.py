"""The desk: what it makes, what it keeps, whom it lets in, and what it hands to those who judge."""

import asyncio
import json
import os
import stat
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import TCPConnector
from cryptography import x509

import simulator.certify.desk as desk_module
from agent.errors import InputError
from agent.values import JobDocument
from simulator.certify.arrival import Arrival
from simulator.certify.desk import Desk, DeskSettings
from simulator.certify.enrolment import policy_of
from simulator.certify.offer import topics_that_count
from simulator.certify.offer_text import offer_lines
from simulator.certify.standing import MOST_CLIENTS, MOST_SUBSCRIBES, Standing
from simulator.certs import make_certificates
from simulator.cloud.access.policies import LONGEST_DOCUMENT, parse
from simulator.cloud.arns import AccountRegion
from simulator.trace import ClientConnected, ClientDisconnected, ClientSubscribed, CloudEvent, Entry, RequestReceived
from tests.simulator.cloud.mqtt.peers import V5, VERSIONS

from .conftest import opened

JOBS = "$aws/things/pump-7/jobs"


# ── who comes in, and what he may do ──────────────────────────────────────────────────────────────────────────


@VERSIONS
async def test_a_device_asks_and_is_answered_with_what_was_offered(certs: Path, version: Any):
    async with opened(certs) as world:
        pump = await world.connect(version=version)
        assert await pump.subscribe(f"{JOBS}/notify-next", f"{JOBS}/+/get/+") == ["Granted QoS 1"] * 2
        pump.client.publish(f"{JOBS}/get", b'{"clientToken":"t"}')
        assert await pump.next() == ("published", "Success")
        topic, payload, _ = await pump.next()
        assert (topic, json.loads(payload)["clientToken"]) == (f"{JOBS}/get/accepted", "t")
        assert world.arrival.is_there


@pytest.mark.parametrize("name", ["x-amzn-mqtt-ca", "mqtt", "h2"])
async def test_a_device_may_name_mqtt_in_alpn_or_anything_that_is_not_http(certs: Path, name: str):
    async with opened(certs) as world:
        tls = world.tls()
        tls.set_alpn_protocols([name])
        pump = await world.connect(version=V5, tls=tls)
        assert await pump.subscribe(f"{JOBS}/notify") == ["Granted QoS 1"]


@VERSIONS
async def test_a_probe_hears_what_the_device_says_of_itself(certs: Path, version: Any):
    async with opened(certs) as world:
        pump = await world.connect(version=version)
        assert await pump.subscribe("dut/pump-7/#") == ["Granted QoS 1"]
        pump.client.publish("dut/pump-7/version", b"1.2", 1, retain=True)
        assert ("dut/pump-7/version", b"1.2", 1) in [await pump.next(), await pump.next()]


@pytest.mark.parametrize("name", ["pump-7", "pump-7-shadow", "pump-7@2", "pump-7#2"])
async def test_a_device_has_further_connections_by_ids_that_begin_with_its_own(certs: Path, name: str):
    async with opened(certs) as world:
        pump = await world.connect(name, V5)
        assert await pump.subscribe(f"{JOBS}/notify") == ["Granted QoS 1"]


@pytest.mark.parametrize("name", ["pump-8", "pump-77", "pump", "*", "other"])
async def test_nobody_else_comes_in_by_its_certificate(certs: Path, name: str):
    async with opened(certs) as world:
        visitor = await world.visit(name, V5)
        assert await visitor.next() == ("connected", False, "Not authorized")


TOPICS = [
    ("$aws/things/pump-8/jobs/notify", False),
    ("$aws/things/pump-7/shadow/get/accepted", False),
    ("$aws/things/+/jobs/notify", False),
    ("dut/pump-8/version", False),
    ("#", False),
    ("$aws/things/pump-7/jobs/#", True),
    ("$aws/things/pump-7/jobs/notify-namespace-greengrass", True),
    ("$aws/things/pump-7/jobs/+/namespace-greengrass/update/+", True),
]


@pytest.mark.parametrize(("topic", "is_allowed"), TOPICS)
async def test_the_policy_is_for_its_own_jobs_and_probes(certs: Path, topic: str, is_allowed: bool):
    async with opened(certs) as world:
        pump = await world.connect(version=V5)
        assert await pump.subscribe(topic) == ["Granted QoS 1" if is_allowed else "Not authorized"]


async def test_what_a_device_needs_besides_can_be_allowed(certs: Path):
    async with opened(certs, allow=("telemetry/#", "cmd/+/pump-7")) as world:
        pump = await world.connect(version=V5)
        assert await pump.subscribe("telemetry/#", "cmd/+/pump-7", "other") == [
            *["Granted QoS 1"] * 2,
            "Not authorized",
        ]


async def test_it_asks_over_http_with_the_same_certificate(certs: Path):
    async with opened(certs) as world, aiohttp.ClientSession(connector=TCPConnector(ssl=world.tls())) as http:
        base = f"https://127.0.0.1:{world.desk.offer.data_port}/things"
        async with http.get(f"{base}/pump-7/jobs") as answer:
            assert (answer.status, await answer.json()) == (200, {"inProgressJobs": [], "queuedJobs": []})
        assert world.arrival.is_there
        assert world.arrival.says() == "asked over HTTP (get-pending)"
        async with http.get(f"{base}/pump-8/jobs") as answer:
            assert answer.status == 403


async def test_the_port_without_tls_is_closed_until_asked_for(certs: Path):
    async with opened(certs) as world:
        assert world.desk.offer.mqtt_port is None
        assert "mqtt_port" not in world.desk.offer.placeholders()
    async with opened(certs, mqtt_port=0) as world:
        await world.connect("anybody", plain=True)


def test_the_policy_is_small_enough_for_aws_and_is_one():
    document = policy_of(AccountRegion())
    assert len(parse(document)) == 5
    assert len(document) <= LONGEST_DOCUMENT


async def test_more_topics_than_a_policy_has_room_for_are_refused(certs: Path):
    with pytest.raises(InputError, match="--allow-topic topic-0 …: a policy has at most 2048 characters"):
        async with opened(certs, allow=tuple(f"topic-{number}" for number in range(60))):
            pytest.fail("it opened")


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_certificates_are_made_once_and_kept(tmp_path: Path):
    settings = DeskSettings("lamp", tmp_path / "new")
    async with Desk(settings) as desk:
        first = desk.offer.cert.read_bytes()
        assert stat.S_IMODE(desk.offer.key.stat().st_mode) == 0o600
        assert desk.offer.ca == (tmp_path / "new" / "ca.pem").absolute()
    async with Desk(settings) as desk:
        assert desk.offer.cert.read_bytes() == first


OPENS = """
import asyncio, sys
from pathlib import Path
from simulator.certify.arrival import Arrival
from simulator.certify.desk import Desk, DeskSettings

async def main():
    async with Desk(DeskSettings(sys.argv[2], Path(sys.argv[1]))) as desk:
        print(desk.offer.ca.read_text())

asyncio.run(main())
"""


async def test_desks_that_open_at_once_share_one_ca(tmp_path: Path):
    begun = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", OPENS, str(tmp_path / "certs"), name), stdout=asyncio.subprocess.PIPE
        )
        for name in ("lamp", "lamp", "pump")
    ]
    told = [(await each.communicate())[0] for each in begun]
    assert [each.returncode for each in begun] == [0, 0, 0]
    assert len(set(told)) == 1
    assert b"BEGIN CERTIFICATE" in told[0]


async def test_a_directory_that_cannot_be_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"^--certs .*file: cannot be used: File exists$"):
        async with Desk(DeskSettings("lamp", tmp_path / "file")):
            pytest.fail("it opened")


def _without_key(directory: Path) -> None:
    (directory / "lamp.key").unlink()


def _no_certificate(directory: Path) -> None:
    (directory / "lamp.pem").write_text("nonsense")


def _of_another_ca(directory: Path) -> None:
    make_certificates(directory / "elsewhere", ["lamp"])
    os.replace(directory / "elsewhere" / "lamp.pem", directory / "lamp.pem")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_without_key, "lamp.key: missing beside its certificate; remove "),
        (_no_certificate, "lamp.pem: no certificate of the CA beside it, ca.pem; remove "),
        (_of_another_ca, "lamp.pem: no certificate of the CA beside it, ca.pem; remove "),
    ],
)
async def test_a_certificate_that_nobody_could_use_is_named_before_anything_starts(
    tmp_path: Path, spoil: Any, why: str
):
    make_certificates(tmp_path, ["lamp"])
    spoil(tmp_path)
    with pytest.raises(InputError, match=why):
        async with Desk(DeskSettings("lamp", tmp_path)):
            pytest.fail("it opened")


async def test_an_expired_certificate_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(UTC) + timedelta(days=365 * 11)

    make_certificates(tmp_path, ["lamp"])
    monkeypatch.setattr(desk_module, "datetime", Later)
    with pytest.raises(InputError, match="it has expired"):
        async with Desk(DeskSettings("lamp", tmp_path)):
            pytest.fail("it opened")


@pytest.mark.parametrize("namespace_id", ["", "a/b", "+", "x" * 65])
async def test_a_namespace_that_no_name_can_be_is_refused(certs: Path, namespace_id: str):
    with pytest.raises(InputError, match=r"^--namespace-id .*: 1 to 64 of"):
        async with opened(certs, namespace_id=namespace_id):
            pytest.fail("it opened")


async def test_a_thing_that_no_name_can_be_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="a thing name is 1 to 128"):
        async with Desk(DeskSettings("a lamp", tmp_path)):
            pytest.fail("it opened")


@pytest.mark.parametrize("option", ["host", "address"])
async def test_what_is_no_address_is_told_by_its_option(tmp_path: Path, option: str):
    with pytest.raises(InputError, match=f"^--{option} a lamp: neither a host name nor an address"):
        async with Desk(replace(DeskSettings("lamp", tmp_path), **{option: "a lamp"})):
            pytest.fail("it opened")


# ── being reached ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_on_the_network_the_certificate_names_the_address_by_which_a_device_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(desk_module, "_reached_at", lambda host: "198.51.100.9")
    files = tmp_path / "files"
    (files / "bucket").mkdir(parents=True)
    # Bound to loopback all the same: this test is nobody's business on the network.
    settings = DeskSettings("lamp", tmp_path / "certs", host="127.0.0.1", files=files)
    async with Desk(settings) as desk:
        assert desk.offer.host == "198.51.100.9"
        assert desk.offer.api_url.startswith("http://198.51.100.9:")
        server = x509.load_pem_x509_certificate((tmp_path / "certs" / "server.pem").read_bytes())
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "198.51.100.9" in [str(each) for each in names.get_values_for_type(x509.IPAddress)]
        presign = desk.cloud.core.jobs.presign
        assert presign is not None
        url = "https://s3.amazonaws.com/bucket/a.bin"
        document = presign(JobDocument(f'{{"u":"${{aws:iot:s3-presigned-url:{url}}}"}}'), 0.0, 60)
        assert f'"{desk.offer.api_url}/-/files/bucket/a.bin' in document.text
        assert "reached from  the network, at 198.51.100.9" in offer_lines(desk.offer)[-1]


class _Ways:
    """A socket that only chooses a way."""

    def __init__(self, mine: str | None) -> None:
        self._mine = mine

    def __enter__(self) -> "_Ways":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def connect(self, where: tuple[str, int]) -> None:
        assert where[0] in ("192.0.2.1", "2001:db8::1")
        if self._mine is None:
            raise OSError(101, "Network is unreachable")

    def getsockname(self) -> tuple[str | None, int]:
        return self._mine, 40000


@pytest.mark.parametrize(
    ("host", "mine", "reached"),
    [
        ("0.0.0.0", "198.51.100.9", "198.51.100.9"),
        ("::", "2001:db8::9", "2001:db8::9"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("lab.example", None, "lab.example"),
    ],
)
def test_who_listens_everywhere_is_reached_by_the_address_that_leads_out(
    monkeypatch: pytest.MonkeyPatch, host: str, mine: str | None, reached: str
):
    monkeypatch.setattr(desk_module.socket, "socket", lambda *_: _Ways(mine))
    assert desk_module._reached_at(host) == reached


def test_a_machine_without_a_network_says_that_an_address_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(desk_module.socket, "socket", lambda *_: _Ways(None))
    with pytest.raises(InputError, match="this machine has no address on a network; give one with --address"):
        desk_module._reached_at("0.0.0.0")


def test_elsewhere_than_on_loopback_the_control_plane_wants_a_key_that_nobody_has(tmp_path: Path):
    private = desk_module._cloud_settings(DeskSettings("lamp", tmp_path), "127.0.0.1")
    public = desk_module._cloud_settings(DeskSettings("lamp", tmp_path, host="192.0.2.7"), "192.0.2.7")
    assert not private.access_keys
    assert len(public.access_keys[0][1]) > 30


# ── what is told ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_judge_that_comes_later_is_told_of_what_lasts(certs: Path):
    async with opened(certs, mqtt_port=0) as world:
        await world.connect("somebody", plain=True)
        pump = await world.connect()
        await pump.subscribe(f"{JOBS}/notify")
        standing = world.desk.standing()
        assert [each.event for each in standing] == [
            ClientConnected("pump-7"),
            ClientSubscribed("pump-7", (f"{JOBS}/notify",)),
        ]
        assert set(standing) <= set(world.entries)
        later = Arrival(world.desk.offer)
        for entry in standing:
            later.feed(entry)
        assert (later.is_there, later.says()) == (True, world.arrival.says())
        pump.client.disconnect()
        await world.until(lambda: any(isinstance(each.event, ClientDisconnected) for each in world.entries))
        assert world.desk.standing() == ()


PASSING: tuple[CloudEvent, ...] = tuple(
    event
    for number in range(MOST_CLIENTS)
    for event in (ClientConnected(f"pump-7-{number}"), ClientDisconnected(f"pump-7-{number}", "CONNECTION_LOST"))
)
"""Of a device that connects anew, by another id, for each message."""
CAME, WENT = ClientConnected("pump-7"), ClientDisconnected("pump-7", "CONNECTION_LOST")
NOTIFIED = ClientSubscribed("pump-7", ("$aws/things/pump-7/jobs/notify-namespace-gg",))
AGAIN, LISTENS = ClientConnected("pump-7", session_present=True), ClientSubscribed("pump-7", ("a",))


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ((CAME, LISTENS), (0, 1)),
        ((CAME, LISTENS, WENT), ()),
        ((CAME, LISTENS, WENT, CAME), (3,)),
        ((CAME, LISTENS, WENT, AGAIN), (1, 3)),
        ((CAME, LISTENS, CAME), (2,)),
        ((CAME, LISTENS, LISTENS), (0, 1, 2)),
        ((LISTENS,), ()),
        ((ClientConnected("pump-8"), ClientSubscribed("pump-8", ("a",))), ()),
        ((CAME, ClientConnected("pump-7-2"), WENT), (1,)),
        ((CAME, LISTENS, *PASSING), (0, 1)),
        ((CAME, NOTIFIED, *[LISTENS] * MOST_SUBSCRIBES, LISTENS), (0, 1, *range(3, MOST_SUBSCRIBES + 3))),
    ],
)
def test_what_lasts_of_a_session_stands(told: tuple[CloudEvent, ...], stands: tuple[int, ...]):
    standing, entries = Standing("pump-7"), [Entry("cloud", n, n / 10, event) for n, event in enumerate(told)]
    for entry in entries:
        standing.feed(entry)
    assert standing.entries() == tuple(entries[n] for n in stands)


async def test_who_stops_listening_hears_no_more_and_who_fails_stops_nobody(certs: Path):
    heard: list[Entry] = []

    def fails(entry: Entry) -> None:
        raise RuntimeError("a fault of ours")

    async with opened(certs) as world:
        stops = [world.desk.listen(sink) for sink in (fails, heard.append, heard.append)]
        stops[1]()
        stops[1]()
        await world.connect()
        came = [each.event for each in heard if isinstance(each.event, ClientConnected)]
        assert came == [ClientConnected("pump-7")]
        stops[2]()
        before = len(heard)
        world.desk.cloud.core.device_api.connected("pump-7", False)
        assert len(heard) == before


async def test_a_flood_of_connections_is_not_remembered(certs: Path):
    async with opened(certs) as world:
        for number in range(1000):
            world.desk.cloud.core.device_api.connected(f"pump-7-{number}", False)
        for _ in range(1000):
            world.desk.cloud.core.device_api._observe(ClientSubscribed("pump-7-999", ("a",)))
        assert len(world.desk.standing()) == MOST_CLIENTS + MOST_SUBSCRIBES


async def test_jobs_are_made_by_its_hand(certs: Path):
    async with opened(certs) as world, world.desk.hand() as hand:
        pump = await world.connect()
        await pump.subscribe(f"{JOBS}/notify-next")
        await hand.create_thing("pump-7")
        arn = world.desk.cloud.core.backing().account.arn("thing", "pump-7")
        await hand.call("CreateJob", jobId="fw-1", targets=[arn], document='{"v":1}')
        topic, payload, _ = await pump.next()
        assert (topic, json.loads(payload)["execution"]["jobId"]) == (f"{JOBS}/notify-next", "fw-1")
        pump.client.publish(f"{JOBS}/$next/get", b"{}")
        await world.until(lambda: any(isinstance(each.event, RequestReceived) for each in world.entries))


# ── what is printed ───────────────────────────────────────────────────────────────────────────────────────────


async def test_the_offer_is_told_to_people_and_to_scripts(certs: Path):
    async with opened(certs) as world:
        offer, lines = world.desk.offer, offer_lines(world.desk.offer)
        assert lines[0] == "thing         pump-7"
        assert (
            f"MQTT          127.0.0.1 port {offer.mqtts_port}, TLS with the certificate below, MQTT 3.1.1 or 5" in lines
        )
        assert f"certificate   {certs / 'pump-7.pem'}" in lines
        assert lines[-1] == "reached from  this machine only; for a device on the network add --host 0.0.0.0"
        told = json.loads(json.dumps(offer.as_json()))
        assert (told["port"], told["ca"], told["mqtt_port"]) == (offer.mqtts_port, str(certs / "ca.pem"), None)
        assert told["topics"] == list(offer.topics)


def test_the_topics_that_count_are_of_the_namespace():
    assert topics_that_count("t", None) == (
        "$aws/things/t/jobs/notify",
        "$aws/things/t/jobs/notify-next",
        "$aws/things/t/jobs/get",
        "$aws/things/t/jobs/start-next",
        "$aws/things/t/jobs/JOB-ID/get",
        "$aws/things/t/jobs/JOB-ID/update",
    )
    assert topics_that_count("t", "gg") == (
        "$aws/things/t/jobs/notify-namespace-gg",
        "$aws/things/t/jobs/notify-next-namespace-gg",
        "$aws/things/t/jobs/JOB-ID/namespace-gg/get",
        "$aws/things/t/jobs/JOB-ID/namespace-gg/update",
    )
