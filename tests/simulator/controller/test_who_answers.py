"""What answers in the place of the service is not taken for it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator.controller.hand import Unanswered
from simulator.controller.through_boto3 import ThroughBoto3

CALLS = {"DeleteThing": {"thingName": "pump-7"}, "ListCertificates": {}, "DescribeThing": {"thingName": "pump-7"}}


@pytest.mark.parametrize("operation", CALLS)
async def test_a_page_with_status_200_is_no_answer(operation: str):
    async def page(_: web.BaseRequest) -> web.Response:
        return web.Response(text="<p>Please sign in.</p>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", page)
    async with TestServer(app) as server:
        carrier = ThroughBoto3(str(server.make_url("/")), region="us-east-1", repeats=False)
        with pytest.raises(Unanswered, match="something else answers there, with text/html"):
            await carrier.call(operation, CALLS[operation], "customer")
        await carrier.close()
