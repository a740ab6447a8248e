"""Shared subscriptions: of a group one member gets each message, and none is lost while somebody is to have it."""

import asyncio
from collections import Counter
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.mqtt.packets import Reason
from simulator.cloud.mqtt.session import MOST_QUEUED, Session
from simulator.cloud.mqtt.shared_subscriptions import SharedSubscriptions, split
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Notice
from tests.fidelity.proofs import proves
from tests.within import within

from .packets import connect, publish, subscribe, text
from .peers import V5, VERSIONS, WAIT, Bare, BareConnect, Connect, Jobs

GRANTED = ["Granted QoS 1"]
PING, PONG = b"\xc0\0", (0xD0, b"")
LASTING = b"\x05\x11\0\0\x0e\x10"
"""CONNECT properties: a session that lasts an hour."""


@pytest.fixture
def settings() -> GatewaySettings:
    return GatewaySettings(connects_per_second=None, publishes_per_second=None, payload_per_second=None)


async def group_of(peer: Connect, *names: str, version: Any = V5, text: str = "$share/g/a") -> list[Any]:
    members = [await peer(name, version) for name in names]
    for member in members:
        assert await member.subscribe(text) == GRANTED
    return members


async def heard_by(gateway: Gateway, members: list[Any], topic: str, count: int, qos: int = 1) -> list[list[int]]:
    """What each member gets of so many messages, published in turn; a last one tells each that it has all."""
    for number in range(count):
        gateway.broker.publish(topic, b"%d" % number, qos)
    heard: list[list[int]] = []
    for member in members:
        member.client.publish("$aws/ask/now", b"end", 0)
        heard.append([])
        while (event := await member.next())[1] != b"end":
            if event[0] != "published":
                heard[-1].append(int(event[1]))
    return heard


@proves("shared-messages-go-to-one-member")
@VERSIONS
@pytest.mark.parametrize("qos", [0, 1])
async def test_one_member_gets_each_message_and_each_member_some(gateway: Gateway, peer: Connect, version, qos: int):
    members = await group_of(peer, "one", "two", "three", version=version)
    heard = await heard_by(gateway, members, "a", 60, qos)
    assert sorted(number for each in heard for number in each) == list(range(60))
    assert all(len(each) > 5 for each in heard), "at random, which the seed makes the same each time"


async def test_which_member_gets_it_depends_on_the_seed_alone(service: Jobs, peer: Connect, gateway: Gateway):
    members = await group_of(peer, "one", "two")
    rng = Random(0)
    expected = [rng.choice([0, 1]) for _ in range(20)]
    heard = await heard_by(gateway, members, "a", 20)
    assert heard == [[number for number, who in enumerate(expected) if who == each] for each in (0, 1)]


@proves("shared-messages-go-to-one-member")
async def test_each_group_and_each_ordinary_subscription_gets_a_copy(gateway: Gateway, peer: Connect):
    first = await group_of(peer, "f1", "f2", text="$share/first/a/+")
    second = await group_of(peer, "s1", "s2", text="$share/second/a/#")
    alone = await group_of(peer, "alone", text="a/b")
    heard = await heard_by(gateway, [*first, *second, *alone], "a/b", 20)
    for own in (heard[:2], heard[2:4], heard[4:]):
        assert sorted(number for each in own for number in each) == list(range(20))


async def test_who_is_in_a_group_and_subscribed_as_well_gets_both(gateway: Gateway, peer: Connect):
    [both] = await group_of(peer, "both")
    await both.subscribe("a")
    assert sorted((await heard_by(gateway, [both], "a", 3))[0]) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("filter_", "is_valid"),
    [
        ("$share/g/a", True),
        ("$share/g/#", True),
        ("$share/g//", True),
        ("$share/g/$aws/events/#", True),
        (f"$share/{'n' * 128}/{'1/2/3/4/5/6/7/8'.ljust(256, 'x')}", True),
        ("$share/g/1/2/3/4/5/6/7/8", True),
        ("$share/g/1/2/3/4/5/6/7/8/9", False),
        (f"$share/g/{'x' * 257}", False),
        (f"$share/{'n' * 129}/a", False),
        ("$share//a", False),
        ("$share/g", False),
        ("$share/g/", False),
        ("$share/+/a", False),
        ("$share/g#/a", False),
        ("$share/g/a#", False),
    ],
)
@proves("share-names-have-rules")
async def test_a_share_name_and_its_filter_have_rules(bare: BareConnect, filter_: str, is_valid: bool):
    client = await bare(5)
    client.send(subscribe(filter_))
    assert (await client.packet())[1][-1] == (1 if is_valid else Reason.TOPIC_FILTER_INVALID)


@given(st.text(), st.text())
def test_what_is_split_can_be_put_together_again(name: str, filter_: str):
    parts = split(f"$share/{name}/{filter_}")
    if parts is not None:
        assert f"{parts.prefix}{parts.filter}" == f"$share/{name}/{filter_}"
        assert 1 <= len(parts.name) <= 128
        assert not set("/+#") & set(parts.name)


@proves("shared-subscriptions-get-nothing-retained")
@VERSIONS
async def test_a_shared_subscription_fetches_nothing_retained(gateway: Gateway, peer: Connect, version):
    sender = await peer("sender", version)
    sender.client.publish("a", b"kept", 1, retain=True)
    await sender.next()
    [member] = await group_of(peer, "one", version=version)
    assert await heard_by(gateway, [member], "a", 2) == [[0, 1]]
    assert await member.subscribe("a") == GRANTED
    assert await member.next() == ("a", b"kept", 1), "an ordinary one does"


async def test_no_local_on_a_shared_subscription_is_a_protocol_error(bare: BareConnect):
    client = await bare(5)
    client.send(subscribe("$share/g/a", options=0x05))
    assert await client.rest() == bytes((0xE0, 1, Reason.PROTOCOL_ERROR))


@VERSIONS
async def test_nobody_publishes_to_a_shared_subscription(peer: Connect, version):
    client = await peer("dev", version)
    client.client.publish("$share/g/a", b"x", 0)
    assert [(await client.next())[0] for _ in range(2)][-1] == "disconnected"


@pytest.mark.parametrize("settings", [GatewaySettings(shared_group_members=2, shared_groups=1)])
@proves("shared-subscriptions-have-quotas", "shared-subscription-groups-have-a-quota")
async def test_groups_and_their_members_are_bounded_where_that_is_set(peer: Connect, gateway: Gateway):
    one, two = await peer("one", V5), await peer("two", V5)
    assert [await each.subscribe("$share/g/a") for each in (one, two, one)] == [GRANTED] * 3
    three = await peer("three", V5)
    assert await three.subscribe("$share/g/a", "$share/h/a", "a") == ["Quota exceeded", "Quota exceeded", *GRANTED]


# ── who is away ───────────────────────────────────────────────────────────────────────────────────────────────


async def member(bare: BareConnect, name: str, *, lasts: bool = True, text: str = "$share/g/a") -> Bare:
    client = await bare(5, name, properties=LASTING if lasts else b"\0", flags=2)
    client.send(subscribe(text))
    assert (await client.packet())[0] == 0x90
    return client


async def gets(client: Bare) -> list[int]:
    """The numbers of what came and is not acknowledged, until the gateway has said all that it has to."""
    client.send(PING)
    heard = []
    while (packet := await client.packet()) != PONG:
        assert packet[0] & 0xF0 == 0x30
        heard.append(int(packet[1][6:]))
    return heard


async def lose(service: Jobs, client: Bare) -> None:
    client.close()
    await within(service.gone.get(), WAIT)


@proves("shared-messages-go-on-to-another-member")
@pytest.mark.parametrize("lasts", [True, False], ids=["a session that lasts", "one that does not"])
async def test_what_a_member_does_not_acknowledge_goes_to_another(
    gateway: Gateway, service: Jobs, bare: BareConnect, lasts: bool
):
    one = await member(bare, "one", lasts=lasts)
    gateway.broker.publish("a", b"1")
    gateway.broker.publish("a", b"2", 0)
    one.send(PING)
    assert [first for first, _ in [await one.packet() for _ in range(3)]] == [0x32, 0x30, 0xD0]
    two = await member(bare, "two", lasts=False)
    await lose(service, one)
    assert await gets(two) == [1], "and what was sent with QoS 0 is lost"


@proves("shared-messages-wait-for-sessions-that-last", "who-is-back-first-gets-what-waited")
async def test_what_comes_while_all_are_away_waits_and_goes_to_who_is_back_first(
    gateway: Gateway, service: Jobs, bare: BareConnect
):
    for each in (await member(bare, "one"), await member(bare, "two")):
        await lose(service, each)
    for number in (1, 2, 3):
        gateway.broker.publish("a", b"%d" % number)
    gateway.broker.publish("a", b"4", 0)
    two = await bare(5, "two", properties=LASTING, flags=0)
    assert await gets(two) == [1, 2, 3]
    one = await bare(5, "one", properties=LASTING, flags=0)
    assert await gets(one) == []


@proves("who-is-back-first-gets-what-waited")
async def test_what_waits_comes_at_the_pace_of_a_replay(gateway: Gateway, service: Jobs, bare: BareConnect):
    gateway.broker.context.settings = GatewaySettings(replay_per_second=2, connects_per_second=None)
    await lose(service, await member(bare, "one"))
    for number in range(5):
        gateway.broker.publish("a", b"%d" % number)
    one = await bare(5, "one", properties=LASTING, flags=0)
    assert await gets(one) == [0, 1]
    gateway.broker.sweep(gateway.broker.context.now + 1)
    assert await gets(one) == [2, 3]


@proves("shared-messages-wait-for-sessions-that-last")
async def test_nothing_waits_for_members_whose_sessions_do_not_last(gateway: Gateway, service: Jobs, bare: BareConnect):
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    one = await member(bare, "one", lasts=False)
    gateway.broker.publish("a", b"1")
    assert await gets(one) == [1]
    await lose(service, one)
    assert not gateway.broker.router.sharing.groups.by_text
    [notice] = told
    assert (notice.code, notice.resource, notice.client_id) == ("nobody-left", "topic/a", "$share/g/a")


@proves("who-is-back-first-gets-what-waited")
async def test_what_waits_is_gone_with_the_last_session(gateway: Gateway, service: Jobs, bare: BareConnect):
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    await lose(service, await member(bare, "one"))
    gateway.broker.publish("a", b"1")
    gateway.broker.sweep(gateway.broker.context.now + 3601)
    assert not gateway.broker.router.sharing.groups.by_text
    assert [(notice.code, notice.client_id) for notice in told] == [("nobody-left", "$share/g/a")]
    again = await member(bare, "one")
    assert await gets(again) == []


async def test_a_member_that_takes_nothing_more_is_passed_over(gateway: Gateway, bare: BareConnect):
    slow, quick = await member(bare, "slow"), await member(bare, "quick")
    [session] = [each for each in gateway.broker.sessions.by_client_id.values() if each.client_id == "slow"]
    session.in_flight_limit = 1
    for number in range(4):
        gateway.broker.publish("a", b"%d" % number)
    assert (len(await gets(slow)), len(await gets(quick))) == (1, 3)


async def test_what_waits_is_bounded_and_told(gateway: Gateway, service: Jobs, bare: BareConnect):
    told: list[Notice] = []
    gateway.broker.context.tell = told.append
    await lose(service, await member(bare, "one"))
    for _ in range(MOST_QUEUED + 1):
        gateway.broker.publish("a", b"1")
    assert [(notice.code, notice.client_id) for notice in told] == [("queue-full", "$share/g/a")]


async def test_an_expired_message_is_not_given_on(gateway: Gateway, service: Jobs, bare: BareConnect):
    await lose(service, await member(bare, "one"))
    sender = await bare(5, "sender")
    sender.send(publish("a", b"1", qos=1, more=b"\x02\0\0\0\x05"), publish("a", b"2", qos=1))
    assert [(await sender.packet())[0] for _ in range(2)] == [0x40, 0x40]
    gateway.broker.sweep(gateway.broker.context.now + 10)
    one = await bare(5, "one", properties=LASTING, flags=0)
    assert await gets(one) == [2]


async def test_who_leaves_a_group_gets_nothing_more(gateway: Gateway, bare: BareConnect):
    one, two = await member(bare, "one"), await member(bare, "two")
    one.send(b"\xa2\x0f\0\x09\0" + text("$share/g/a"))
    assert (await one.packet())[0] == 0xB0
    for number in range(3):
        gateway.broker.publish("a", b"%d" % number)
    assert (await gets(one), await gets(two)) == ([], [0, 1, 2])


# ── whatever happens ──────────────────────────────────────────────────────────────────────────────────────────

STORY = st.lists(
    st.sampled_from(["publish", "publish", "acknowledge 0", "acknowledge 1", "lose 0", "lose 1", "back 0", "back 1"]),
    max_size=25,
)


async def _none_is_lost(story: list[str]) -> None:
    """Two members whose sessions last come, go, and acknowledge or not; at the end both are there and acknowledge."""
    service = Jobs()
    gateway = Gateway(service, GatewaySettings(connects_per_second=None, replay_per_second=None), rng=Random(0))
    port, acknowledged, published = await gateway.listen("127.0.0.1", 0), Counter[int](), 0
    members: dict[str, Bare | None] = {"0": None, "1": None}

    async def back(name: str) -> None:
        if members[name] is None:
            made = Bare(*await asyncio.open_connection("127.0.0.1", port))
            made.send(connect(5, 0, LASTING, text(name)), subscribe("$share/g/a"))
            members[name] = made
            assert (await made.packet())[0] == 0x20
            early = []
            while (packet := await made.packet())[0] != 0x90:
                early.append(packet)
            unread[name] += early

    async def lost(name: str) -> None:
        client, members[name] = members[name], None
        if client is not None:
            unread[name].clear()
            client.close()
            await service.gone.get()

    async def acknowledge(name: str) -> None:
        client = members[name]
        if client is not None:
            client.send(PING)
            while (packet := await client.packet()) != PONG:
                unread[name].append(packet)
            for _, body in unread[name]:
                acknowledged[int(body[6:])] += 1
                client.send(b"\x40\x02" + body[3:5])
            unread[name].clear()
            client.send(PING)
            while (packet := await client.packet()) != PONG:
                unread[name].append(packet)

    unread: dict[str, list[tuple[int, bytes]]] = {"0": [], "1": []}
    try:
        for name in members:
            await back(name)
        for step in [*story, "back 0", "back 1"]:
            what, _, name = step.partition(" ")
            if what == "publish":
                gateway.broker.publish("a", b"%d" % published)
                published += 1
            else:
                await {"back": back, "lose": lost, "acknowledge": acknowledge}[what](name)
        for _ in range(3):
            gateway.broker.sweep(gateway.broker.context.now + 1)
            for name in members:
                await acknowledge(name)
        assert acknowledged == dict.fromkeys(range(published), 1)
    finally:
        for client in members.values():
            if client is not None:
                client.close()
        await gateway.close()


@hypothesis.settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STORY)
def test_every_message_is_acknowledged_by_exactly_one_member(story: list[str]):
    asyncio.run(within(_none_is_lost(story), WAIT))


def test_a_large_group_is_not_asked_whole_for_each_message():
    class Chances(Random):
        asked = 0

        def randrange(self, *args: int) -> int:  # type: ignore[override]
            self.asked += 1
            return super().randrange(*args)

    chances = Chances(0)
    groups, sessions = SharedSubscriptions(chances.randrange, 60), [Session(f"m{number}") for number in range(50)]
    for session in sessions:
        groups.add("$share/g/a", session, 1)
    group = groups.by_text.get("$share/g/a")
    assert group is not None
    first = Counter(next(groups.by_chance(group)).client_id for _ in range(5000))
    assert chances.asked == 5000, "one member each"
    assert len(first) == 50
    assert max(first.values()) < 200, "each as often as the others: 100 times"
    assert {session.client_id for session in groups.by_chance(group)} == {session.client_id for session in sessions}
