"""HTTP around the planes: a request is let in by the gate, parsed by the service model, answered in AWS's shapes.

    API port   plain HTTP and TLS, Signature Version 4    simulator.cloud.api.api_port
    data port  mutual TLS                                 simulator.cloud.api.data_port

What both have in common stands here: the data plane, publishing and retained messages, and how a request ends.
"""

from collections.abc import Awaitable, Callable
from functools import cached_property

from aiohttp import web

from agent.errors import InputError
from agent.log import get_logger
from simulator.cloud.access.signatures import SignatureRefused, SignedRequest
from simulator.cloud.api.api_errors import not_served
from simulator.cloud.api.boundary import carrying_out, reading
from simulator.cloud.api.data_plane import DataPlane, RequestLost
from simulator.cloud.api.gate import Gate, Route, Served, of_signature, path_of
from simulator.cloud.api.publishing import Publisher
from simulator.cloud.api.retained import PATH as RETAINED
from simulator.cloud.api.retained import RetainedMessages
from simulator.cloud.api.schema import Schema, schema_of, serialise
from simulator.cloud.api.service_model import OperationModel
from simulator.cloud.api.wire import Refusal, Server, answer
from simulator.cloud.notices.refusals import Tell

Found = tuple[OperationModel, dict[str, str]]
"""An operation, and the parameters that the path has for it."""
_log = get_logger("ghostjob.cloud.api")


class HttpListener:
    """What both ports have: the data plane and publishing. `handle` is what aiohttp's low-level server calls.

    `gate` lets in who may be served by one of `routes`. `settled` waits until everything that an answer may tell is
    written down for good; None if nothing is. `tell` gets a Notice of who is refused for what he is, or holds.
    """

    def __init__(
        self,
        gate: Gate,
        publisher: Publisher,
        settled: Callable[[], Awaitable[None]] | None,
        delivered: Callable[[object, bool], None],
        tell: Tell,
    ) -> None:
        self._gate = gate
        self._tell = tell
        self._publisher = publisher
        self._delivered = delivered
        self._settled = settled
        self.routes: tuple[Route, ...] = ()
        """Everything that is served here; a request is for the first that says so, and for one it is."""

    def server(self) -> Server:
        """What a Listener makes the protocols of its connections with."""
        return Server(self.handle, self._tell)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; never with a traceback."""
        receipt: object = None
        try:
            response, receipt = await self._gate.serve(self.routes, request)
        except (Refusal, SignatureRefused) as error:
            refusal = error if isinstance(error, Refusal) else of_signature(request, error)
            response, receipt = refusal.response(), refusal.receipt
            if refusal.notice is not None:
                self._tell(refusal.notice)
            _let_go(error)
        except RequestLost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
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
            self._delivered(receipt, False)
        return response

    @cached_property
    def _jobs_data(self) -> Schema:
        return schema_of("iot-jobs-data")

    @cached_property
    def _iot_data(self) -> Schema:
        return schema_of("iot-data")

    def _retained_route(self, sent: SignedRequest) -> Found | None:
        path = path_of(sent)
        return self._iot_data.route(sent.method, path) if path.startswith(RETAINED) else None

    def _publish(self, publisher: Publisher, topic: str, request: web.BaseRequest, sent: SignedRequest) -> Served:
        with reading(request):
            headers = {name.lower(): value for name, value in sent.headers}
            message = publisher.read(topic, request.rel_url.query, headers, sent.body)
        return answer(200, publisher.publish(message)), None

    def _read_retained(
        self, retained: RetainedMessages, found: Found, request: web.BaseRequest, sent: SignedRequest
    ) -> Served:
        operation, uri = found
        with carrying_out(self._iot_data, operation):
            with reading(request):
                given = self._iot_data.parse(operation, uri, request.rel_url.query, sent)
            output = retained.operations[operation.name](given)
        return answer(200, serialise(operation.output_shape, output)), None

    async def _ask_jobs(
        self, data_plane: DataPlane, found: Found, request: web.BaseRequest, sent: SignedRequest
    ) -> Served:
        (operation, uri), query = found, request.rel_url.query
        with carrying_out(self._jobs_data, operation):
            with reading(request):
                given = self._jobs_data.parse(operation, uri, query, sent)
                thing, wanted = data_plane.read(operation.name, given, query)
            output, receipt = await data_plane.call(thing, wanted)
        return answer(200, serialise(operation.output_shape, output)), receipt

    def _unknown(self, sent: SignedRequest) -> Refusal:
        """For what is no operation, or one of the data plane that is not served, such as a shadow's."""
        path = path_of(sent)
        found = self._iot_data.route(sent.method, path)
        if found is None:
            return Refusal(404, "UnknownOperationException", f"No operation is {sent.method} {path[:500]}.")
        return Refusal(400, "InvalidRequestException", not_served(found[0].name))


def _let_go(error: BaseException | None) -> None:
    """Have the frames that an error went through go now: they hold the request and each other, a MiB or more, until the
    collector of cycles comes by, which is seldom.
    """
    while error is not None:
        error.__traceback__ = None
        error = error.__context__
