"""A local cloud that has much of everything: what `tests.bench.holds` measures."""

import asyncio
import itertools
import json
from typing import Any, Final, TypeAlias

from simulator.cloud.local import LocalCloud
from simulator.cloud.registry import Certificate, Link
from simulator.cloud.registry.records import JobTemplate

Given: TypeAlias = dict[str, Any]
ALLOW: Final = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
ONE: Final = "lone"
"""A certificate that nobody else has much to do with, and the beginning of other such names."""
MANY: Final = f"{1:064x}"
"""The certificate that every thing has."""


class Much:
    """So many things, all in one group, and a tenth as many of everything else. What is set up is not measured."""

    def __init__(self, cloud: LocalCloud, number: int) -> None:
        self._core = cloud.core
        self._settled = cloud._store.settled if cloud._store is not None else None
        self._account = cloud.accounts[0]
        self._plane = self._core.control_plane()
        self._numbers = itertools.count(1)
        self.number, self.few = number, number // 10

    def thing(self, number: int) -> str:
        """The name of one of the things."""
        return f"t-{number:06}"

    def arn(self, kind: str, name: str) -> str:
        """An ARN."""
        return self._account.arn(kind, name)

    def new(self, beginning: str) -> str:
        """A name that there was not before."""
        return f"{beginning}-{next(self._numbers)}"

    def do(self, operation: str, **given: Any) -> Given:
        """Carry out an operation, unmeasured."""
        return self._plane.call(operation, given)

    async def rest(self) -> None:
        """Wait until nothing is under way, and all is written down."""
        loop = asyncio.get_running_loop()
        while (tick := self._core._tick) is not None and tick.when() < loop.time() + 10:  # noqa: ASYNC110 - untold
            await asyncio.sleep(0.002)
        if self._settled is not None:
            await self._settled()

    def make(self) -> None:
        """Make all of it."""
        self.do("UpdateIndexingConfiguration", thingIndexingConfiguration={"thingIndexingMode": "REGISTRY"})
        self.do("CreateThingGroup", thingGroupName="all")
        for number in range(self.number):
            attributes = {"attributes": {"fw": str(number % 10), "serial": f"s{number}"}}
            self.do("CreateThing", thingName=self.thing(number), thingTypeName="pump", attributePayload=attributes)
            self.do("AddThingToThingGroup", thingName=self.thing(number), thingGroupName="all")
        self._make_groups()
        self._make_certificates()
        for number in range(self.few):
            self._core.registry.templates.put(f"m-{number}", JobTemplate(f"m-{number}", "", "{}", 0.0))
        self.do("CreateThing", thingName="busy")
        self.busy("busy")
        self.do("CreateJob", jobId="big", targets=[self.arn("thinggroup", "all")], document="{}")

    def _make_groups(self) -> None:
        """A hierarchy, with a thing in every group of it."""
        self.do("CreateThingGroup", thingGroupName="root")
        for number in range(self.few):
            parent = "root" if number < 30 else f"g-{number // 30 - 1}"
            self.do("CreateThingGroup", thingGroupName=f"g-{number}", parentGroupName=parent)
            self.do("AddThingToThingGroup", thingName=self.thing(number), thingGroupName=f"g-{number}")

    def _make_certificates(self) -> None:
        registry = self._core.registry
        for number in range(self.few):
            self.do("CreatePolicy", policyName=f"p-{number}", policyDocument=ALLOW)
        for number in range(self.number):
            self.certificate(f"{number + 1:064x}")
            registry.policies.targets.put(Link("p-0", f"cert/{number + 1:064x}"))
            registry.things.principals.put(Link(self.thing(number), f"cert/{MANY}", "NON_EXCLUSIVE_THING"))
            registry.things.principals.put(Link(self.thing(0), f"cert/{number + 1:064x}", "NON_EXCLUSIVE_THING"))

    def certificate(self, certificate_id: str) -> str:
        """Make one that nobody ever shows: its ARN."""
        made = Certificate(certificate_id, "", "INACTIVE", float(int(certificate_id[-8:], 16)), 0.0, 0.0, 0.0)
        self._core.registry.certificates.restore(made)
        return self.arn("cert", certificate_id)

    def busy(self, thing: str) -> str:
        """Have a thing have many jobs: its name."""
        for _ in range(self.few):
            self.do("CreateJob", jobId=self.new("j"), targets=[self.arn("thing", thing)], document="{}")
        return thing

    def job(self, target: str | None = None, **given: Any) -> str:
        """A job for a target, or for everything: its id."""
        name, targets = self.new("big"), [target or self.arn("thinggroup", "all")]
        self.do("CreateJob", jobId=name, targets=targets, document="{}", **given)
        return name

    def lone(self, **given: Any) -> str:
        """A thing more: its name."""
        name = self.new(ONE)
        self.do("CreateThing", thingName=name, **given)
        return name

    def group(self, members: int) -> str:
        """A group with members: its name."""
        name = self.new("group")
        self.do("CreateThingGroup", thingGroupName=name)
        for number in range(members):
            self._core.registry.groups.members.put(Link(self.thing(number), name))
        return name

    def dynamic(self, query: str, *, followed: bool = False) -> str:
        """A dynamic group, and perhaps a continuous job for it: its name."""
        name = self.new("dynamic")
        self.do("CreateDynamicThingGroup", thingGroupName=name, queryString=query)
        if followed:
            self.follow(name)
        return name

    def follow(self, group: str, jobs: int = 1) -> None:
        """Continuous jobs for a group."""
        target = self.arn("thinggroup", group)
        for _ in range(jobs):
            self.do("CreateJob", jobId=self.new("c"), targets=[target], document="{}", targetSelection="CONTINUOUS")
