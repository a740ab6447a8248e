"""Who calls: the one place that lets a request in, before anybody carries out what it asks for.

    a route asks for      which is shown by                                               and is let in as
    a signature           whoever has one of the access keys; without keys by anybody     Signer
    a presigned URL       whoever was given it                                            Bearer
    a client certificate  its holder, for as long as it is registered and ACTIVE          Holder

A listener has routes, and the only way to serve one is `Gate.serve`: what a route serves takes a caller, which nobody
else makes. So no path is in front of the gate, and what is no route at all is told to nobody who may not know it.

An address is nobody's identity. Only while there are no access keys, and nobody is asked who he is, does a route that
is *for this machine* go by it; whatever forwards connections on this machine (a reverse proxy, `ssh -L`, a published
port of a container) then passes for this machine.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from aiohttp import web

from simulator.cloud.access.certificate_holders import CertificateHolders
from simulator.cloud.access.signatures import ClaimedSignature, SignatureRefused, Signatures, SignedRequest, read_claim
from simulator.cloud.api.boundary import reading
from simulator.cloud.api.certificate_holder import CertificateHolder
from simulator.cloud.api.wire import Refusal, read
from simulator.cloud.notices.refusals import Notice
from simulator.cloud.s3.presigned import UrlCheck

KEYS_AT_FAULT: Final = frozenset({"MissingAuthenticationTokenException", "UnrecognizedClientException"})
"""Refusals of a signature that another key would mend."""
SIGN: Final = "sign with one of the keys of --access-key, --access-key-file or GHOSTJOB_ACCESS_KEYS"
Served: TypeAlias = tuple[web.StreamResponse, object]
"""An answer, and what to say when it was sent."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Whoever signed. `claim` is what the signature says, checked if there are keys; None: nobody had to sign."""

    claim: ClaimedSignature | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever has a presigned URL; `path` is what it lets one read, as it stands in the URL."""

    path: str


# ── routes ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Signed:
    """For who signs for one of `services`. `is_for` looks at the head of a request alone, which nobody has checked.

    `for_this_machine`: without access keys, for callers on this machine only. `has_body`: whether one is read.
    """

    name: str
    is_for: Callable[[SignedRequest], bool]
    services: tuple[str, ...]
    serve: Callable[[Signer, web.BaseRequest, SignedRequest], Awaitable[Served]]
    for_this_machine: bool = False
    has_body: bool = True


@dataclass(frozen=True, slots=True)
class Presigned:
    """For who has a URL that `check` finds good, of all paths below `prefix`; `refuse` words what it does not."""

    name: str
    prefix: str
    check: Callable[[str, Mapping[str, str]], UrlCheck]
    refuse: Callable[[UrlCheck, web.BaseRequest], Refusal]
    serve: Callable[[Bearer, web.BaseRequest], Awaitable[Served]]

    def is_for(self, sent: SignedRequest) -> bool:
        """Whether a request is below it."""
        return path_of(sent).startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Certified:
    """For who holds a certificate; `refusal` is the status, error and message for whoever does not."""

    name: str
    is_for: Callable[[SignedRequest], bool]
    refusal: tuple[int, str, str]
    serve: Callable[[CertificateHolder, web.BaseRequest, SignedRequest], Awaitable[Served]]


Route: TypeAlias = Signed | Presigned | Certified


def path_of(sent: SignedRequest) -> str:
    """The path as it stood on the wire."""
    return sent.target.partition("?")[0]


def anything(_sent: SignedRequest) -> bool:
    """Of the last route, which gets what no other is for."""
    return True


# ── the gate ──────────────────────────────────────────────────────────────────────────────────────────────────


class Gate:
    """Lets callers in by `signatures` or as `holders` of certificates, whichever a listener's routes ask for."""

    def __init__(self, signatures: Signatures | None = None, holders: CertificateHolders | None = None) -> None:
        self._signatures = signatures
        self._holders = holders

    async def serve(self, routes: tuple[Route, ...], request: web.BaseRequest) -> Served:
        """Serve the first route that a request is for. Raises Refusal, SignatureRefused, and what the route raises."""
        with reading(request):
            head = SignedRequest(request.method, request.raw_path, tuple(request.headers.items()))
            route = next(each for each in routes if each.is_for(head))
        match route:
            case Signed():
                sent = await read(request) if route.has_body else head
                return await route.serve(self._signer(route, request, sent), request, sent)
            case Presigned():
                return await route.serve(self._bearer(route, request), request)
            case Certified():
                holder = self._holder(route, request)
                return await route.serve(holder, request, await read(request))

    def _signer(self, route: Signed, request: web.BaseRequest, sent: SignedRequest) -> Signer:
        assert self._signatures is not None, "a listener with signed routes checks signatures"
        with reading(request):
            try:
                claim = self._signatures.check(sent, route.services)
            except SignatureRefused as refused:
                raise of_signature(request, refused) from None
        if route.for_this_machine and not self._signatures.are_required and not _is_from_here(request):
            refusal = Refusal(403, "AccessDeniedException", "An AWS service's own hand is lent on this machine only.")
            why, address = "what AWS's own services do is for this machine only", request.remote or ""
            what = f"{request.method} {path_of(sent)}"
            refusal.notice = Notice("not-allowed", "http", what, why, address=address)
            raise refusal
        return Signer(claim)

    def _bearer(self, route: Presigned, request: web.BaseRequest) -> Bearer:
        with reading(request):
            path = request.raw_path.partition("?")[0].removeprefix(route.prefix)
            verdict = route.check(path, request.rel_url.query)
        if verdict != "good":
            raise route.refuse(verdict, request)
        return Bearer(path)

    def _holder(self, route: Certified, request: web.BaseRequest) -> CertificateHolder:
        assert self._holders is not None, "a listener with routes for certificates knows them"
        tls: Any = None if request.transport is None else request.transport.get_extra_info("ssl_object")
        der = None if tls is None else tls.getpeercert(binary_form=True)
        address = request.remote or ""
        certificate = None if der is None else self._holders.certificate(der)
        if certificate is not None:
            context = self._holders.context(certificate.certificate_id, address, None)
            return CertificateHolder(self._holders, certificate.certificate_id, address, context)
        refusal = Refusal(*route.refusal)
        if der is not None:
            what = f"{request.method} {request.path}"
            refusal.notice = replace(self._holders.turned_away(der, "http", address), resource=what)
        raise refusal


def of_signature(request: web.BaseRequest, refused: SignatureRefused) -> Refusal:
    """The refusal of a signature, with what there is to tell of it."""
    path, query = request.path, request.rel_url.query
    try:
        claim = read_claim(SignedRequest(request.method, request.raw_path, tuple(request.headers.items())))
    except SignatureRefused:
        claim = None
    refusal = Refusal.of_signature(refused)
    refusal.notice = Notice(
        "signature",
        "iot:Connect" if request.headers.get("Upgrade", "").lower() == "websocket" else "http",
        f"{request.method} {path}{' (signed in the query)' if 'X-Amz-Signature' in query else ''}",
        f"{refused.name}: {refused.message}",
        principal="" if claim is None else claim.access_key,
        address=request.remote or "",
        hint=SIGN if refused.name in KEYS_AT_FAULT else None,
    )
    return refusal


def _is_from_here(request: web.BaseRequest) -> bool:
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
