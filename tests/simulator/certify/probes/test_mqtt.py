"""A topic as a probe: a real client publishes, and the cloud in this process is overheard."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import paho.mqtt.client as mqtt

from simulator.certify.probes import Sample, probe_of
from simulator.certify.probes.sample import told, unsampled
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.simulator.certify.probes.bench import THING, AnOffer, Kept, sampling_of

TOPIC = f"dut/{THING}/version"
Publish = Callable[..., None]


@asynccontextmanager
async def cloud_and_device() -> AsyncIterator[tuple[LocalCloud, Callable[..., "asyncio.Future[None]"]]]:
    settings = CloudSettings(api_port=None, mqtt_port=0, mqtts_port=None, data_port=None)
    async with LocalCloud(settings) as cloud:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=THING)
        port = int((cloud.endpoints["mqtt"] or "").rpartition(":")[2])
        await asyncio.to_thread(client.connect, "127.0.0.1", port)
        client.loop_start()

        def publish(payload: str | bytes, *, retain: bool = False) -> "asyncio.Future[None]":
            info = client.publish(TOPIC, payload, qos=1, retain=retain)
            return asyncio.ensure_future(asyncio.to_thread(info.wait_for_publish, 10))

        try:
            yield cloud, publish
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)


async def test_each_version_that_is_published_counts_also_one_that_is_taken_back_at_once():
    kept = Kept()
    async with cloud_and_device() as (cloud, publish):
        probe = probe_of("mqtt:dut/{thing}/version", AnOffer(), cloud.overhear)
        async with sampling_of([probe], kept) as sampling:
            assert (await sampling.now()).alive is None
            await asyncio.gather(*(publish(version) for version in ("1.0", "2.0", "1.0")))
            assert sampling.last == Sample(True, "1.0")
    assert kept.versions == ["1.0", "2.0", "1.0"]
    assert {sample.not_before for sample in kept.samples} == {None}


async def test_what_is_retained_tells_a_version_and_no_life():
    kept = Kept()
    async with cloud_and_device() as (cloud, publish):
        await publish('{"fw": "2.0"}', retain=True)
        probe = probe_of(f"mqtt:{TOPIC}#/fw", AnOffer(), cloud.overhear)
        async with sampling_of([probe], kept) as sampling:
            retained = Sample(None, "2.0", f"{TOPIC} was retained: said before anybody listened")
            assert await sampling.now() == retained
            await publish('{"fw": "2.0"}')
            assert sampling.last == Sample(True, "2.0")
    assert [sample.alive for sample in kept.samples] == [None, True]


async def test_garbage_is_no_version_and_an_empty_message_says_nothing():
    kept = Kept()
    async with (
        cloud_and_device() as (cloud, publish),
        sampling_of([probe_of(f"mqtt:{TOPIC}", AnOffer(), cloud.overhear)], kept),
    ):
        await publish(b"\xff" * 100_000)
        await publish(b"")
    assert kept.versions == [None, None]
    assert [sample.alive for sample in kept.samples] == [True, None]


async def test_nobody_is_heard_once_the_probe_is_closed():
    async with cloud_and_device() as (cloud, publish):
        probe = probe_of(f"mqtt:{TOPIC}", AnOffer(), cloud.overhear)
        async with sampling_of([probe], Kept()):
            await publish("1.0")
        await publish("2.0")
        assert await probe.sample() == told(b"1.0")
        assert not cloud._gateway.broker.router.overheard


async def test_before_anything_is_published_nothing_is_known():
    async with cloud_and_device() as (cloud, _):
        probe = probe_of(f"mqtt:{TOPIC}", AnOffer(), cloud.overhear)
        assert await probe.sample() == unsampled(f"nothing was published on {TOPIC} yet")
