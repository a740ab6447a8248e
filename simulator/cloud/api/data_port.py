"""The data port: mutual TLS; the Jobs data plane, publishing and retained messages of the cloud's own account.

Who holds no certificate that is registered and ACTIVE learns nothing but that, whatever he asks for.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from simulator.cloud.access.certificate_holders import CertificateHolders
from simulator.cloud.access.signatures import SignedRequest
from simulator.cloud.api.certificate_holder import CertificateHolder
from simulator.cloud.api.data_plane import DataPlane
from simulator.cloud.api.gate import Certified, Gate, Served, anything, path_of
from simulator.cloud.api.http import HttpListener
from simulator.cloud.api.publishing import PREFIX as TOPICS
from simulator.cloud.api.publishing import Publisher
from simulator.cloud.api.retained import RetainedMessages
from simulator.cloud.api.wire import Refusal
from simulator.cloud.notices.refusals import Tell, tell_nobody

FORBIDDEN: Final = (403, "ForbiddenException", "Forbidden")
NOT_VALID: Final = (400, "CertificateValidationException", "The certificate is not registered, or not active.")


class DataPort(HttpListener):
    """The data port. `holders` knows whose certificate it is, and what its policies allow."""

    def __init__(
        self,
        data_plane: DataPlane,
        publisher: Publisher,
        retained: RetainedMessages,
        holders: CertificateHolders,
        *,
        settled: Callable[[], Awaitable[None]] | None = None,
        tell: Tell = tell_nobody,
    ) -> None:
        super().__init__(Gate(holders=holders), publisher, settled, data_plane.device_api.delivered, tell)
        self._data_plane = data_plane
        self._retained = retained
        self.routes = (
            Certified("publish", _is_publishing, FORBIDDEN, self._to_topic),
            Certified("retained", lambda sent: self._retained_route(sent) is not None, FORBIDDEN, self._of_retained),
            Certified("jobs-data", anything, NOT_VALID, self._of_jobs),
        )

    async def _to_topic(self, holder: CertificateHolder, request: web.BaseRequest, sent: SignedRequest) -> Served:
        if sent.method != "POST":
            raise Refusal(405, "MethodNotAllowedException", "Publishing is a POST.")
        topic = self._publisher.topic(path_of(sent))
        holder.must("iot:Publish", f"topic/{topic}")
        if request.rel_url.query.get("retain") == "true":
            holder.must("iot:RetainPublish", f"topic/{topic}")
        return self._publish(self._publisher, topic, request, sent)

    async def _of_retained(self, holder: CertificateHolder, request: web.BaseRequest, sent: SignedRequest) -> Served:
        found = self._retained_route(sent)
        assert found is not None, "the route is for one"
        operation, uri = found
        holder.must(f"iot:{operation.name}", f"topic/{uri['topic']}" if "topic" in uri else "*")
        return self._read_retained(self._retained, found, request, sent)

    async def _of_jobs(self, holder: CertificateHolder, request: web.BaseRequest, sent: SignedRequest) -> Served:
        found = self._jobs_data.route(sent.method, path_of(sent))
        if found is None:
            raise self._unknown(sent)
        operation, uri = found
        if "thingName" in uri:
            holder.must(f"iotjobsdata:{operation.name}", f"thing/{uri['thingName']}")
        return await self._ask_jobs(self._data_plane, found, request, sent)


def _is_publishing(sent: SignedRequest) -> bool:
    return path_of(sent).startswith(TOPICS)
