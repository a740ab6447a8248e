"""What is seen of a device through a control plane, what is held against it, and what is ever deleted there."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from agent.errors import InputError
from agent.values import ExecutionKey
from simulator.certify.aws.afar import LearnedFromAfar, learn_from_afar
from simulator.certify.aws.clearing import clear
from simulator.certify.aws.ledger import Ledger, Ledgered
from simulator.certify.aws.presence import Presence
from simulator.certify.aws.reach import GATEWAY, POWER, QUICK_TO_TAKE, SETTINGS, UNASKED, out_of_reach, reached
from simulator.certify.aws.removal import Removal
from simulator.certify.aws.watching import ABSENCES, Watching
from simulator.certify.cell import Cell
from simulator.certify.device import Elsewhere
from simulator.certify.learning import NotLearned
from simulator.certify.matrix import CELLS, Names, choose
from simulator.certify.moments import Moments
from simulator.certify.one_play import Played
from simulator.certify.session import Session
from simulator.certify.telling import ToScripts
from simulator.certify.turns import Turns
from simulator.certify.wiretap import Wiretap
from simulator.controller.hand import Hand, Refused, Unanswered
from simulator.controller.through_boto3 import ThroughBoto3
from simulator.scenario import Owner, Scenario
from simulator.trace import (
    CLOUD,
    ENGINE,
    ClientConnected,
    ClientDisconnected,
    CloudEvent,
    Entry,
    Event,
    ExecutionChanged,
    ExecutionQueued,
    ExecutionRemoved,
    JobDeleted,
    ProcessStalled,
    RunEnded,
    RunStarted,
)
from simulator.verdict import Judge

THING = "pump"


class Answers:
    """A carrier that answers from a script: per operation what it says next, the last of them again and again."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(self, operation: str, parameters: Mapping[str, Any], by: Owner) -> dict[str, Any]:
        """The next one; an exception is raised."""
        self.asked.append((operation, dict(parameters)))
        script = self.answers.get(operation, [{}])
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    async def close(self) -> None:
        """Nothing."""

    def operations(self, *names: str) -> list[str]:
        """Those of these names that were asked for."""
        return [operation for operation, _ in self.asked if operation in names]


def execution(status: str, version: int, queued_at: int = 100, **more: Any) -> dict[str, Any]:
    """DescribeJobExecution's answer."""
    told = {"status": status, "versionNumber": version, "queuedAt": queued_at, "executionNumber": 1}
    return {"execution": {"thingArn": f"arn:thing/{THING}", **told, **more}}


DELETING = "DELETION_IN_PROGRESS"
GONE = Refused("ResourceNotFoundException", "none")


async def looks(*answers: Any, asked_away: bool = False, job: list[Any] | None = None) -> list[CloudEvent]:
    """What is told of a job after that many looks."""
    told: list[CloudEvent] = []
    carrier = Answers(DescribeJobExecution=list(answers), DescribeJob=job or [{"job": {}}])
    clock = itertools.count()
    watching = Watching(THING, Hand(carrier), lambda event, _: told.append(event), lambda: float(next(clock)), 10.0)
    watching.told("CreateJob", {"jobId": "j"}, {})
    if asked_away:
        watching.told("DeleteJob", {"jobId": "j", "force": True}, {})
    for _ in answers:
        await watching._look()
    return [event for event in told if event.type not in ("job.created", "job.deletion_began")]


KEY = ExecutionKey(None, "j", execution_number=1, queued_at=100)


async def test_a_record_that_changes_is_told_with_its_version_and_details():
    details = {"detailsMap": {"step": "write"}}
    told = await looks(
        execution("QUEUED", 1),
        execution("QUEUED", 1),
        execution("IN_PROGRESS", 2),
        execution("IN_PROGRESS", 3, statusDetails=details),
        execution("CANCELED", 4),
    )
    assert told == [
        ExecutionQueued(THING, KEY),
        ExecutionChanged(THING, KEY, "IN_PROGRESS", 2, "device"),
        ExecutionChanged(THING, KEY, "IN_PROGRESS", 3, "device", {"step": "write"}),
        ExecutionChanged(THING, KEY, "CANCELED", 4, "service"),
    ]


async def test_what_ended_between_two_looks_was_in_progress_if_it_says_that_it_was_started():
    told = await looks(execution("SUCCEEDED", 5, startedAt=101))
    assert [getattr(event, "status", None) for event in told] == [None, "IN_PROGRESS", "SUCCEEDED"]
    told = await looks(execution("REJECTED", 2))
    assert [getattr(event, "status", None) for event in told] == [None, "REJECTED"]


async def test_the_first_absence_is_a_removal_only_if_it_was_asked_for():
    removed = ExecutionRemoved(THING, KEY, "IN_PROGRESS")
    running = execution("IN_PROGRESS", 2)
    assert removed in await looks(running, GONE, asked_away=True)
    assert removed not in await looks(running, GONE, running)
    assert removed in await looks(running, *[GONE] * ABSENCES)


async def test_a_job_is_deleted_once_its_record_and_it_are_gone():
    told = await looks(execution("IN_PROGRESS", 2), GONE, GONE, asked_away=True, job=[{"job": {}}, GONE])
    assert told[-1] == JobDeleted("j")


async def test_an_id_that_is_used_again_is_another_execution():
    told = await looks(execution("IN_PROGRESS", 2), execution("QUEUED", 1, queued_at=107))
    again = ExecutionKey(None, "j", execution_number=1, queued_at=107)
    assert told[-2:] == [ExecutionRemoved(THING, KEY, "IN_PROGRESS"), ExecutionQueued(THING, again)]


def test_a_look_that_comes_late_is_told_as_ours():
    told: list[CloudEvent] = []
    now = 0.0
    watching = Watching(THING, Hand(Answers()), lambda event, _: told.append(event), lambda: now, 1.0)
    for now, expected in ((1.0, 0), (2.5, 0), (9.5, 1)):
        watching._was_complete(now)
        assert len(told) == expected
        assert watching.seen_until == now
    assert told == [ProcessStalled("cloud", 5.0)]


async def test_while_the_device_works_on_somebody_elses_job_nothing_is_held_against_it():
    told: list[CloudEvent] = []
    now = 0.0
    ours, foreign, none = ({"executionSummaries": [{"jobId": each} for each in ids]} for ids in (["j"], ["f"], []))
    denied = Refused("AccessDeniedException", "no")
    carrier = Answers(ListJobExecutionsForThing=[ours, foreign, foreign, none, denied, foreign])
    watching = Watching(THING, Hand(carrier), lambda event, _: told.append(event), lambda: now, 1.0)
    watching.told("CreateJob", {"jobId": "j"}, {})
    for now in (1.0, 2.0, 4.0, 5.0, 6.0, 7.0):  # noqa: B007 - the clock
        await watching._look_at_others()
    assert told[1:] == [ProcessStalled("cloud", 2.0), ProcessStalled("cloud", 2.0)]
    assert len(carrier.operations("ListJobExecutionsForThing")) == 5, "who may not see that does not ask again"


# ── its connection ────────────────────────────────────────────────────────────────────────────────────────────────


def lifecycle(kind: str, version: int, **more: Any) -> bytes:
    """A message as AWS publishes it."""
    return json.dumps({"clientId": THING, "eventType": kind, "versionNumber": version, **more}).encode()


def test_lifecycle_events_may_come_twice_and_out_of_order():
    told: list[CloudEvent] = []
    presence = Presence(THING, told.append)
    lost = {"disconnectReason": "CONNECTION_LOST"}
    for message in (
        lifecycle("connected", 4),
        lifecycle("connected", 4),
        lifecycle("connected", 5),
        lifecycle("disconnected", 4, **lost),
        b"nonsense",
        b"[]",
        b'{"eventType": "connected", "versionNumber": Infinity}',
        lifecycle("disconnected", 5, **lost),
        lifecycle("disconnected", 5, **lost),
        lifecycle("connected", 5),
        lifecycle("connected", 0),
    ):
        presence.heard(message)
    assert told == [
        ClientConnected(THING),
        ClientDisconnected(THING, "DUPLICATE_CLIENTID"),
        ClientConnected(THING),
        ClientDisconnected(THING, "CONNECTION_LOST"),
        ClientConnected(THING),
    ]
    presence.lost_sight()
    assert told[-1] == ClientDisconnected(THING, "NOT_OBSERVED")
    assert not presence.is_connected


@pytest.mark.parametrize(
    ("connections", "outcome"),
    [
        ([], "not-exercised"),
        ([ClientConnected(THING)], "violated"),
        ([ClientConnected(THING), ClientDisconnected(THING, "CONNECTION_LOST")], "not-exercised"),
    ],
)
def test_nobody_is_accused_whose_connection_was_not_seen(connections: list[CloudEvent], outcome: str):
    started = RunStarted(
        "s", "certify", (THING,), {"ready_seconds": 5}, are_foreign=True, tells_presence=True, jobs=("j", "n")
    )
    following = ExecutionKey(None, "n", execution_number=1, queued_at=103)
    events: list[Event] = [
        *connections,
        ExecutionQueued(THING, KEY),
        ExecutionChanged(THING, KEY, "IN_PROGRESS", 2, "device"),
        ExecutionRemoved(THING, KEY, "IN_PROGRESS"),
        ExecutionQueued(THING, following),
    ]
    judge = Judge()
    judge.feed(Entry(ENGINE, 1, 0.0, started))
    for number, event in enumerate(events, 1):
        judge.feed(Entry(CLOUD, number, float(number), event))
    judge.feed(Entry(CLOUD, 99, 1000.0, JobDeleted("j")))
    judge.feed(Entry(ENGINE, 2, 1000.0, RunEnded("finished")))
    found = {each.id: each.outcome for each in judge.verdict().invariants}
    assert found["ready-in-time"] == outcome


class OutOfSight:
    """A desk, and the means of one, at which a device is lost sight of; what a play shows is the test's business."""

    sees_requests = False
    skip = frozenset[str]()
    offer = SimpleNamespace(thing=THING, namespace_id=None)
    wiretap = Wiretap()
    sampling = None

    @property
    def desk(self) -> "OutOfSight":
        """This one."""
        return self

    def hand(self) -> Hand:
        """Of an account in which every job is gone."""
        return Hand(Answers(DescribeJob=[GONE]))

    def why_not(self, *_: object) -> None:
        """Every cell can be played."""

    def not_seen(self, *_: object) -> dict[str, str]:
        """Whatever it is."""
        return {}

    def scenario(self, cell: Cell, learned: LearnedFromAfar, names: Names) -> Scenario:
        """As on the local cloud."""
        return cell.scenario(learned, names)


async def test_a_device_that_may_be_off_line_is_not_called_bricked(monkeypatch: pytest.MonkeyPatch):
    there: Any = OutOfSight()
    none = Moments(THING, (), lambda entry: None)
    device, telling = Elsewhere(None, None, {}), ToScripts(lambda line: None)
    session = Session(there, device, Names("t"), telling, moments=none)
    judge = Judge()
    judge.feed(Entry(ENGINE, 1, 0.0, RunStarted("s", "certify", (THING,), are_foreign=True, tells_presence=True)))
    judge.feed(Entry(ENGINE, 2, 9.0, RunEnded("timed-out")))
    played: list[str] = []

    async def in_vain(scenario: Scenario, name: str, turns: Turns | None = None) -> Played:
        played.append(name)
        return Played(scenario, judge.verdict(), (), 9.0, 0.0, None, {}, None)

    monkeypatch.setattr(session._plays, "play", in_vain)
    monkeypatch.setattr(session, "_learned", learn_from_afar(DONE, THING, "j", 1.0))
    first, second = [await session.play(cell) for cell in CELLS[:2]]
    assert (first.outcome, first.afterwards) == ("inconclusive", None)
    assert second.outcome == "inconclusive"
    assert "did not come back, but may be off line" in second.why
    assert played == [CELLS[0].id, "baseline/by-a-job"]


# ── what is learned ───────────────────────────────────────────────────────────────────────────────────────────────


def job(*changes: tuple[float, str, str | None]) -> list[Entry]:
    """A trace of one: when, which status, at which step."""
    told = [Entry(CLOUD, 1, 10.0, ExecutionQueued(THING, KEY))]
    for number, (at, status, step) in enumerate(changes, 2):
        details = None if step is None else {"step": step}
        told.append(Entry(CLOUD, number, at, ExecutionChanged(THING, KEY, status, number, "device", details)))
    return told


DONE = job(
    (11.0, "IN_PROGRESS", None),
    (12.0, "IN_PROGRESS", "download"),
    (14.0, "IN_PROGRESS", "download"),
    (16.0, "IN_PROGRESS", "switch"),
    (17.0, "IN_PROGRESS", "verify"),
    (21.0, "SUCCEEDED", None),
)


def test_steps_are_those_that_a_look_is_sure_to_see_and_bounds_have_room_for_looks():
    learned = learn_from_afar(DONE, THING, "j", 1.0)
    assert learned.steps == ("download", "verify")
    assert (learned.take_seconds, learned.work_seconds, learned.seen_by) == (1.0, 10.0, "control-plane")
    usual = learned.bounds()
    assert usual.ready_seconds > 120
    asked = LearnedFromAfar(**{name: getattr(learned, name) for name in learned.__dataclass_fields__})
    object.__setattr__(asked, "required", (("ready_seconds", 5.0),))
    assert asked.bounds().ready_seconds == 9.0


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "never queued"),
        (job(), "still QUEUED. Its connection was not seen"),
        ([*job(), Entry(CLOUD, 2, 11.0, ClientConnected(THING))], "It is connected"),
        (job((11.0, "IN_PROGRESS", None)), "not done with it in time"),
        (job((11.0, "FAILED", "flash")), "ended FAILED (step=flash)"),
    ],
)
def test_why_nothing_is_learned_is_told(entries: list[Entry], said: str):
    with pytest.raises(NotLearned) as why:
        learn_from_afar(entries, THING, "j", 1.0)
    assert said in str(why.value)
    assert why.value.failed is ("FAILED" in said)


# ── which cells ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_needs_the_gateway_is_out_of_reach_and_what_is_in_reach_waits_for_no_fault():
    learned = learn_from_afar(DONE, THING, "j", 1.0)
    why = {cell.id: out_of_reach(cell, learned, Names("estimate")) for cell in (UNASKED, *CELLS)}
    there = {cell for cell, reason in why.items() if reason is None}
    wanted = "step-first/calm step-middle/calm step-last/calm taking/calm report-accepted/calm recreated/same-document"
    assert there >= {*wanted.split(), "execution-deleted/calm", "cancelled/calm", "provoked/other-namespace"} & {*why}
    assert why["step-middle/power"] == POWER
    assert why["report/held"] == GATEWAY
    assert why["deleting/gone"] in (GATEWAY, SETTINGS)
    assert why[UNASKED.id] == QUICK_TO_TAKE.format(1.0)
    for cell in CELLS:
        if cell.id in there:
            played = reached(cell.scenario(learned, Names("estimate")), learned, 10.0)
            type(played).model_validate(played.model_dump(by_alias=True, exclude_unset=True))
            assert not played.faults, cell.id
            assert all(each.when.fault is None for each in played.deletions), cell.id
            assert all(place.place != "fault-struck" for place in played.must_reach), cell.id


def test_cells_of_accounts_come_first_and_once():
    cells = choose((), full=True, besides=(UNASKED, CELLS[-1]))
    assert cells[:2] == (UNASKED, CELLS[-1])
    assert len(cells) == len(CELLS) + 1


# ── what is made and deleted ──────────────────────────────────────────────────────────────────────────────────────


def ledgered(carrier: Answers) -> tuple[Ledger, Ledgered]:
    """Both, without a wait between requests."""
    ledger = Ledger("abc123")
    return ledger, Ledgered(carrier, ledger, lambda operation, given, answer: None, 0.0)


@pytest.mark.parametrize("operation", ["DeleteJob", "CancelJob", "DeleteJobExecution", "CancelJobExecution"])
async def test_what_the_session_did_not_make_is_left_alone(operation: str):
    carrier = Answers()
    _, asked = ledgered(carrier)
    with pytest.raises(InputError, match="left alone"):
        await asked.call(operation, {"jobId": "production"}, "customer")
    assert not carrier.asked


async def test_a_job_of_which_nobody_knows_whether_it_was_made_goes_only_if_it_has_our_tags():
    for session, deletes in (("abc123", True), ("another", False)):
        tags = {"tags": [{"Key": "ghostjob-session", "Value": session}]}
        there = {"job": {"jobArn": "arn:job/j", "status": "IN_PROGRESS"}}
        carrier = Answers(
            CreateJob=[Unanswered("lost")],
            DescribeJob=[there, there, GONE] if deletes else [there],
            ListTagsForResource=[tags],
        )
        ledger, asked = ledgered(carrier)
        with pytest.raises(Unanswered):
            await asked.call("CreateJob", {"jobId": "j"}, "customer")
        with pytest.raises(InputError, match="left alone"):
            await asked.call("DeleteJob", {"jobId": "j"}, "customer")
        await clear(asked, ledger, 0.0)
        assert bool(carrier.operations("DeleteJob")) is deletes
        assert not ledger.jobs


async def test_ten_jobs_at_once_are_deleted_and_what_is_refused_is_left_with_its_command():
    refused = Refused("UnauthorizedException", "no")
    carrier = Answers(DescribeJob=[{"job": {"status": "IN_PROGRESS"}}], DeleteJob=[refused])
    ledger, asked = ledgered(carrier)
    ledger.jobs = {f"j{number}": "arn" for number in range(12)}
    ledger.policy, ledger.thing, ledger.principal = "p", "t", "arn:aws:iot:r:1:cert/abc"
    ledger.attached, ledger.namespaces = ["t"], {"j1": "lab"}
    await clear(asked, ledger, 0.0)
    assert carrier.operations("DescribeJob", "DeleteJob")[:10] == ["DescribeJob"] * 10
    assert ledger.left(" --profile lab")[0] == "aws iot delete-job --job-id j0 --force --profile lab"
    assert ledger.left()[1] == "aws iot delete-job --job-id j1 --force --namespace-id lab"
    ledger.going.add("j2")
    assert not any("j2 " in line for line in ledger.left()), "it goes by itself"
    assert [line.split()[2] for line in ledger.left()][11:] == [
        "detach-thing-principal",
        "detach-policy",
        "update-certificate",
        "delete-certificate",
        "delete-policy",
        "delete-thing",
    ]


async def test_a_job_that_is_being_made_as_its_session_is_interrupted_stands_in_the_ledger():
    carrier = Answers(CreateJob=[{"jobArn": "arn:job/j"}])
    ledger, asked = ledgered(carrier)
    making = asyncio.ensure_future(asked.call("CreateJob", {"jobId": "j"}, "customer"))
    await asyncio.sleep(0)
    making.cancel()
    await asked.settled()
    assert ledger.jobs == {"j": "arn:job/j"}
    assert carrier.asked[0][1]["tags"] == ledger.tags


async def test_what_is_refused_for_now_or_not_answered_is_asked_for_again_and_nothing_is_made_twice():
    busy, lost = Refused("ThrottlingException", "busy"), Unanswered("lost")
    ours = {"tags": [{"Key": "ghostjob-session", "Value": "abc123"}]}
    carrier = Answers(
        CreateJob=[busy, lost, Refused("ResourceAlreadyExistsException", "there")],
        DescribeJob=[{"job": {"jobArn": "arn:job/j", "status": "IN_PROGRESS"}}, {"job": {"status": DELETING}}],
        ListTagsForResource=[ours],
        DeleteJob=[lost, Refused("InvalidStateTransitionException", "deleted already")],
    )
    told: list[str] = []
    ledger = Ledger("abc123")
    asked = Ledgered(carrier, ledger, lambda operation, given, answer: told.append(operation), 0.0)
    assert await asked.call("CreateJob", {"jobId": "j"}, "customer") == {"jobArn": "arn:job/j"}
    assert ledger.jobs == {"j": "arn:job/j"}
    await asked.call("DeleteJob", {"jobId": "j"}, "customer")
    assert ledger.going == {"j"}
    assert told == ["CreateJob", "DeleteJob"]
    with pytest.raises(Refused):
        await asked.call("DeleteJob", {"jobId": "j"}, "customer")


async def test_a_job_that_stands_is_not_made_again():
    carrier = Answers(CreateJob=[{"jobArn": "arn:job/j"}, Refused("ResourceAlreadyExistsException", "there")])
    ledger, asked = ledgered(carrier)
    await asked.call("CreateJob", {"jobId": "j"}, "customer")
    with pytest.raises(Refused):
        await asked.call("CreateJob", {"jobId": "j"}, "customer")
    assert ledger.jobs == {"j": "arn:job/j"}


async def test_who_never_answered_is_not_waited_for_and_how_many_deletions_go_on_is_not_waited_for_here():
    lost = Unanswered("nobody")
    carrier = Answers(DescribeEndpoint=[lost, {}], DescribeThing=[lost])
    asked = Ledgered(carrier, Ledger("abc123"), lambda operation, given, answer: None, 0.0, patience_seconds=1.0)
    with pytest.raises(Unanswered):
        await asked.make("DescribeEndpoint")
    await asked.make("DescribeEndpoint")
    for times in (3, 4):
        with pytest.raises(Unanswered):
            await asked.make("DescribeThing")
        assert len(carrier.operations("DescribeThing")) == times
    carrier = Answers(DeleteJob=[Refused("LimitExceededException", "ten")])
    ledger, asked = ledgered(carrier)
    ledger.jobs["j"] = "arn:job/j"
    with pytest.raises(Refused):
        await asked.call("DeleteJob", {"jobId": "j"}, "customer")
    assert len(carrier.asked) == 1


async def test_an_id_that_is_used_again_before_anybody_looked_is_a_job_that_stays_in_the_ledger():
    told: list[CloudEvent] = []
    carrier = Answers(DescribeJobExecution=[execution("IN_PROGRESS", 2), GONE], DescribeJob=[GONE])
    watching = Watching(THING, Hand(carrier), lambda event, _: told.append(event), lambda: 1.0, 10.0)
    watching.told("CreateJob", {"jobId": "j"}, {})
    await watching._look()
    watching.told("DeleteJob", {"jobId": "j", "force": True}, {})
    watching.told("CreateJob", {"jobId": "j"}, {})
    await watching._look()
    names = [event.type for event in told]
    assert names[-4:] == ["job.deletion_began", "execution.removed", "job.deleted", "job.created"]


def everything(carrier: Answers) -> tuple[Ledger, Removal]:
    """A ledger of all that lets a device in."""
    ledger, asked = ledgered(carrier)
    ledger.principal, ledger.policy, ledger.thing, ledger.attached = "arn:aws:iot:r:1:cert/abc", "p", "t", ["t"]
    return ledger, Removal(asked, ledger, lambda line: None, 0.0, 1000.0)


OURS = {"attributes": {"ghostjob-session": "abc123"}}


async def test_what_hangs_on_something_that_takes_time_is_removed_in_the_end():
    conflict, state = Refused("DeleteConflictException", "attached"), Refused("CertificateStateException", "active")
    carrier = Answers(
        DeleteCertificate=[state, conflict, {}], DeletePolicy=[conflict, conflict, {}], DescribeThing=[OURS]
    )
    ledger, removal = everything(carrier)
    await removal.run()
    assert ledger.left() == ()
    assert not removal.whys
    assert carrier.asked[-1] == ("DeleteThing", {"thingName": "t"})


@pytest.mark.parametrize(
    ("denied", "left"),
    [
        ("DetachThingPrincipal", ["detach-thing-principal", "detach-policy", "update", "delete-certificate", "p", "t"]),
        ("DeletePolicy", ["delete-policy"]),
        ("DeleteThing", ["delete-thing"]),
    ],
)
async def test_one_refusal_leaves_what_hangs_on_it_and_nothing_else_and_a_certificate_of_no_use(
    denied: str, left: list[str]
):
    carrier = Answers(DescribeThing=[OURS], **{denied: [Refused("AccessDeniedException", "no")]})
    ledger, removal = everything(carrier)
    await removal.run()
    assert len(ledger.left()) == len(left)
    assert all(word in line for word, line in zip(left, ledger.left(), strict=True))
    assert removal.whys == ["AccessDeniedException: no"]
    asked = [parameters for operation, parameters in carrier.asked if operation == "UpdateCertificate"]
    assert asked == [{"certificateId": "abc", "newStatus": "INACTIVE"}]


async def test_a_thing_of_that_name_which_somebody_else_made_meanwhile_stays():
    carrier = Answers(DescribeThing=[{"attributes": {"ghostjob-session": "another"}}])
    ledger, removal = everything(carrier)
    await removal.run()
    assert ledger.left() == ()
    assert not carrier.operations("DeleteThing")


async def test_the_token_of_temporary_credentials_stands_behind_what_is_signed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "to/ken")
    carrier = ThroughBoto3("http://127.0.0.1:9", region="eu-west-1")
    url = carrier.signed_websocket("wss://x-ats.iot.eu-west-1.amazonaws.com/mqtt")
    await carrier.close()
    assert url.startswith("wss://x-ats.iot.eu-west-1.amazonaws.com/mqtt?X-Amz-Algorithm=")
    assert "eu-west-1%2Fiotdevicegateway" in url
    assert url.endswith("&X-Amz-Security-Token=to%2Fken")
