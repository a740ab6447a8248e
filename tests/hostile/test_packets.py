"""The packet fuzz in short, with a fixed seed; `python -m tests.hostile packets` is the long form."""

from random import Random

import pytest

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.codec import decode, frame
from simulator.cloud.mqtt.packets import V5, V311, Malformed
from tests.hostile import packets
from tests.hostile.carriers import PINGREQ
from tests.hostile.mutations import CARRIERS, case
from tests.hostile.packets_of_clients import KINDS
from tests.hostile.report import Bounds
from tests.hostile.victim import victim
from tests.simulator.cloud.mqtt.direct import Direct, broker_without_loop, turns_out

COUNT = 3000
FROM_SERVERS_ONLY = "a subscription identifier from a client"
FROM_CLIENTS = ("CONNECT", "PUBLISH", "PUBACK", "SUBSCRIBE", "UNSUBSCRIBE", "PINGREQ", "DISCONNECT")


async def test_mutated_packets_are_answered_or_closed_and_leave_nothing_behind():
    report = await packets.fuzz(Bounds(seed=1, count=COUNT, seconds=60))
    assert report.findings == []
    assert report.tried >= COUNT


def test_mutated_packets_meet_no_fault_in_the_broker_alone(monkeypatch: pytest.MonkeyPatch):
    """The same cases without a socket: each is answered, or ends its connection, before the next."""
    faults: list[str] = []
    for module in ("contained", "mqtt.broker"):
        monkeypatch.setattr(f"simulator.cloud.{module}.tell_fault", lambda during, error: faults.append(str(error)))
    broker = broker_without_loop(settings=GatewaySettings(connects_per_second=None, persistent_seconds=1))
    for number in range(COUNT):
        made, client = case(1, number, ("plain",)), Direct(broker)
        for segment in (*made.segments, PINGREQ):
            broker.receive(client.client, segment, float(number))
        broker.lost(client.client, float(number))
        client.hear()
        assert not faults, made
        assert client.client not in broker.clients, made
    broker.sweep(COUNT + 100.0)
    turns_out(broker)
    assert not broker.sessions.by_client_id


def test_what_is_mutated_is_valid_before():
    for version in (V311, V5):
        for kind in FROM_CLIENTS:
            read, refused = 0, set[str]()
            for seed in range(50):
                raw = KINDS[kind](Random(seed), version).encoded()
                found = frame(raw, 0, 1 << 20)
                assert found is not None
                first, start, end = found
                assert end == len(raw)
                try:
                    decode(first, raw[start:end], version)
                    read += 1
                except Malformed as error:
                    refused.add(str(error))
            assert read >= 20, f"{kind} of version {version}"
            assert refused <= {"QoS 2", "a will of QoS 2", "a subscription identifier", FROM_SERVERS_ONLY}


def test_a_case_is_the_same_again_for_the_same_seed_and_number():
    cases = [case(7, number) for number in range(500)]
    assert cases == [case(7, number) for number in range(500)]
    assert cases != [case(8, number) for number in range(500)]
    assert {each.carrier for each in cases} == set(CARRIERS)
    assert {kind for each in cases for kind in each.kinds} == set(KINDS)


async def test_the_probe_sees_how_long_the_loop_is_held():
    async with victim() as cloud:
        await cloud.read()
        body = {"targets": ["arn:aws:iot:us-east-1:000000000000:thing/t"], "document": '{"a":[' + "1," * 15_000 + "1]}"}
        await cloud.call("POST", "/things/t")
        await cloud.call("PUT", "/jobs/long", body)
        found = await cloud.read(collect=True)
    assert 0 < found.held_cpu_ms <= found.held_ms
    assert found.beats > 0
    assert found.resident_kib > 10_000
    assert found.descriptors > 5
    assert cloud.findings == []
