"""The API port: plain HTTP and TLS, Signature Version 4; control plane, Jobs data plane, publishing, retained messages.

The path decides whose operation it is, because clients sign differently (Debian's AWS CLI with the scope
`execute-api`, boto3 with `iot`); the two GET paths that control plane and data plane share are told apart by the scope
`iot-jobs-data`, or by a Host that AWS gives the data plane.

Whose things and jobs a request is about, its signature says: those of its region and account. Without one they are the
cloud's own.

Below `/-/greengrass` stands the control plane in the hand of an AWS service, which may use the namespaces that are
reserved for AWS. It is no API of AWS's: for who signs, and without access keys for callers on this machine only.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from simulator.cloud.access.signatures import ClaimedSignature, Signatures, SignedRequest, read_claim
from simulator.cloud.api.authority import new_key
from simulator.cloud.api.boundary import carrying_out, reading
from simulator.cloud.api.certificates import PRIVATE_KEY
from simulator.cloud.api.control_plane import ControlPlane
from simulator.cloud.api.data_plane import DataPlane
from simulator.cloud.api.gate import Gate, Route, Served, Signed, Signer, anything, path_of
from simulator.cloud.api.http import HttpListener
from simulator.cloud.api.publishing import PREFIX as TOPICS
from simulator.cloud.api.publishing import Publisher
from simulator.cloud.api.rate import OperationRate
from simulator.cloud.api.retained import RetainedMessages
from simulator.cloud.api.schema import schema_of, serialise
from simulator.cloud.api.turns import Turns
from simulator.cloud.api.wire import answer
from simulator.cloud.notices.refusals import Tell, tell_nobody

GREENGRASS: Final = "/-/greengrass"
CONTROL_SCOPES: Final = ("iot", "execute-api", "iotdata")
JOBS_SCOPE: Final = "iot-jobs-data"
LONG_BODY: Final = 64 * 1024
"""Bytes that take a millisecond or two to read. A longer body, as of a job for thousands of things, is read in a
thread, so that others have their turns meanwhile."""
MESSAGE_SCOPES: Final = ("iotdata", "iotdevicegateway")


@dataclass(frozen=True, slots=True)
class Planes:
    """What stands behind the API port for one account in one region."""

    control_plane: ControlPlane
    greengrass: ControlPlane
    data_plane: DataPlane
    publisher: Publisher
    retained: RetainedMessages
    rate: OperationRate


class HttpApi(HttpListener):
    """The API port. `planes_of` tells whom a signature is for: the account and region of its credential.

    `elsewhere` are routes to what is no operation, such as `/mqtt` for WebSockets; they go before all others.
    """

    def __init__(
        self,
        planes_of: Callable[[ClaimedSignature | None], Planes],
        signatures: Signatures,
        *,
        settled: Callable[[], Awaitable[None]] | None = None,
        elsewhere: tuple[Route, ...] = (),
        tell: Tell = tell_nobody,
    ) -> None:
        home = planes_of(None)
        super().__init__(Gate(signatures), home.publisher, settled, home.data_plane.device_api.delivered, tell)
        self._planes_of = planes_of
        self._turns = Turns()
        self._schema = schema_of("iot")
        self.routes = (
            *elsewhere,
            Signed("greengrass", _is_greengrass, CONTROL_SCOPES, self._for_greengrass, for_this_machine=True),
            Signed("publish", _is_publishing, MESSAGE_SCOPES, self._to_topic),
            Signed("retained", lambda sent: self._retained_route(sent) is not None, MESSAGE_SCOPES, self._of_retained),
            Signed("jobs-data", self._is_for_the_data_plane, (JOBS_SCOPE,), self._of_jobs),
            Signed("control", anything, CONTROL_SCOPES, self._operate),
        )

    def _is_for_the_data_plane(self, sent: SignedRequest) -> bool:
        path = path_of(sent)
        if not _is_a_things_job(path) or self._jobs_data.route(sent.method, path) is None:
            return False
        if self._schema.route(sent.method, path) is None:
            return True
        claim = read_claim(sent)
        if claim is not None:
            return claim.service == JOBS_SCOPE
        return ".jobs.iot." in f".{sent.header('host')}"

    async def _to_topic(self, signer: Signer, request: web.BaseRequest, sent: SignedRequest) -> Served:
        publisher = self._planes_of(signer.claim).publisher
        return self._publish(publisher, publisher.topic(path_of(sent)), request, sent)

    async def _of_retained(self, signer: Signer, request: web.BaseRequest, sent: SignedRequest) -> Served:
        found = self._retained_route(sent)
        assert found is not None, "the route is for one"
        return self._read_retained(self._planes_of(signer.claim).retained, found, request, sent)

    async def _of_jobs(self, signer: Signer, request: web.BaseRequest, sent: SignedRequest) -> Served:
        found = self._jobs_data.route(sent.method, path_of(sent))
        assert found is not None, "the route is for one"
        return await self._ask_jobs(self._planes_of(signer.claim).data_plane, found, request, sent)

    async def _for_greengrass(self, signer: Signer, request: web.BaseRequest, sent: SignedRequest) -> Served:
        planes, path = self._planes_of(signer.claim), path_of(sent).removeprefix(GREENGRASS)
        return await self._call(planes, planes.greengrass, path, request, sent)

    async def _operate(self, signer: Signer, request: web.BaseRequest, sent: SignedRequest) -> Served:
        planes = self._planes_of(signer.claim)
        return await self._call(planes, planes.control_plane, path_of(sent), request, sent)

    async def _call(
        self, planes: Planes, control_plane: ControlPlane, path: str, request: web.BaseRequest, sent: SignedRequest
    ) -> Served:
        found = self._schema.route(sent.method, path)
        if found is None:
            raise self._unknown(sent)
        operation, uri = found
        with carrying_out(self._schema, operation):
            control_plane.check_served(operation.name)
            planes.rate.take(operation.name)
            with reading(request):
                args = operation, uri, request.rel_url.query, sent
                is_long = len(sent.body) > LONG_BODY
                given = await asyncio.to_thread(self._schema.parse, *args) if is_long else self._schema.parse(*args)
            if operation.name == "CreateKeysAndCertificate":
                given[PRIVATE_KEY] = await asyncio.to_thread(new_key)
            output = await self._turns.carry_out(operation.name, control_plane.steps(operation.name, given))
        shape = operation.output_shape
        if shape is None or not shape.members:
            return web.Response(status=200), None
        return answer(200, serialise(shape, output)), None


def _is_greengrass(sent: SignedRequest) -> bool:
    return path_of(sent).startswith(f"{GREENGRASS}/")


def _is_publishing(sent: SignedRequest) -> bool:
    return path_of(sent).startswith(TOPICS) and sent.method == "POST"


def _is_a_things_job(path: str) -> bool:
    parts = path.split("/")
    return len(parts) in (4, 5) and parts[1] == "things" and parts[3] == "jobs"
