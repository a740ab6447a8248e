"""What a session has in an account, in place of the local cloud: its device's thing, and what is seen of it there.

    async with AccountDesk(settings, ledger) as desk:
        stop = desk.listen(wiretap.feed)

Nothing is started and nobody's settings are changed. Whatever is made stands in the ledger, and is removed at the end,
also of a session that is interrupted; what then is left in the ledger could not be removed.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from agent.errors import InputError
from agent.log import get_logger
from simulator.certify.aws.clearing import AGAIN_SECONDS, clear
from simulator.certify.aws.enrolment import check_that_nothing_waits, enrol, make_certificate
from simulator.certify.aws.ledger import Ledger, Ledgered
from simulator.certify.aws.presence import Observer, Presence
from simulator.certify.aws.removal import Removal
from simulator.certify.aws.watching import Watching
from simulator.certify.offer import Offer, topics_that_count
from simulator.certify.wiretap import Wiretap
from simulator.controller.hand import Hand, Refused, is_local
from simulator.controller.through_boto3 import ThroughBoto3
from simulator.controller.watching import REQUESTS_A_SECOND
from simulator.heartbeat import Heartbeat
from simulator.trace import CLOUD, AccountEnded, ClientConnected, CloudEvent, Entry, JobDeleted, Recorder, Sink

MQTTS_PORT, HTTPS_PORT = 8883, 8443
LOOK_SECONDS: Final = 1.0
"""Between two looks: with a job or two at a time, well within AWS's quota of ten requests a second."""
LOCAL_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """`endpoint_url` None is AWS itself. `certs` is a directory with ca.pem, THING.pem and THING.key, for a device that
    is told of them; with `makes_certificate` the last two are made there."""

    thing: str
    namespace_id: str | None
    endpoint_url: str | None
    profile: str | None
    region: str | None
    certs: Path
    makes_certificate: bool

    @property
    def look_seconds(self) -> float:
        """How often it is looked."""
        return LOCAL_LOOK_SECONDS if is_local(self.endpoint_url) else LOOK_SECONDS


class AccountDesk:
    """A context. `say` hears what its end waits for. Raises InputError if the account does not let us, or nobody
    answers."""

    offer: Offer

    def __init__(
        self, settings: AccountSettings, ledger: Ledger, say: Callable[[str], None] = lambda line: None
    ) -> None:
        if (settings.namespace_id or "").startswith("aws-"):
            raise InputError(
                f"--namespace-id {settings.namespace_id}: jobs there are made and deleted by AWS's services only"
            )
        self._settings = settings
        self._ledger = ledger
        self._say = say
        self._began_at = time.time()
        self.failed: str | None = None
        """Why nothing more is seen there."""
        self._stack = AsyncExitStack()
        self._wiretap = Wiretap()
        self._at = 0.0
        self._recorder = Recorder(CLOUD, lambda: self._at, self._tell)
        self._heartbeat = Heartbeat("cloud", self._record_now)
        self._connected: Entry | None = None
        self.look_seconds = settings.look_seconds
        self.presence = Presence(settings.thing, self._record_now)

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._stack.__aexit__(kind, error, trace)
        except BaseExceptionGroup as group:  # of the looks, and of what went wrong beside them
            ours = next((each for each in group.exceptions if each is not error), None)
            if isinstance(ours, InputError | Refused):
                where = self._settings.endpoint_url or "AWS"
                raise InputError(f"{where}: nothing more is seen there: {ours}") from None
            if ours is not None:
                raise ours from None

    async def _open(self) -> None:
        settings, stack = self._settings, self._stack
        is_near = is_local(settings.endpoint_url)
        carrier = ThroughBoto3(settings.endpoint_url, region=settings.region, profile=settings.profile, repeats=False)
        asked = self._asked = Ledgered(carrier, self._ledger, self._told, 0.0 if is_near else 1 / REQUESTS_A_SECOND)
        stack.push_async_callback(asked.close)
        self._hand = Hand(asked)
        stack.push_async_callback(self._remove)
        try:
            told = await asked.make("DescribeEndpoint", endpointType="iot:Data-ATS")
        except Refused as refused:
            raise InputError(f"{settings.endpoint_url or 'AWS'}: {refused}; see --profile and --region") from None
        address = str(told["endpointAddress"])
        self._watching = Watching(settings.thing, self._hand, self._record, time.monotonic, settings.look_seconds)
        await _whole(self._enrol(asked))
        self.offer = _offer(settings, address, carrier.endpoint_url)
        await self._observe(carrier, address)
        stack.enter_context(self._heartbeat)
        group = await stack.enter_async_context(asyncio.TaskGroup())  # whose failure ends what goes on at the desk
        stack.push_async_callback(_ended, group.create_task(self._watch()))

    async def _watch(self) -> None:
        try:
            await self._watching.run()
        except (Refused, InputError) as error:
            self.failed = str(error)
            raise

    async def _enrol(self, asked: Ledgered) -> None:
        settings = self._settings
        arn = await enrol(asked, self._ledger, settings.thing)
        if self._ledger.thing is None:
            await check_that_nothing_waits(asked, settings.thing)
        if settings.makes_certificate:
            await make_certificate(asked, self._ledger, settings.thing, arn, settings.certs)

    async def _observe(self, carrier: ThroughBoto3, address: str) -> None:
        """Without it, all goes on: whether the device is connected is then not known."""
        url, client_id = _websocket(self._settings.endpoint_url, address), f"ghostjob-certify-{self._ledger.session}"
        try:
            observer = Observer(carrier.signed_websocket(url), client_id, self.presence)
            await self._stack.enter_async_context(observer)
        except InputError as error:
            then = "whether the device is connected is not known, and what hangs on that undecided"
            get_logger("ghostjob.certify").warning("presence.unseen", why=str(error), then=then)

    async def _remove(self) -> None:
        again = self.look_seconds if is_local(self._settings.endpoint_url) else AGAIN_SECONDS
        if jobs := len(self._ledger.jobs):
            what = "1 job is" if jobs == 1 else f"{jobs} jobs are"
            self._say(f"{what} being deleted, which takes a minute or more on AWS; who interrupts is told what is left")
        await clear(self._asked, self._ledger, again)
        removal = Removal(self._asked, self._ledger, self._say, again, self._began_at)
        await removal.run()
        for why in removal.whys:
            get_logger("ghostjob.certify").error("left", why=why)

    # ── as Desk has them ──────────────────────────────────────────────────────────────────────────────────────

    def listen(self, sink: Sink) -> Callable[[], None]:
        """Have `sink` told of every entry from now on, until the result is called."""
        return self._wiretap.join(sink)

    def standing(self) -> tuple[Entry, ...]:
        """What a new judge has to know: the device's connection, if it is seen and lasts."""
        return () if self._connected is None or not self.presence.is_connected else (self._connected,)

    def watched_until_now(self) -> None:
        """Tell in the trace until when all was seen."""
        self._record(AccountEnded(), self._watching.seen_until)

    def running_time(self) -> float:
        """Seconds in which this process ran, by the clock of the trace."""
        return self._heartbeat.running_time()

    def hand(self) -> Hand:
        """What a controller acts through: it deletes no job that it did not make."""
        return self._hand

    # ── what is told ──────────────────────────────────────────────────────────────────────────────────────────

    def _told(self, operation: str, given: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self._watching.told(operation, given, answer)

    def _record_now(self, event: CloudEvent) -> None:
        self._record(event, time.monotonic())

    def _record(self, event: CloudEvent, at: float) -> None:
        """No entry is before one that was told."""
        self._at = max(at, self._at)
        self._recorder.record(event)

    def _tell(self, entry: Entry) -> None:
        match entry.event:
            case ClientConnected():
                self._connected = entry
            case JobDeleted(job_id=job_id):
                self._ledger.gone(job_id)
            case _:
                pass
        self._wiretap.feed(entry)


def _websocket(endpoint_url: str | None, address: str) -> str:
    """Where MQTT over WebSocket is: at AWS beside all that devices use, in the local cloud beside the control plane."""
    if endpoint_url is not None and is_local(endpoint_url):
        return f"ws{endpoint_url.removeprefix('http').rstrip('/')}/mqtt"
    return f"wss://{address}/mqtt"


def _offer(settings: AccountSettings, address: str, api_url: str) -> Offer:
    host, colon, port = address.rpartition(":") if address.rpartition(":")[2].isdigit() else (address, "", "")
    thing, certs = settings.thing, settings.certs.absolute()
    return Offer(
        thing=thing,
        client_id=thing,
        host=host,
        mqtt_port=None,
        mqtts_port=int(port) if colon else MQTTS_PORT,
        data_port=None if colon else HTTPS_PORT,
        api_url=api_url,
        ca=certs / "ca.pem",
        cert=certs / f"{thing}.pem",
        key=certs / f"{thing}.key",
        topics=topics_that_count(thing, settings.namespace_id),
        namespace_id=settings.namespace_id,
    )


async def _whole(making: Coroutine[Any, Any, None]) -> None:
    """Whoever is interrupted knows afterwards what was made."""
    task = asyncio.ensure_future(making)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
