"""Who is at the other end of a connection, and what there is to tell of what it did not get."""

import asyncio
from typing import TYPE_CHECKING

from simulator.cloud.basic_ingest import in_the_void
from simulator.cloud.mqtt.authority import RESOURCES, Action, Credential, Principal
from simulator.cloud.mqtt.session import Session
from simulator.cloud.refusals import Code, Notice

if TYPE_CHECKING:
    from simulator.cloud.mqtt.gateway import Gateway


class Client(asyncio.Protocol):
    """A peer, as far as it is known; what it gets is in `writing`, what it asks in `connection`."""

    __slots__ = ("_gateway", "_transport", "credential", "name", "principal", "session")

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._transport: asyncio.Transport | None = None
        self.name = ""
        """The client id that it asked to connect with."""
        self.credential: Credential | None = None
        self.principal: Principal | None = None
        """None: it may do everything."""
        self.session: Session | None = None

    @property
    def address(self) -> str:
        """The peer's IP address; empty if it is gone."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return str(peer[0]) if peer else ""

    def tell(self, code: Code, action: str, resource: str, why: str, *, hint: str | None = None) -> None:
        """Have told what this client did not get."""
        self._gateway.tell(Notice(code, action, resource, why, self._client, self._identifier, self.address, hint=hint))

    def tell_denied(self, action: Action, name: str) -> None:
        """Have told what policies do not let this client do."""
        principal = self.principal
        assert principal is not None, "who may do everything is denied nothing"
        resource = f"{RESOURCES[action]}/{name}"
        self._gateway.tell(
            Notice(
                "not-allowed",
                f"iot:{action}",
                resource,
                "",
                self._client,
                self._identifier,
                self.address,
                explain=lambda: principal.denial(action, name),
            )
        )

    def tell_void(self, rule: str) -> None:
        """Have told that a message for a rule ends here."""
        self._gateway.tell(in_the_void(rule, self._client, self._identifier, self.address))

    def tell_lost(self, session: Session) -> None:
        """Have told which messages a session had to give up."""
        if session.lost is not None:
            self._gateway.tell_lost(session, self._identifier, self.address)

    @property
    def _client(self) -> str:
        return self.name if self.session is None else self.session.client_id

    @property
    def _identifier(self) -> str:
        known = self.principal or self.credential
        return "" if known is None else known.identifier
