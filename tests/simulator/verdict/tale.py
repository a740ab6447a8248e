"""Tells a trace: what happens to one device and its cloud in one true time, each written down on its own clock."""

from dataclasses import replace
from typing import Any

from agent.device_events import (
    AnswerReceived,
    DeviceBooted,
    DeviceConnected,
    DeviceDisconnected,
    DeviceEvent,
    ExecutionLeft,
    ExecutionTaken,
    HardwareChanged,
    HintReceived,
    PhaseChanged,
    PowerLost,
    RequestSent,
    StepFinished,
    StepStarted,
    StepUndone,
    VersionCommitted,
)
from agent.values import ExecutionKey
from simulator.scenario import Bounds
from simulator.trace import (
    CLOUD,
    ENGINE,
    AccountEnded,
    AnswerDelivered,
    ClientConnected,
    ClientDisconnected,
    CloudEvent,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    ProcessName,
    ProcessStalled,
    RequestAnswered,
    RequestReceived,
    RunEnded,
    RunStarted,
    device_source,
)
from simulator.verdict import Judge, PlaceToReach, Verdict

THING = "lamp"
FW = ExecutionKey(None, "fw", 1, 100)
FW_AGAIN = replace(FW, queued_at=200)
NEXT = ExecutionKey(None, "next", 1, 150)
TIP = 0.01
"""Seconds that a message takes; all bounds below are far from any sum of these."""

BOUNDS = Bounds(
    detection_seconds=2,
    ready_seconds=5,
    lost_job_seconds=5,
    retry_gap_seconds=1,
    retry_growth=2,
    retry_gap_ceiling_seconds=4,
    silence_seconds=30,
)


class Tale:
    """One device's story; `told` takes what happens next at `now`."""

    def __init__(
        self,
        *places: PlaceToReach,
        thing: str = THING,
        things: tuple[str, ...] = (),
        bounds: Bounds = BOUNDS,
        device_clock: float = 7.25,
        cloud_clock: float = 5000.5,
    ) -> None:
        self.thing = thing
        self.now = 0.0
        self.entries: list[Entry] = []
        self._clocks = {device_source(thing): device_clock, CLOUD: cloud_clock, ENGINE: 0.0}
        self._numbers: dict[str, int] = {}
        self._tokens = 0
        self._answers: list[str] = []
        self._versions: dict[ExecutionKey, int] = {}
        must_reach = tuple(place.model_dump(mode="json") for place in places)
        started = RunStarted("tale", "live", things or (thing,), bounds.model_dump(mode="json"), must_reach)
        self._write(ENGINE, started)

    def _write(self, source: str, event: Event) -> str:
        self._numbers[source] = number = self._numbers.get(source, 0) + 1
        self.entries.append(Entry(source, number, self.now + self._clocks[source], event))
        return self.entries[-1].id

    # ── plain words ───────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def device(self, *events: DeviceEvent) -> None:
        for event in events:
            self._write(device_source(self.thing), event)

    def cloud(self, *events: CloudEvent) -> None:
        for event in events:
            self._write(CLOUD, event)

    def end(self, why: str = "finished") -> None:
        self.cloud(AccountEnded())
        self._write(ENGINE, RunEnded(why))  # type: ignore[arg-type]

    def leaps_unanswered(self, after_seconds: float) -> None:
        """The owner's policy is to pass the point of no return once nobody has answered for so long."""
        self.told_at_the_start(leap_unanswered={self.thing: after_seconds})

    def shares(self, thing: str, namespace_id: str | None) -> None:
        """Another agent lives on that thing, too."""
        self.told_at_the_start(shared={self.thing: (thing, namespace_id)})

    def told_at_the_start(self, **more: dict[str, Any]) -> None:
        """What is particular about some devices."""
        event = self.entries[0].event
        together = {name: getattr(event, name) | value for name, value in more.items()}
        self.entries[0] = self.entries[0]._replace(event=replace(event, **together))

    def finishes_after_switch(self, *things: str) -> None:
        """The owner's policy is to go forward once the boot selector is switched."""
        started = self.entries[0]
        assert isinstance(started.event, RunStarted)
        forward = (*started.event.finish_after_switch, *(things or (self.thing,)))
        self.entries[0] = started._replace(event=replace(started.event, finish_after_switch=forward))

    def stall(self, process: ProcessName, seconds: float) -> None:
        """The cloud's process, or the devices', has not run for so long, until now."""
        self._write(CLOUD if process == "cloud" else ENGINE, ProcessStalled(process, seconds))

    # ── the connection ────────────────────────────────────────────────────────────────────────────────────────

    def connect(self, *, session_present: bool = False) -> None:
        self.cloud(ClientConnected(self.thing, session_present))
        self.wait(TIP)
        self.device(DeviceConnected())

    def disconnect(self, reason: str = "CONNECTION_LOST", *, planned: bool = False) -> None:
        self.device(DeviceDisconnected(planned=planned))
        self.cloud(ClientDisconnected(self.thing, reason))

    def lose_power(self, off_seconds: float = 0.2, version: str = "1.0", *, on_trial: bool = False) -> None:
        """Lose what is in memory, boot, and connect."""
        self.device(PowerLost(), DeviceDisconnected("the power is off", planned=True))
        self.cloud(ClientDisconnected(self.thing, "CONNECTION_LOST"))
        self.wait(off_seconds)
        self.device(DeviceBooted(version, "power-lost", on_trial))
        self.connect()

    # ── requests ──────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, request: str, key: ExecutionKey | None = None, **more: Any) -> str:
        """A request leaves the device; its client token."""
        self._tokens += 1
        token = f"c{self._tokens}"
        job_id = key.job_id if key else more.pop("job_id", None)
        self.device(RequestSent(token, request, key.namespace_id if key else None, job_id, key, **more))  # type: ignore[arg-type]
        return token

    def arrive(
        self,
        token: str,
        *,
        code: str | None = None,
        found: ExecutionKey | None = None,
        status: str | None = None,
        **more: Any,
    ) -> None:
        """It arrives, and is answered, at the cloud."""
        self.wait(TIP)
        sent = self._sent(token)
        details = dict(sent.details) if sent.details else None
        received = RequestReceived(
            self.thing, sent.request, token, sent.namespace_id, sent.job_id, sent.status, details
        )
        self.cloud(
            replace(received, expected_version=sent.expected_version, **more),
            RequestAnswered(self.thing, sent.request, code is None, token, code, found, status),
        )
        self._answers.append(token)

    def answer(
        self, token: str, *, code: str | None = None, found: ExecutionKey | None = None, status: str | None = None
    ) -> None:
        """The device processes the answer, and acknowledges it."""
        self.wait(TIP)
        self.device(AnswerReceived(token, code is None, code, status, found))
        self.deliver(token)

    def deliver(self, token: str, *, acknowledged: bool = True) -> None:
        """The cloud learns that an answer of its was delivered."""
        if token in self._answers:
            self.cloud(AnswerDelivered(self.thing, self._answers.index(token) + 1, acknowledged))

    def ask(
        self,
        key: ExecutionKey | None,
        *,
        code: str | None = None,
        found: ExecutionKey | None = None,
        status: str | None = None,
        request: str = "describe",
        **more: Any,
    ) -> None:
        """A describe (or another request) with its answer; without `code`, it finds `key`."""
        token = self.send(request, key, **more)
        found = None if code else found or key
        status = status or ("IN_PROGRESS" if found else None)
        self.arrive(token, code=code, found=found, status=status)
        self.answer(token, code=code, found=found, status=status)

    def update(
        self,
        key: ExecutionKey,
        to: str = "IN_PROGRESS",
        *,
        code: str | None = None,
        status: str | None = None,
        details: tuple[tuple[str, str], ...] | None = None,
    ) -> str:
        """An update with its answer; its client token."""
        version = self._versions.get(key, 1)
        token = self.send("update", key, status=to, expected_version=version, details=details)
        self.arrive(token, code=code, found=None if code else key, status=status)
        if code is None:
            self._versions[key] = version + 1
            self.cloud(ExecutionChanged(self.thing, key, to, version + 1, "device"))
        self.answer(token, code=code, status=status)
        return token

    def _sent(self, token: str) -> RequestSent:
        return next(
            entry.event
            for entry in self.entries
            if isinstance(entry.event, RequestSent) and entry.event.client_token == token
        )

    # ── the work ──────────────────────────────────────────────────────────────────────────────────────────────

    def queue(self, *keys: ExecutionKey) -> None:
        for key in keys:
            self._versions[key] = 1
            self.cloud(ExecutionQueued(self.thing, key))

    def take(self, key: ExecutionKey, digest: str = "d1") -> None:
        """start-next, accepted; the execution is in hand."""
        token = self.send("start-next")
        self.arrive(token, found=key, status="IN_PROGRESS")
        self._versions[key] = 2
        self.cloud(ExecutionChanged(self.thing, key, "IN_PROGRESS", 2, "device"))
        self.answer(token, found=key, status="IN_PROGRESS")
        self.device(ExecutionTaken(key, digest), PhaseChanged("executing", "idle", execution=key))

    def begin(self, key: ExecutionKey, step: str, *, reversible: bool = True) -> None:
        self.device(StepStarted(key, step, reversible))

    def finish(self, key: ExecutionKey, step: str, outcome: str = "done") -> None:
        self.device(StepFinished(key, step, outcome))  # type: ignore[arg-type]

    def say(self, key: ExecutionKey, step: str, *, code: str | None = None, status: str | None = None) -> str:
        """Report a step, as our own agents do; its client token."""
        return self.update(key, code=code, status=status, details=(("progress", "100"), ("step", step)))

    def step(self, key: ExecutionKey, step: str) -> None:
        self.begin(key, step)
        self.wait(0.1)
        self.finish(key, step)

    def hint(self, *listed: ExecutionKey, namespace_id: str | None = None) -> None:
        self.wait(TIP)
        self.device(HintReceived("notify", namespace_id, listed))

    def remove(self, key: ExecutionKey, status: str = "IN_PROGRESS") -> None:
        self.cloud(ExecutionRemoved(self.thing, key, status))

    def learn_gone(self, key: ExecutionKey) -> None:
        """Hinted, asks, and is told."""
        self.hint()
        self.ask(key, code="ResourceNotFound")

    def undo(self, key: ExecutionKey, *steps: str) -> None:
        self.device(PhaseChanged("recovering", "suspect", execution=key), *(StepUndone(key, step) for step in steps))
        self.device(ExecutionLeft(key, "recovered"), PhaseChanged("idle", "recovering"))

    def hardware(self, version: str = "1.0", *pending: str, is_bootable: bool = True) -> None:
        self.device(HardwareChanged(is_bootable, version, pending))

    def leap(self, key: ExecutionKey, version: str = "2.0") -> None:
        """Ask, switch, commit."""
        self.ask(key)
        self.begin(key, "switch", reversible=False)
        self.wait(0.1)
        self.hardware(version)
        self.device(VersionCommitted(key, version))
        self.finish(key, "switch")

    def report(self, key: ExecutionKey, to: str = "SUCCEEDED", **more: Any) -> None:
        self.device(PhaseChanged("reporting", "executing", execution=key))
        self.update(key, to, **more)
        outcome = {"SUCCEEDED": "succeeded", "FAILED": "failed", "REJECTED": "rejected"}[to]
        self.device(ExecutionLeft(key, outcome), PhaseChanged("idle", "reporting"))  # type: ignore[arg-type]

    def work_through(self, key: ExecutionKey, version: str = "2.0") -> None:
        """Take it and bring it to its end."""
        self.take(key)
        self.step(key, "download")
        self.step(key, "write")
        self.leap(key, version)
        self.report(key)


def merged(*tales: Tale, things: tuple[str, ...] = (), places: tuple[PlaceToReach, ...] = ()) -> list[Entry]:
    """Several devices' tales, told under one cloud (whose clock they must share), as one run that has finished."""
    run = Tale(*places, things=things or tuple(tale.thing for tale in tales))
    run.now = max(tale.now for tale in tales)
    run.end()
    for tale in tales:
        began = tale.entries[0].event
        assert isinstance(began, RunStarted)
        if began.finish_after_switch:
            run.finishes_after_switch(*began.finish_after_switch)
        run.told_at_the_start(leap_unanswered=began.leap_unanswered, shared=began.shared)
    started, cloud_ended, run_ended = run.entries
    told = [entry for tale in tales for entry in tale.entries if entry.source != ENGINE]
    in_order = sorted((entry for entry in told if entry.source == CLOUD), key=lambda entry: entry.at)
    cloud = [entry._replace(n=number) for number, entry in enumerate([*in_order, cloud_ended], 1)]
    return [started, *(entry for entry in told if entry.source != CLOUD), *cloud, run_ended]


def from_the_wire(entries: list[Entry]) -> list[Entry]:
    """The same run, of which no device gives an account."""
    return [entry for entry in entries if not entry.source.startswith(device_source(""))]


def judge(entries: list[Entry], *, skip: frozenset[str] = frozenset()) -> Verdict:
    judge = Judge(skip)
    for entry in entries:
        judge.feed(entry)
    return judge.verdict()
