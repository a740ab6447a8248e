"""Where the fleet really stands: what ListJobExecutionsForJob says of a job, from a file of the AWS CLI or an endpoint.

    aws iot list-job-executions-for-job --job-id fw > executions.json

A summary tells the status, and when the execution was queued, started and last changed; it does not tell the step. So a
device that has been IN_PROGRESS for so long is taken to be where the scenario's own devices are after as long.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json import detect_encoding
from math import inf, isfinite
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agent.errors import InputError
from agent.values import Status
from agent.wording import first_wrong

LARGEST_BYTES: Final = 500_000_000
"""Of a file: a million executions take some 300 MB as the AWS CLI writes them."""
_OPEN: Final = (Status.QUEUED, Status.IN_PROGRESS)


def epoch(told: Any) -> float:
    """Epoch seconds of a time, which the AWS CLI writes in ISO 8601, or as a number if it is told to.

    Raises ValueError.
    """
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        raise ValueError("is no time: give epoch seconds, or ISO 8601")
    try:
        number = float(told)
    except ValueError:
        number = inf
    if isfinite(number):
        return number
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        raise ValueError(f"{told!r} is no time: give epoch seconds, or ISO 8601") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


Time = Annotated[float, BeforeValidator(epoch), Field(ge=0, le=1e11)]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Told(_Read):
    status: Status
    queued_at: Time | None = Field(None, alias="queuedAt")
    started_at: Time | None = Field(None, alias="startedAt")
    last_updated_at: Time | None = Field(None, alias="lastUpdatedAt")
    execution_number: int = Field(1, alias="executionNumber")


class _Summary(_Read):
    thing_arn: str = Field(alias="thingArn")
    told: _Told = Field(alias="jobExecutionSummary")


class _Page(_Read):
    summaries: tuple[_Summary, ...] = Field(alias="executionSummaries")
    next_token: str | None = Field(None, alias="nextToken")
    cli_token: str | None = Field(None, alias="NextToken")
    """What the AWS CLI calls it where `--max-items` cut its output off."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is known of a job's executions, the latest of each thing, at `as_of` in epoch seconds.

    `ages` is for how many seconds those IN_PROGRESS have been so, the longest first. `starts_per_second` is the pace at
    which devices began; None: fewer than two did. `ended` has how many have which status that nothing follows.
    """

    as_of: float
    ages: tuple[float, ...]
    queued: int
    ended: Mapping[str, int]
    starts_per_second: float | None


def in_file(path: Path, as_of: float | None) -> Fleet:
    """What the AWS CLI wrote; without `as_of`, it is as old as the last that happened in it. Raises InputError."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"--job-of {path}: cannot read it: {error.strerror}") from None
    if len(text) > LARGEST_BYTES:
        raise InputError(f"--job-of {path}: larger than {LARGEST_BYTES} bytes")
    try:
        page = _Page.model_validate_json(_in_utf_8(text))
    except ValidationError as error:
        raise InputError(
            f"--job-of {path}: not what `aws iot list-job-executions-for-job` prints with --output json: "
            f"{first_wrong(error)}"
        ) from None
    if page.next_token or page.cli_token:
        raise InputError(f"--job-of {path}: more pages follow this one; list them all, without --max-items")
    return _fleet(page.summaries, as_of, f"--job-of {path}")


def _in_utf_8(text: bytes) -> bytes:
    """As JSON is to be; a shell may have written another encoding (PowerShell: UTF-16), or a mark at its beginning."""
    encoding = detect_encoding(text)
    return text if encoding == "utf-8" else text.decode(encoding, "replace").encode()


def as_told(summaries: Sequence[Mapping[str, Any]], as_of: float, where: str) -> Fleet:
    """What a control plane answered, all pages together. Raises InputError."""
    try:
        page = _Page.model_validate({"executionSummaries": summaries})
    except ValidationError as error:
        raise InputError(f"{where}: not what AWS IoT answers: {first_wrong(error)}") from None
    return _fleet(page.summaries, as_of, where)


def _fleet(summaries: Sequence[_Summary], as_of: float | None, where: str) -> Fleet:
    latest: dict[str, _Told] = {}
    for each in summaries:
        known = latest.get(each.thing_arn)
        if known is None or known.execution_number <= each.told.execution_number:
            latest[each.thing_arn] = each.told
    told = latest.values()
    if not any(each.status in _OPEN for each in told):
        raise InputError(f"{where}: of {len(latest)} executions none is QUEUED or IN_PROGRESS: nothing is under way")
    times = [at for each in told for at in (each.queued_at, each.started_at, each.last_updated_at) if at is not None]
    if as_of is None:
        if not times:
            raise InputError(f"{where}: no execution tells a time; say with --as-of when it was listed")
        as_of = max(times)
    started = [each for each in told if each.status is Status.IN_PROGRESS]
    ages = [as_of - (each.started_at or each.last_updated_at or as_of) for each in started]
    return Fleet(
        as_of,
        tuple(sorted((max(age, 0.0) for age in ages), reverse=True)),
        sum(each.status is Status.QUEUED for each in told),
        dict(sorted(Counter(str(each.status) for each in told if each.status not in _OPEN).items())),
        _pace([each.started_at for each in told if each.started_at is not None]),
    )


def _pace(starts: Sequence[float]) -> float | None:
    """Devices that began, a second."""
    span = max(starts, default=0.0) - min(starts, default=0.0)
    return (len(starts) - 1) / span if span > 0 else None
