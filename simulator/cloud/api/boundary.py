"""Where what a peer sent is read, and where it is carried out: which error becomes which refusal.

with carrying_out(schema, operation):                # refusals of the operation, with the model's status
    with reading(request):                           # whatever goes wrong here is about what was sent: 4xx
        given = schema.parse(operation, uri, query, sent)
    output = operations[operation.name](given)       # whatever else goes wrong here is a fault of ours: 500
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from simulator.cloud.access.signatures import SignatureRefused
from simulator.cloud.api.api_errors import ApiError
from simulator.cloud.api.schema import BadRequest, Schema
from simulator.cloud.api.service_model import OperationModel
from simulator.cloud.api.wire import Refusal
from simulator.cloud.notices.refusals import Notice


@contextmanager
def reading(request: web.BaseRequest) -> Iterator[None]:
    """Around whatever reads what a peer sent, and does nothing with it yet.

    A reader that knows what is wrong says so by an error of its own, which passes. Any other error is a case that it
    did not think of: the peer is refused as for those that it did, and the operator is told. Raises Refusal.
    """
    try:
        yield
    except (Refusal, SignatureRefused, BadRequest, ApiError, ConnectionError):
        raise
    except Exception as error:
        refusal = Refusal(400, "InvalidRequestException", "The request cannot be read.")
        what, why = f"{request.method} {request.path}", f"it cannot be read: {type(error).__name__}: {error}"
        refusal.notice = Notice("malformed", "http", what, why, address=request.remote or "")
        raise refusal from error


@contextmanager
def carrying_out(schema: Schema, operation: OperationModel) -> Iterator[None]:
    """Around an operation from its parsing to its output: what refuses it, as AWS words that. Raises Refusal."""
    try:
        yield
    except BadRequest as error:
        raise Refusal(400, "InvalidRequestException", str(error)) from None
    except ApiError as error:
        raise Refusal.of(schema.status(operation, error.name), error) from None
