"""One account in one region: its service, and the broker that its devices speak to. Nothing of it is another's.

    signature's region, and account          what answers
    the cloud's own, or no signature         the home tenant, which the MQTT ports and certificates lead to as well
    any others                               a tenant of their own, made when it is first spoken of

The account of an access key is the key's id, if that has the form of one (twelve digits); any other key is the cloud's
own account's. Other local AWS tools do the same (LocalStack, "Credentials").
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Final

from agent.log import get_logger
from simulator.cloud.access.signatures import ClaimedSignature, SignatureRefused
from simulator.cloud.api.wire import Refusal
from simulator.cloud.arns import ACCOUNT_ID, REGION, AccountRegion
from simulator.cloud.contained import contained
from simulator.cloud.core import CloudCore
from simulator.cloud.device_api.network import Network
from simulator.cloud.jobs import JobsSettings, Outcome
from simulator.cloud.mqtt.persistence import Persistence
from simulator.cloud.mqtt.restoring import restore
from simulator.cloud.mqtt.shells import Gateway
from simulator.cloud.notices.refusals import Tell, tell_nobody
from simulator.cloud.pace import Pace
from simulator.cloud.settings.cloud import CloudSettings
from simulator.cloud.settings.service import Fault
from simulator.cloud.store import OWN, Shelf
from simulator.trace import CloudEvent

MOST: Final = 100
"""Tenants of one cloud; AWS has some forty regions."""
FIRST: Final = AccountRegion()
"""Whose records have no other name on the disk; files that knew no regions are its."""
_log = get_logger("ghostjob.cloud")


def owner(account: AccountRegion) -> str:
    """Whose records the store keeps for an account in a region."""
    is_first = (account.region, account.account_id) == (FIRST.region, FIRST.account_id)
    return OWN if is_first else f"{account.account_id}/{account.region}"


def account_of(owned: str) -> AccountRegion:
    """The account and region of that owner."""
    if owned == OWN:
        return FIRST
    account_id, _, region = owned.partition("/")
    return AccountRegion(region, account_id)


class Tenant:
    """`shelf` is what the store keeps of it; `observe` gets its trace events; `tell` what its clients did not get."""

    def __init__(
        self,
        account: AccountRegion,
        settings: CloudSettings,
        shelf: Shelf | None,
        observe: Callable[[CloudEvent], None] | None = None,
        tell: Tell = tell_nobody,
    ) -> None:
        self.account = account
        self._shelf = shelf
        self._remembered = None if shelf is None else shelf.remembered()
        self.core = CloudCore(
            settings.cloud,
            time.time,
            self._publish,
            observe,
            keeper=shelf,
            pace=Pace(),
            remembered=self._remembered,
            steady=time.monotonic,
            account=account,
            is_behind=lambda: self.gateway.broker.router.fan_out.is_behind,
        )
        self.gateway = Gateway(
            self.core.device_api,
            settings.gateway,
            tell=tell,
            rng=Random(f"{settings.seed}/{owner(account)}/shared subscriptions"),
        )

        self._observe = observe
        self.put_behind(settings.faults, settings.seed)

    def put_behind(self, faults: tuple[Fault, ...], seed: str) -> None:
        """From now on the network has these faults; what those before hold goes on at once."""
        device_api = self.core.device_api
        if device_api.network is not None:
            device_api.network.retire()
        self._connect(self._network(faults, seed) if faults else None)

    def have_carried_by(self, network: Network) -> None:
        """From now on that carries its messages, whatever the settings have."""
        network.thing_of = self._thing_of
        self._connect(network)

    def cut_off(self, thing: str, seconds: float, name: str) -> None:
        """Cut the network of a thing for so long; `name` is what the trace calls that."""
        network = self.core.device_api.network
        if network is None:
            self._connect(network := self._network((), ""))
        network.cut_off(thing, seconds, name)

    def _network(self, faults: tuple[Fault, ...], seed: str) -> Network:
        gateway = self.gateway
        network = Network(faults, seed, lambda: gateway.time(), self._later, self._observe)
        network.thing_of = self._thing_of
        return network

    def _thing_of(self, certificate: str) -> str | None:
        return self.core.registry.things.principals.only_left(f"cert/{certificate}")

    def _connect(self, network: Network | None) -> None:
        self.core.device_api.network = network
        self.gateway.broker.put_behind(network)

    def retune(self, cloud: JobsSettings, faults: tuple[Fault, ...], seed: str) -> None:
        """Have other settings of the service, and other faults."""
        self.put_behind(faults, seed)
        self.core.jobs.settings = cloud

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        self.gateway.broker.context.scheduler.at(self.gateway.time() + seconds, act)

    def start(self) -> None:
        """Let the sessions that were remembered be there."""
        if self._shelf is not None and self._remembered is not None:
            persistence = Persistence(self._shelf.keep_later, time.time, self.gateway.time)
            restore(self.gateway.broker.sessions, persistence, self._remembered.gateway)
            self.gateway.broker.context.persistence, self._remembered = persistence, None
        self.gateway.start()

    def _publish(self, outcome: Outcome) -> None:
        after = 0 if self._shelf is None else self._shelf.newest
        for topic, payload in self.core.device_api.publications(outcome):
            contained("publishing", partial(self.gateway.broker.publish, topic, payload, after=after))


class Tenants:
    """Everybody who is served: `home`, and whom `make` makes besides."""

    def __init__(self, home: Tenant, make: Callable[[AccountRegion], Tenant]) -> None:
        self.home = home
        self._make = make
        self._all = {owner(home.account): home}

    def __iter__(self) -> Iterator[Tenant]:
        return iter(self._all.values())

    def of(self, claim: ClaimedSignature | None) -> Tenant:
        """Whom a signature speaks for. Raises SignatureRefused, Refusal."""
        home = self.home.account
        if claim is None:
            return self.home
        if not REGION.fullmatch(claim.region):
            message = f"Credential should be scoped to a valid region, not '{claim.region[:63]}'."
            raise SignatureRefused("InvalidSignatureException", message)
        account_id = claim.access_key if ACCOUNT_ID.fullmatch(claim.access_key) else home.account_id
        wanted = AccountRegion(claim.region, account_id)
        return self._all.get(owner(wanted)) or self._first_time(wanted)

    def _first_time(self, account: AccountRegion) -> Tenant:
        if len(self._all) >= MOST:
            message = f"This local cloud keeps {MOST} accounts and regions, and {owner(account)} would be one more."
            raise Refusal(400, "InvalidRequestException", message)
        home = self.home.account
        _log.warning(
            "account.opened",
            region=account.region,
            account=account.account_id,
            hint=f"things and jobs of its own; the MQTT ports and certificates are those of {home.region}, account "
            f"{home.account_id}: to have them here, start `ghostjob cloud --region {account.region}"
            f"{'' if account.account_id == home.account_id else f' --account {account.account_id}'}`",
        )
        return self.open(account)

    def open(self, account: AccountRegion) -> Tenant:
        """Make one, and let it go on with what it left to be done."""
        tenant = self._all[owner(account)] = self._make(account)
        tenant.start()
        tenant.core.resume()
        return tenant
