"""What let a session's device in, removed from its account: certificate, policy and thing, and the files here.

AWS wants an order, and time: a certificate goes once it is inactive and detached, which may take some seconds to get
about, a policy up to five minutes after it was detached (API Reference, DetachThingPrincipal, DeletePolicy). What is
refused keeps nothing from being removed that does not hang on it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from agent.errors import InputError
from simulator.certify.aws.ledger import NOT_FOUND, SESSION_TAG, Ledger, Ledgered
from simulator.certs import public_key
from simulator.controller.hand import Refused

SETTLING_SECONDS: Final = 330.0
"""How long what was detached may still count as attached."""
UNSETTLED: Final = frozenset({"DeleteConflictException", "CertificateStateException", "InvalidRequestException"})
SKEW_SECONDS: Final = 900.0
"""By how much the service's clock may differ: what is signed by one that differs by more is refused."""


@dataclass(slots=True)
class Removal:
    """Through `asked`, of what stands in `ledger`; `say` hears what is waited for. `whys` is what was refused."""

    asked: Ledgered
    ledger: Ledger
    say: Callable[[str], None]
    again_seconds: float
    began_at: float
    """Epoch second at which the session began."""
    whys: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """What is left stands in the ledger."""
        ledger = self.ledger
        if ledger.stray_key is not None:
            await self._strays(ledger.stray_key)
        if (principal := ledger.principal) is not None and await self._certificate(principal):
            ledger.principal = None
        policy = ledger.policy if ledger.principal is None else None
        if policy is not None and await self._done("DeletePolicy", policyName=policy):
            ledger.policy = None
        if not ledger.attached and ledger.thing is not None and await self._thing(ledger.thing):
            ledger.thing = None
        if ledger.principal is None:
            for path in tuple(ledger.files):
                path.unlink(missing_ok=True)
                ledger.files.remove(path)

    async def _certificate(self, principal: str) -> bool:
        """Whether it is gone; if it cannot be removed, it is at least of no use any more."""
        ledger, certificate_id = self.ledger, principal.rpartition("/")[2]
        for thing in tuple(ledger.attached):
            if await self._done("DetachThingPrincipal", thingName=thing, principal=principal):
                ledger.attached.remove(thing)
        policy = ledger.policy
        is_free = policy is None or await self._done("DetachPolicy", policyName=policy, target=principal)
        is_inactive = await self._done("UpdateCertificate", certificateId=certificate_id, newStatus="INACTIVE")
        is_ready = is_inactive and is_free and not ledger.attached
        return is_ready and await self._done("DeleteCertificate", certificateId=certificate_id)

    async def _thing(self, thing: str) -> bool:
        """Whether it is gone; one of that name which somebody else made is left alone."""
        try:
            told = await self.asked.make("DescribeThing", thingName=thing)
        except (Refused, InputError) as error:
            return self._failed(error)
        if told.get("attributes", {}).get(SESSION_TAG) != self.ledger.session:
            return True
        return await self._done("DeleteThing", thingName=thing)

    async def _strays(self, key: bytes) -> None:
        """Certificates that were made, and of which no answer told: they have our key."""
        try:
            listed = (await self.asked.make("ListCertificates", pageSize=250, ascendingOrder=False))["certificates"]
            recent = [each for each in listed if each["creationDate"] > self.began_at - SKEW_SECONDS]
            for each in recent:
                if each["certificateArn"] != self.ledger.principal and await self._has(each["certificateId"], key):
                    which = {"certificateId": each["certificateId"]}
                    await self.asked.make("UpdateCertificate", newStatus="INACTIVE", **which)
                    await self.asked.make("DeleteCertificate", **which)
        except (Refused, InputError) as error:
            self._failed(error)
        else:
            self.ledger.stray_key = None

    async def _has(self, certificate_id: str, key: bytes) -> bool:
        told = await self.asked.make("DescribeCertificate", certificateId=certificate_id)
        return public_key(told["certificateDescription"]["certificatePem"]) == key

    async def _done(self, operation: str, **parameters: str) -> bool:
        """Whether it is so now. What only takes time is waited for."""
        until = time.monotonic() + SETTLING_SECONDS
        while True:
            try:
                await self.asked.make(operation, **parameters)
            except Refused as refused:
                if refused.code == NOT_FOUND:
                    return True
                if refused.code not in UNSETTLED or time.monotonic() > until:
                    return self._failed(refused)
                self.say(f"waits until the service does {operation}: {refused}")
            except InputError as error:
                return self._failed(error)
            else:
                return True
            await asyncio.sleep(self.again_seconds)

    def _failed(self, error: Exception) -> bool:
        self.whys.append(str(error))
        return False
