"""The packet fuzz in short, with a fixed seed; `python -m tests.hostile packets` is the long form."""

from random import Random

from simulator.cloud.mqtt.codec import decode, frame
from simulator.cloud.mqtt.packets import V5, V311, Malformed
from tests.hostile import packets
from tests.hostile.mutations import CARRIERS, case
from tests.hostile.packets_of_clients import KINDS
from tests.hostile.report import Bounds
from tests.hostile.victim import victim

COUNT = 3000
FROM_SERVERS_ONLY = "a subscription identifier from a client"
FROM_CLIENTS = ("CONNECT", "PUBLISH", "PUBACK", "SUBSCRIBE", "UNSUBSCRIBE", "PINGREQ", "DISCONNECT")


async def test_mutated_packets_are_answered_or_closed_and_leave_nothing_behind():
    report = await packets.fuzz(Bounds(seed=1, count=COUNT, seconds=60))
    assert report.findings == []
    assert report.tried >= COUNT


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
