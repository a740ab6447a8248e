"""What a device of the fleet sends while it deals with what came: all of it, in order, and at once."""

import asyncio

import pytest

from agent.transports.endpoint import Endpoint
from agent.values import GetPending
from simulator.cloud.mqtt.encode import connack_bytes, puback_bytes, publish_bytes, suback_bytes
from simulator.cloud.mqtt.packets import V5
from simulator.engines.mqtt_connections import MqttConnections
from tests.agent.transports.peers import Heard, OurFleet, serving
from tests.within import within

FILTERS = ("$aws/things/dev/jobs/notify",)


class Asking(Heard):
    """Asks twice about each message, and then, if that says so, loses its power."""

    def on_message(self, topic: str, payload: bytes) -> None:
        self.transport.send(GetPending(f"first-{payload.decode()}"))
        self.transport.send(GetPending(f"second-{payload.decode()}"))
        if payload == b"cut":
            self.transport.cut()


async def sent_after(*messages: bytes) -> bytes:
    """What a gateway reads that has sent these with QoS 1, in one piece, up to the end: the last of them cuts."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(connack_bytes(V5, False, 0))
        await reader.read(4096)
        writer.write(suback_bytes(1, V5, [1]))
        await connected.wait()
        numbered = enumerate(messages, 1)
        writer.write(b"".join(publish_bytes("t", each, 1, number, False, V5) for number, each in numbered))
        read.set_result(await reader.read())

    connected, read = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with MqttConnections(lambda _: Endpoint("127.0.0.1", 1), 1) as connections, serving(serve) as port:
        heard = Asking()
        heard.transport = OurFleet(connections).transport("dev", Endpoint("127.0.0.1", port), FILTERS)
        heard.transport.start(heard)
        await heard.next()
        connected.set()
        got: bytes = await within(read, 20)
        await heard.transport.stop()
        return got


@pytest.mark.parametrize("before", [(), (b"a",), (b"a", b"b")])
async def test_what_was_sent_before_the_power_went_arrives_and_nothing_after_it(before: tuple[bytes, ...]):
    got = await sent_after(*before, b"cut", b"never")
    asked = [f"{which}-{each.decode()}".encode() for each in (*before, b"cut") for which in ("first", "second")]
    places = [got.index(each) for each in asked]
    assert places == sorted(places)
    assert b"never" not in got
    acknowledged = [number for number in range(1, 9) if puback_bytes(number, V5) in got]
    assert acknowledged == [*range(1, len(before) + 1)], "the power went before the last one was"
