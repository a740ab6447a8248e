"""Both cores against each other, through the real bytes, with no network and no clock."""

from dataclasses import dataclass, field

import pytest

from agent.core import DevicePolicy, Machine, start, step
from agent.core.events import (
    Answered,
    BeginStep,
    Booted,
    Connected,
    Event,
    Hinted,
    Publish,
    Remember,
    SetTimer,
    StepEnded,
    StepRestored,
    StopStep,
    Tell,
    TimerFired,
    UndoStep,
    Verified,
    Verify,
)
from agent.core.record import Record
from agent.correlation import Correlated, Correlation, correlated
from agent.device_events import DeviceEvent, ExecutionGone, ExecutionLeft
from agent.messages import read_answer, read_hint, read_request, write_answer, write_hint, write_request
from agent.topics import AnswerTopic, HintTopic, RequestTopic, parse, request_topic
from agent.values import JobDocument, JobMentioned, Rejected, Status
from simulator.cloud.jobs import Jobs, JobsError, JobsSettings, NewJob, Outcome
from simulator.cloud.jobs.commands import CancelJob, CreateJob, DeleteJob

THING = "thing-0"


@dataclass
class Conversation:
    """One device and the service; nothing happens but by the test's hand. The step that runs ends when told to."""

    namespace_id: str | None = None
    now: float = 1000.5
    jobs: Jobs = field(default_factory=lambda: Jobs(JobsSettings(deletion_seconds=2, deletion_seconds_per_execution=0)))
    told: list[DeviceEvent] = field(default_factory=list)
    running: BeginStep | None = None
    record: Record | None = None
    undone: list[str] = field(default_factory=list)
    _todo: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machine = self._begun("t")

    def _begun(self, prefix: str) -> Correlated[Machine]:
        return Correlated(start(DevicePolicy(namespace_id=self.namespace_id)), Correlation(prefix))

    def create(self, job_id: str, version: str) -> None:
        document = JobDocument.of({"operation": "update", "version": version})
        self.heard(
            self.jobs.do(CreateJob(NewJob(job_id, (THING,), document, namespace_id=self.namespace_id)), self.now)
        )

    def delete(self, job_id: str) -> None:
        self.heard(self.jobs.do(DeleteJob(job_id, force=True, namespace_id=self.namespace_id), self.now))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.heard(self.jobs.tick(self.now))

    def heard(self, outcome: Outcome) -> None:
        """Carry the hints over, as bytes."""
        for thing, hint in outcome.hints:
            assert thing == THING
            if isinstance(hint, JobMentioned):
                continue
            kind = "notify" if hasattr(hint, "queued") else "notify-next"
            topic = HintTopic(THING, kind, hint.namespace_id)
            self.feed(Hinted(read_hint(topic, "", write_hint(hint))))

    def end_step(self) -> None:
        assert self.running is not None
        begun, self.running = self.running, None
        if begun.step.action == "reboot":
            self.machine = self._begun("u")
            self.feed(Booted(self.record, begun.version, on_trial=True))
            self.feed(Connected())
        else:
            self.feed(StepEnded(begun.index, "done"))

    def feed(self, event: Event) -> None:
        self._todo.append(event)
        while self._todo:
            self.machine, effects = correlated(step)(self.machine, self._todo.pop(0))
            for effect in effects:
                match effect:
                    case Publish(request=request):
                        self._publish(request)
                    case Tell(event=told):
                        self.told.append(told)
                    case BeginStep():
                        self.running = effect
                    case Remember(record=record):
                        self.record = record
                    case StopStep(index=index):
                        self.running = None
                        self._todo.append(StepEnded(index, "stopped"))
                    case UndoStep(index=index, step=undone):
                        self.undone.append(undone.name)
                        self._todo.append(StepRestored(index, True))
                    case Verify():
                        self._todo.append(Verified(True))
                    case SetTimer(name="retry"):
                        self._todo.append(TimerFired("retry"))
                    case _:
                        pass

    def _publish(self, request) -> None:
        name = request_topic(THING, request)
        topic = parse(name)
        assert isinstance(topic, RequestTopic)
        outcome = self.jobs.device_request(THING, read_request(topic, write_request(request)), self.now)
        accepted = not isinstance(outcome.answer, Rejected)
        answer = read_answer(AnswerTopic(topic, accepted), name, write_answer(outcome.answer))
        self._todo.append(Answered(answer))
        for _, hint in outcome.hints:
            if not isinstance(hint, JobMentioned):
                self._todo.append(Hinted(hint))

    def outcomes(self) -> list[str]:
        return [event.outcome for event in self.told if isinstance(event, ExecutionLeft)]

    def status(self, job_id: str) -> Status:
        return self.jobs.execution(THING, job_id).status


NAMESPACES = pytest.mark.parametrize("namespace_id", [None, "lab"])


@NAMESPACES
def test_a_job_runs_through_to_succeeded(namespace_id):
    both = Conversation(namespace_id)
    both.feed(Connected())
    both.create("fw", "2.0")
    for _ in range(6):
        both.end_step()
    assert both.outcomes() == ["succeeded"]
    assert both.status("fw") is Status.SUCCEEDED
    assert both.jobs.job("fw").status == "COMPLETED"


@NAMESPACES
@pytest.mark.parametrize(
    ("steps", "undone", "outcome"),
    [
        pytest.param(0, ["download"], "recovered", id="in the first step"),
        pytest.param(1, ["write", "download"], "recovered", id="in the second step"),
        pytest.param(2, ["switch", "write", "download"], "recovered", id="in the third step"),
        pytest.param(4, ["self-test", "reboot", "switch", "write", "download"], "recovered", id="on trial"),
        pytest.param(5, [], "kept", id="in the irreversible step"),
    ],
)
def test_force_delete_in_mid_execution_then_the_next_job_under_the_same_id(namespace_id, steps, undone, outcome):
    both = Conversation(namespace_id)
    both.feed(Connected())
    both.create("fw", "2.0")
    for _ in range(steps):
        both.end_step()
    both.delete("fw")
    if both.running is not None:
        both.end_step()
    assert [event.end for event in both.told if isinstance(event, ExecutionGone)] == ["gone"]
    assert both.undone == undone
    assert both.outcomes() == [outcome]
    with pytest.raises(JobsError, match="already exists"):
        both.create("fw", "2.1")
    both.pass_time(2)
    both.create("fw", "2.1")
    for _ in range(6):
        both.end_step()
    assert both.outcomes() == [outcome, "succeeded"]
    kept = dict(both.jobs.execution(THING, "fw").status_details).get("kept")
    assert kept == ("2.0" if outcome == "kept" else None)


@NAMESPACES
def test_a_forced_cancel_is_learned_as_such(namespace_id):
    both = Conversation(namespace_id)
    both.feed(Connected())
    both.create("fw", "2.0")
    both.heard(both.jobs.do(CancelJob("fw", force=True), both.now))
    assert [event.end for event in both.told if isinstance(event, ExecutionGone)] == ["cancelled"]
    assert both.undone == ["download"]
    assert both.status("fw") is Status.CANCELED


def test_a_deletion_and_re_creation_within_one_second_is_told_apart_by_the_version():
    both = Conversation("lab")
    both.jobs = Jobs(JobsSettings(deletion_seconds=0, deletion_seconds_per_execution=0))
    both.feed(Connected())
    both.create("fw", "2.0")
    outcome = both.jobs.do(DeleteJob("fw", force=True, namespace_id="lab"), both.now)
    both.create("fw", "2.1")
    both.heard(outcome)
    assert [event.end for event in both.told if isinstance(event, ExecutionGone)] == ["replaced"]
