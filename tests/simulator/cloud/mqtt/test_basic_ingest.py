"""Basic Ingest: what is published for a rule is accepted, and ends here."""

import pytest

from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.basic_ingest import counted, rule_of
from simulator.cloud.notices.refusals import Notice
from tests.fidelity.proofs import proves

from .packets import publish, subscribe
from .peers import VERSIONS, BareConnect, Connect, Jobs


@proves("basic-ingest-is-accepted", "basic-ingest-ends-here")
@VERSIONS
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("topic", ["$aws/rules/Building_1/floor/2", "$aws/rules/Building_1", "$aws/rules/Building_1/"])
async def test_what_is_for_a_rule_is_accepted_and_told_and_reaches_nobody(
    gateway: Gateway, peer: Connect, version, qos: int, topic: str
):
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    sender, watcher = await peer("sender", version), await peer("watcher", version)
    await watcher.subscribe("#", "$aws/+/Building_1/#", "floor/2")
    sender.client.publish(topic, b"{}", qos)
    assert await sender.next() == ("published", "Success")
    assert await sender.subscribe("still/there") == ["Granted QoS 1"]
    gateway.broker.publish("floor/1", b"last", 0)
    assert await watcher.next() == ("floor/1", b"last", 0)
    [notice] = told
    assert (notice.code, notice.action, notice.resource) == ("no-rules", "iot:Publish", "rule/Building_1")
    assert (notice.client_id, notice.address) == ("sender", "127.0.0.1")


@pytest.mark.parametrize(
    ("topic", "rule", "rest"),
    [
        ("$aws/rules/r/a/b", "r", "a/b"),
        ("$aws/rules/r/", "r", ""),
        ("$aws/rules/r", "r", ""),
        ("$aws/rules//a", None, "$aws/rules//a"),
        ("$aws/rules/a-b/c", None, "$aws/rules/a-b/c"),
        ("$aws/rules/", None, "$aws/rules/"),
        (f"$aws/rules/{'r' * 129}/a", None, f"$aws/rules/{'r' * 129}/a"),
        ("a/$aws/rules/r/b", None, "a/$aws/rules/r/b"),
    ],
)
def test_a_topic_names_its_rule(topic: str, rule: str | None, rest: str):
    assert (rule_of(topic), counted(topic)) == (rule, rest)


@proves("basic-ingest-prefix-does-not-count")
@pytest.mark.parametrize(
    ("topic", "is_taken"),
    [
        ("$aws/rules/r/1/2/3/4/5/6/7/8", True),
        ("$aws/rules/r/1/2/3/4/5/6/7/8/9", False),
        (f"$aws/rules/{'r' * 128}/{'x' * 256}", True),
        (f"$aws/rules/r/{'x' * 257}", False),
    ],
)
async def test_the_prefix_counts_neither_for_length_nor_for_slashes(bare: BareConnect, topic: str, is_taken: bool):
    client = await bare(5)
    client.send(publish(topic, qos=1))
    _, body = await client.packet()
    assert body[2:3] == (b"" if is_taken else bytes((Reason.TOPIC_NAME_INVALID,)))


@proves("nobody-subscribes-to-basic-ingest")
@pytest.mark.parametrize("filter_", ["$aws/rules/r/a", "$aws/rules/#", "$share/g/$aws/rules/+/a"])
@VERSIONS
async def test_a_subscription_to_it_ends_the_connection(service: Jobs, bare: BareConnect, version, filter_: str):
    client = await bare(int(version))
    client.send(subscribe(filter_, version=int(version)))
    assert await client.rest() == (bytes((0xE0, 1, Reason.TOPIC_FILTER_INVALID)) if version == 5 else b"")
    assert await service.gone.get() == ("dev", "CLIENT_ERROR")


async def test_nothing_is_retained_there(bare: BareConnect):
    client = await bare(5)
    client.send(publish("$aws/rules/r/a", qos=1, retain=1))
    assert (await client.packet())[1][2:3] == bytes((Reason.TOPIC_NAME_INVALID,))
