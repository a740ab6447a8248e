"""HTTP around the planes: a request is routed, checked, parsed by the service model, answered in AWS's shapes.

    API port   plain HTTP, Signature Version 4    control plane, Jobs data plane, publishing, retained messages
    data port  mutual TLS                         Jobs data plane, publishing, retained messages

On the API port the path decides whose operation it is, because clients sign differently (Debian's AWS CLI with the
scope `execute-api`, boto3 with `iot`); the two GET paths that control plane and data plane share are told apart by the
scope `iot-jobs-data`, or by a Host that AWS gives the data plane.

Whose things and jobs a request is about, its signature says: those of its region and account. Without one they are the
cloud's own; so are those of the data port.

Below `/-/greengrass` stands the control plane in the hand of an AWS service, which may use the namespaces that are
reserved for AWS. It is no API of AWS's, and for callers on this machine only.
"""

import asyncio
import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from aiohttp import web
from botocore.model import OperationModel

from agent.errors import InputError
from agent.log import get_logger
from simulator.cloud.api.authority import new_key
from simulator.cloud.api.certificates import PRIVATE_KEY
from simulator.cloud.api.control_plane import ControlPlane
from simulator.cloud.api.data_plane import DataPlane, Lost
from simulator.cloud.api.errors import ApiError, not_served
from simulator.cloud.api.principal import Guard
from simulator.cloud.api.publishing import PREFIX as TOPICS
from simulator.cloud.api.publishing import Publisher
from simulator.cloud.api.rate import OperationRate
from simulator.cloud.api.retained import PATH as RETAINED
from simulator.cloud.api.retained import RetainedMessages
from simulator.cloud.api.schema import BadRequest, Schema, schema_of, serialise
from simulator.cloud.api.turns import Turns
from simulator.cloud.api.wire import Handler, Refusal, Server, answer, read
from simulator.cloud.refusals import Notice, Tell, tell_nobody
from simulator.cloud.signatures import STATUS, Claim, SignatureRefused, Signatures, SignedRequest, read_claim

GREENGRASS: Final = "/-/greengrass"
CONTROL_SCOPES: Final = ("iot", "execute-api", "iotdata")
JOBS_SCOPE: Final = "iot-jobs-data"
MESSAGE_SCOPES: Final = ("iotdata", "iotdevicegateway")
KEYS_AT_FAULT: Final = frozenset({"MissingAuthenticationTokenException", "UnrecognizedClientException"})
"""Refusals of a signature that another key would mend."""
_log = get_logger("ghostjob.cloud.api")


class _Listener(ABC):
    """What both ports have: the data plane and publishing. `handle` is what aiohttp's low-level server calls.

    `settled` waits until everything that an answer may tell is written down for good; None if nothing is. `tell` gets
    a Notice of who is refused for what he is, or holds.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        publisher: Publisher,
        retained: RetainedMessages,
        settled: Callable[[], Awaitable[None]] | None,
        tell: Tell,
    ) -> None:
        self._tell = tell
        self._data_plane = data_plane
        self._publisher = publisher
        self._retained = retained
        self._settled = settled

    def server(self) -> Server:
        """A protocol factory for `loop.create_server`."""
        return Server(self.handle, self._tell)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; never with a traceback."""
        receipt: object = None
        try:
            response, receipt = await self._respond(request)
        except Refusal as refusal:
            response, receipt = refusal.response(), refusal.receipt
            if refusal.notice is not None:
                self._tell(refusal.notice)
        except Lost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        except SignatureRefused as refused:
            response = Refusal(STATUS, refused.name, refused.message).response()
            self._tell(_unsigned(request, refused))
        except ConnectionError:
            raise
        except Exception:
            _log.exception("request.failed", method=request.method, path=request.raw_path)
            message = "The local cloud has a fault; its log says more."
            response = Refusal(500, "InternalFailureException", message).response()
        if self._settled is not None:
            try:
                await self._settled()
            except InputError as error:
                return Refusal(503, "ServiceUnavailableException", str(error)).response()
        if not response.prepared:
            response.headers["x-amzn-RequestId"] = self._publisher.new_id()
        if receipt is not None:
            await response.prepare(request)
            await response.write_eof()
            self._data_plane.device_api.delivered(receipt, False)
        return response

    @abstractmethod
    async def _respond(self, request: web.BaseRequest) -> tuple[web.StreamResponse, object]:
        """The answer, and what to say when it was sent. Raises Refusal, SignatureRefused, Lost."""

    @cached_property
    def _jobs_data(self) -> Schema:
        return schema_of("iot-jobs-data")

    @cached_property
    def _iot_data(self) -> Schema:
        return schema_of("iot-data")

    def _retained_route(self, method: str, path: str) -> tuple[OperationModel, dict[str, str]] | None:
        return self._iot_data.route(method, path) if path.startswith(RETAINED) else None

    def _read_retained(
        self,
        retained: RetainedMessages,
        operation: OperationModel,
        uri: dict[str, str],
        query: Mapping[str, str],
        sent: SignedRequest,
    ) -> web.Response:
        try:
            given = self._iot_data.parse(operation, uri, query, sent)
            output = retained.operations[operation.name](given)
        except BadRequest as error:
            raise Refusal(400, "InvalidRequestException", str(error)) from None
        except ApiError as error:
            raise Refusal.of(self._iot_data.status(operation, error.name), error) from None
        return answer(200, serialise(operation.output_shape, output))

    def _unknown(self, method: str, path: str) -> Refusal:
        """For what is no operation, or one of the data plane that is not served, such as a shadow's."""
        found = self._iot_data.route(method, path)
        if found is None:
            return Refusal(404, "UnknownOperationException", f"No operation is {method} {path[:500]}.")
        return Refusal(400, "InvalidRequestException", not_served(found[0].name))

    async def _ask_jobs(
        self,
        data_plane: DataPlane,
        operation: OperationModel,
        uri: dict[str, str],
        query: Mapping[str, str],
        sent: SignedRequest,
    ) -> tuple[web.StreamResponse, object]:
        try:
            given = self._jobs_data.parse(operation, uri, query, sent)
            output, receipt = await data_plane.call(operation.name, given, query)
        except BadRequest as error:
            raise Refusal(400, "InvalidRequestException", str(error)) from None
        except ApiError as error:
            raise Refusal.of(self._jobs_data.status(operation, error.name), error) from None
        return answer(200, serialise(operation.output_shape, output)), receipt


@dataclass(frozen=True, slots=True)
class Planes:
    """What stands behind the API port for one account in one region."""

    control_plane: ControlPlane
    greengrass: ControlPlane
    data_plane: DataPlane
    publisher: Publisher
    retained: RetainedMessages
    rate: OperationRate


class HttpApi(_Listener):
    """The API port. `planes_of` tells whom a signature is for: the account and region of its credential.

    `elsewhere` are handlers for paths that are no operation, such as `/mqtt` for WebSockets.
    One that ends in a slash is for all paths below.
    """

    def __init__(
        self,
        planes_of: Callable[[Claim | None], Planes],
        signatures: Signatures,
        *,
        settled: Callable[[], Awaitable[None]] | None = None,
        elsewhere: Mapping[str, Handler] | None = None,
        tell: Tell = tell_nobody,
    ) -> None:
        home = planes_of(None)
        super().__init__(home.data_plane, home.publisher, home.retained, settled, tell)
        self._planes_of = planes_of
        self._signatures = signatures
        self._elsewhere = elsewhere or {}
        self._turns = Turns()
        self._schema = schema_of("iot")

    def _handler(self, path: str) -> Handler | None:
        exact = self._elsewhere.get(path)
        below = (serve for prefix, serve in self._elsewhere.items() if prefix[-1] == "/" and path.startswith(prefix))
        return exact or next(below, None)

    async def _respond(self, request: web.BaseRequest) -> tuple[web.StreamResponse, object]:
        path, query = request.raw_path.partition("?")[0], request.rel_url.query
        if (handler := self._handler(path)) is not None:
            return await handler(request), None
        sent = await read(request)
        if path.startswith(f"{GREENGRASS}/"):
            if not _is_from_here(request):
                refusal = Refusal(
                    403, "AccessDeniedException", "An AWS service's own hand is lent on this machine only."
                )
                why, address = "what AWS's own services do is for this machine only", request.remote or ""
                refusal.notice = Notice("not-allowed", "http", f"{request.method} {path}", why, address=address)
                raise refusal
            planes = self._planes_of(read_claim(sent))
            return await self._operate(planes, planes.greengrass, path.removeprefix(GREENGRASS), query, sent)
        if path.startswith(TOPICS) and request.method == "POST":
            publisher = self._planes_of(self._signatures.check(sent, MESSAGE_SCOPES)).publisher
            return _publish(publisher, publisher.topic(path), query, sent), None
        if (kept := self._retained_route(request.method, path)) is not None:
            retained = self._planes_of(self._signatures.check(sent, MESSAGE_SCOPES)).retained
            return self._read_retained(retained, *kept, query, sent), None
        found = self._jobs_data.route(request.method, path) if _is_a_things_job(path) else None
        if found is not None and self._is_for_the_data_plane(request, path, sent):
            planes = self._planes_of(self._signatures.check(sent, (JOBS_SCOPE,)))
            return await self._ask_jobs(planes.data_plane, *found, query, sent)
        planes = self._planes_of(self._signatures.check(sent, CONTROL_SCOPES))
        return await self._operate(planes, planes.control_plane, path, query, sent)

    def _is_for_the_data_plane(self, request: web.BaseRequest, path: str, sent: SignedRequest) -> bool:
        if self._schema.route(request.method, path) is None:
            return True
        claim = read_claim(sent)
        if claim is not None:
            return claim.service == JOBS_SCOPE
        return ".jobs.iot." in f".{request.host}"

    async def _operate(
        self, planes: Planes, control_plane: ControlPlane, path: str, query: Mapping[str, str], sent: SignedRequest
    ) -> tuple[web.StreamResponse, object]:
        found = self._schema.route(sent.method, path)
        if found is None:
            raise self._unknown(sent.method, path)
        operation, uri = found
        try:
            control_plane.check_served(operation.name)
            planes.rate.take(operation.name)
            given = self._schema.parse(operation, uri, query, sent)
            if operation.name == "CreateKeysAndCertificate":
                given[PRIVATE_KEY] = await asyncio.to_thread(new_key)
            output = await self._turns.carry_out(operation.name, control_plane.steps(operation.name, given))
        except BadRequest as error:
            raise Refusal(400, "InvalidRequestException", str(error)) from None
        except ApiError as error:
            raise Refusal.of(self._schema.status(operation, error.name), error) from None
        shape = operation.output_shape
        if shape is None or not shape.members:
            return web.Response(status=200), None
        return answer(200, serialise(shape, output)), None


class DataPort(_Listener):
    """The data port. `guard` knows whose certificate it is, and what its policies allow."""

    def __init__(
        self,
        data_plane: DataPlane,
        publisher: Publisher,
        retained: RetainedMessages,
        guard: Guard,
        *,
        settled: Callable[[], Awaitable[None]] | None = None,
        tell: Tell = tell_nobody,
    ) -> None:
        super().__init__(data_plane, publisher, retained, settled, tell)
        self._guard = guard

    async def _respond(self, request: web.BaseRequest) -> tuple[web.StreamResponse, object]:
        path, query = request.raw_path.partition("?")[0], request.rel_url.query
        holder, sent = self._guard.holder(request), await read(request)
        if path.startswith(TOPICS):
            if holder is None:
                raise self._guard.turned_away(request, Refusal(403, "ForbiddenException", "Forbidden"))
            if request.method != "POST":
                raise Refusal(405, "MethodNotAllowedException", "Publishing is a POST.")
            topic = self._publisher.topic(path)
            holder.must("iot:Publish", f"topic/{topic}")
            if query.get("retain") == "true":
                holder.must("iot:RetainPublish", f"topic/{topic}")
            return _publish(self._publisher, topic, query, sent), None
        if (kept := self._retained_route(request.method, path)) is not None:
            if holder is None:
                raise self._guard.turned_away(request, Refusal(403, "ForbiddenException", "Forbidden"))
            holder.must(f"iot:{kept[0].name}", f"topic/{kept[1]['topic']}" if "topic" in kept[1] else "*")
            return self._read_retained(self._retained, *kept, query, sent), None
        found = self._jobs_data.route(request.method, path)
        if found is None:
            raise self._unknown(request.method, path)
        operation, uri = found
        if holder is None:
            message = "The certificate is not registered, or not active."
            raise self._guard.turned_away(request, Refusal(400, "CertificateValidationException", message))
        if "thingName" in uri:
            holder.must(f"iotjobsdata:{operation.name}", f"thing/{uri['thingName']}")
        return await self._ask_jobs(self._data_plane, operation, uri, query, sent)


def _publish(publisher: Publisher, topic: str, query: Mapping[str, str], sent: SignedRequest) -> web.Response:
    headers = {name.lower(): value for name, value in sent.headers}
    return answer(200, publisher.publish(topic, query, headers, sent.body))


def _unsigned(request: web.BaseRequest, refused: SignatureRefused) -> Notice:
    """What there is to tell of a signature that was refused."""
    path, query = request.path, request.rel_url.query
    try:
        claim = read_claim(SignedRequest(request.method, request.raw_path, tuple(request.headers.items())))
    except SignatureRefused:
        claim = None
    key = "" if claim is None else claim.access_key
    action = "iot:Connect" if request.headers.get("Upgrade", "").lower() == "websocket" else "http"
    hint = "sign with one of the keys that --access-key names" if refused.name in KEYS_AT_FAULT else None
    why = f"{refused.name}: {refused.message}"
    signed = " (signed in the query)" if "X-Amz-Signature" in query else ""
    return Notice(
        "signature",
        action,
        f"{request.method} {path}{signed}",
        why,
        principal=key,
        address=request.remote or "",
        hint=hint,
    )


def _is_a_things_job(path: str) -> bool:
    parts = path.split("/")
    return len(parts) in (4, 5) and parts[1] == "things" and parts[3] == "jobs"


def _is_from_here(request: web.BaseRequest) -> bool:
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
