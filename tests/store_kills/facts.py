"""Small facts, each changed by one hand at a time: retained messages, things, groups, members, certificates, policies.

A fact has one value, or None where it is not there. What was answered last is what must be found after a death, or what
was asked after it and not answered.
"""

import asyncio
import base64
import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
"""The control plane: method, path, body; status and answer."""
GROUP: Final = "pumps"
POLICY: Final = "all"
DOCUMENT: Final = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'
GROUP_ARN: Final = f"arn:aws:iot:us-east-1:000000000000:thinggroup/{GROUP}"
RETAINED: Final = tuple(f"retained/{number}" for number in range(3))


@dataclass(slots=True)
class Fact:
    """`told` was answered; `asked` was not, and counts if `is_asked`."""

    told: str | None = None
    asked: str | None = None
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """How a fact is changed, from what it was to what it is to be, and how it is looked at."""

    change: Callable[[Call, str, str | None, str | None], Awaitable[int]]
    look: Callable[[Call, str], Awaitable[str | None]]
    values: tuple[str, ...] = ()
    """What it may be besides None; anything if there are none."""


async def set_up(call: Call) -> None:
    """What the facts are about, unless it is there."""
    assert (await call("POST", f"/thing-groups/{GROUP}"))[0] == 200
    assert (await call("POST", f"/policies/{POLICY}", {"policyDocument": DOCUMENT}))[0] in (200, 409)


async def _change_thing(call: Call, name: str, old: str | None, new: str | None) -> int:
    body = {"attributePayload": {"attributes": {"mood": new or ""}}}
    if new is None:
        return (await call("DELETE", f"/things/{name}"))[0]
    return (await call("POST" if old is None else "PATCH", f"/things/{name}", body))[0]


async def _look_at_thing(call: Call, name: str) -> str | None:
    status, answer = await call("GET", f"/things/{name}")
    return str(answer["attributes"]["mood"]) if status == 200 else None


async def _change_group(call: Call, name: str, old: str | None, new: str | None) -> int:
    body = {"thingGroupProperties": {"thingGroupDescription": new or ""}}
    if new is None:
        return (await call("DELETE", f"/thing-groups/{name}"))[0]
    return (await call("POST" if old is None else "PATCH", f"/thing-groups/{name}", body))[0]


async def _look_at_group(call: Call, name: str) -> str | None:
    status, answer = await call("GET", f"/thing-groups/{name}")
    return str(answer["thingGroupProperties"]["thingGroupDescription"]) if status == 200 else None


async def _change_member(call: Call, thing: str, _old: str | None, new: str | None) -> int:
    verb = "removeThingFromThingGroup" if new is None else "addThingToThingGroup"
    return (await call("PUT", f"/thing-groups/{verb}", {"thingGroupName": GROUP, "thingName": thing}))[0]


async def _look_at_member(call: Call, thing: str) -> str | None:
    _, answer = await call("GET", f"/thing-groups/{GROUP}/things")
    return "in" if thing in answer["things"] else None


async def _change_certificate(call: Call, _name: str, old: str | None, new: str | None) -> int:
    pem, certificate_id = certificate()
    if old is None:
        return (await call("POST", "/certificate/register-no-ca", {"certificatePem": pem, "status": new}))[0]
    if new is not None:
        return (await call("PUT", f"/certificates/{certificate_id}?newStatus={new}"))[0]
    if old == "ACTIVE":
        await call("PUT", f"/certificates/{certificate_id}?newStatus=INACTIVE")
    return (await call("DELETE", f"/certificates/{certificate_id}"))[0]


async def _look_at_certificate(call: Call, _name: str) -> str | None:
    status, answer = await call("GET", f"/certificates/{certificate()[1]}")
    return str(answer["certificateDescription"]["status"]) if status == 200 else None


async def _change_policy(call: Call, _name: str, _old: str | None, new: str | None) -> int:
    verb = "POST" if new is None else "PUT"
    return (await call(verb, f"/target-policies/{POLICY}", {"target": GROUP_ARN}))[0]


async def _look_at_policy(call: Call, _name: str) -> str | None:
    _, answer = await call("POST", f"/attached-policies/{quote(GROUP_ARN, safe='')}")
    return "attached" if answer["policies"] else None


async def _look_at_retained(call: Call, topic: str) -> str | None:
    status, answer = await call("GET", f"/retainedMessage/{quote(topic, safe='')}")
    return base64.b64decode(answer["payload"]).decode() if status == 200 else None


THING: Final = Hand(_change_thing, _look_at_thing)
THING_GROUP: Final = Hand(_change_group, _look_at_group)
MEMBER: Final = Hand(_change_member, _look_at_member, ("in",))
HANDS: Final = {
    "lamp-0": THING,
    "lamp-1": THING,
    "lamps-0": THING_GROUP,
    "lamps-1": THING_GROUP,
    "thing-0": MEMBER,
    "thing-1": MEMBER,
    "the certificate": Hand(_change_certificate, _look_at_certificate, ("ACTIVE", "INACTIVE")),
    "the policy": Hand(_change_policy, _look_at_policy, ("attached",)),
}
LOOKS: Final = {name: hand.look for name, hand in HANDS.items()} | dict.fromkeys(RETAINED, _look_at_retained)


@cache
def certificate() -> tuple[str, str]:
    """One for this process: its PEM and its id."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lamp")])
    begins = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + datetime.timedelta(3650)).sign(
        key, hashes.SHA256()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), made.fingerprint(hashes.SHA256()).hex()


async def work(call: Call, facts: dict[str, Fact], rng: Random) -> None:
    """Until the connection is lost: change one after the other."""
    await set_up(call)
    while True:
        name = rng.choice(tuple(HANDS))
        hand, fact = HANDS[name], facts.setdefault(name, Fact())
        values = hand.values or (rng.randbytes(4).hex(),)
        new = None if fact.told is not None and rng.random() < 0.3 else rng.choice(values)
        if new == fact.told:
            continue
        fact.asked, fact.is_asked = new, True
        status = await hand.change(call, name, fact.told, new)
        assert status == 200, f"{name}: {fact.told} to {new}: {status}"
        fact.told, fact.is_asked = new, False
        await asyncio.sleep(0.005)


async def problems(call: Call, facts: dict[str, Fact]) -> list[str]:
    """Facts that are not as they were told; what is found is told."""
    wrong: list[str] = []
    for name, fact in facts.items():
        found = await LOOKS[name](call, name)
        allowed = {fact.told, fact.asked} if fact.is_asked else {fact.told}
        if name == "the certificate" and fact.is_asked and fact.asked is None:
            allowed.add("INACTIVE")  # on its way to be deleted
        if found not in allowed:
            wrong.append(f"{name} is {found}, and was {' or '.join(map(str, allowed))}")
        fact.told, fact.is_asked = found, False
    return wrong
