"""HTTP around the control plane: a request is routed by path, parsed by the model, answered in AWS's shapes.

Signatures are not checked. Clients sign differently (Debian's AWS CLI with the scope `execute-api`, boto3 with `iot`),
so the path decides; only the two GET paths that control plane and data plane share are told apart by the scope.

Below `/-/greengrass` stands the same API in the hand of an AWS service, which may use the namespaces that are reserved
for AWS. It is no API of AWS's, and for callers on this machine only.
"""

import ipaddress
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import web

from agent.errors import InputError
from simulator.cloud.api.operations import ApiError, ControlPlane
from simulator.cloud.api.schema import BadRequest, Schema, serialise

LARGEST_BODY: Final = 1 << 20
GREENGRASS: Final = "/-/greengrass"
_SCOPE: Final = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_log = structlog.get_logger("ghostjob.cloud.api")


class HttpApi:
    """Serves `control_plane` over HTTP; `handle` is what aiohttp's low-level server calls.

    `settled` waits until everything that an answer may tell is written down for good; None if nothing is.
    """

    def __init__(self, control_plane: ControlPlane, settled: Callable[[], Awaitable[None]] | None = None) -> None:
        self._control_plane = control_plane
        self._settled = settled
        self._greengrass = control_plane.in_the_hand_of_aws()
        self._schema = Schema()

    def server(self) -> web.Server:
        """A protocol factory for `loop.create_server`."""
        return web.Server(self.handle, access_log=None)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; never with a traceback."""
        response = await self._respond(request)
        if self._settled is not None:
            try:
                await self._settled()
            except InputError as error:
                return _error(503, "ServiceUnavailableException", str(error))
        return response

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path, control_plane = request.rel_url.raw_path, self._control_plane
        if path.startswith(f"{GREENGRASS}/"):
            if not _is_from_here(request):
                return _error(403, "AccessDeniedException", "An AWS service's own hand is lent on this machine only.")
            path, control_plane = path.removeprefix(GREENGRASS), self._greengrass
        found = self._schema.route(request.method, path)
        if found is None:
            return _error(404, "UnknownOperationException", f"No operation is {request.method} {request.path}.")
        operation, uri = found
        if _scope(request) == "iot-jobs-data":
            return _error(404, "ResourceNotFoundException", "The data plane over HTTP is not served yet; use MQTT.")
        if (request.content_length or 0) > LARGEST_BODY:
            return _error(413, "RequestEntityTooLargeException", f"The body is larger than {LARGEST_BODY} bytes.")
        try:
            body = await request.content.read(LARGEST_BODY + 1)
            while chunk := await request.content.read(LARGEST_BODY + 1 - len(body)):
                body += chunk
            parameters = self._schema.parse(operation, uri, request.rel_url.query, body)
            output = control_plane.call(operation.name, parameters)
        except BadRequest as error:
            return _error(400, "InvalidRequestException", str(error))
        except ApiError as error:
            status = self._schema.status(operation, error.name)
            return _error(status, error.name, error.message, **error.more)
        except Exception:
            _log.exception("request.failed", operation=operation.name)
            return _error(500, "InternalFailureException", "The local cloud has a fault; its log says more.")
        shape = operation.output_shape
        answer = serialise(shape, output)
        return _json(200, answer) if shape is not None and shape.members else web.Response(status=200)


def _is_from_here(request: web.BaseRequest) -> bool:
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def _scope(request: web.BaseRequest) -> str | None:
    found = _SCOPE.search(request.headers.get("Authorization", ""))
    return found.group(1) if found else None


def _json(status: int, body: Any, **headers: str) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(body).encode(), headers=headers or None, content_type="application/json"
    )


def _error(status: int, name: str, message: str, **more: str) -> web.Response:
    return _json(status, {"message": message, **more}, **{"x-amzn-errortype": name})
