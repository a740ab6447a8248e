"""CreateJob's configurations, from the JSON of the API to the values of the jobs core, and back for DescribeJob.

What the service model states is checked already; here stands what only the documentation says: a timeout of 1 to 10080
minutes, one decimal for a factor, two for a percentage, one criterion for a rate, the format of times.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from simulator.cloud.api.api_errors import invalid
from simulator.cloud.api.backing import Parameters
from simulator.cloud.jobs import (
    AbortCriterion,
    ExponentialRate,
    JobUpdate,
    MaintenanceWindow,
    NewJob,
    PresignedUrls,
    RetryCriterion,
    Rollout,
    Schedule,
)

TIME: Final = "%Y-%m-%d %H:%M"
LONGEST_TIMEOUT_MINUTES: Final = 10_080
PACKAGES: Final = 25
MEMBERS: Final = (
    "presignedUrlConfig",
    "jobExecutionsRolloutConfig",
    "abortConfig",
    "timeoutConfig",
    "jobExecutionsRetryConfig",
    "schedulingConfig",
    "destinationPackageVersions",
)
"""The configurations of a job, which a template has too."""


def configuration(given: Parameters) -> dict[str, Any]:
    """The members of NewJob that are configurations. Raises ApiError."""
    if len(given.get("destinationPackageVersions", [])) > PACKAGES:
        raise invalid(f"destinationPackageVersions: at most {PACKAGES} package versions.")
    return {
        "rollout": _rollout(given),
        "abort": _abort(given) or (),
        "timeout_minutes": _timeout(given),
        "retries": _retries(given) or (),
        "presigned_urls": _presigned_urls(given),
        "schedule": _schedule(given),
    }


def update(given: Parameters) -> JobUpdate:
    """What UpdateJob changes. Raises ApiError."""
    return JobUpdate(
        given.get("description"),
        _presigned_urls(given),
        _rollout(given),
        _abort(given),
        _timeout(given),
        _retries(given),
    )


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────


def _rollout(given: Parameters) -> Rollout | None:
    if (told := given.get("jobExecutionsRolloutConfig")) is None:
        return None
    return Rollout(told.get("maximumPerMinute"), _exponential(told))


def _exponential(told: Parameters) -> ExponentialRate | None:
    if (rate := told.get("exponentialRate")) is None:
        return None
    criteria = rate["rateIncreaseCriteria"]
    notified, succeeded = criteria.get("numberOfNotifiedThings"), criteria.get("numberOfSucceededThings")
    if (notified is None) == (succeeded is None):
        raise invalid("rateIncreaseCriteria: exactly one of numberOfNotifiedThings and numberOfSucceededThings.")
    factor = rate["incrementFactor"]
    if round(factor, 1) != factor:
        raise invalid("incrementFactor: at most one digit after the decimal point.")
    return ExponentialRate(rate["baseRatePerMinute"], factor, notified, succeeded)


def _abort(given: Parameters) -> tuple[AbortCriterion, ...] | None:
    if (told := given.get("abortConfig")) is None:
        return None
    for criterion in told["criteriaList"]:
        share = criterion["thresholdPercentage"]
        if share < 0 or round(share, 2) != share:
            raise invalid("thresholdPercentage: 0 to 100, with at most two digits after the decimal point.")
    return tuple(
        AbortCriterion(each["failureType"], each["thresholdPercentage"], each["minNumberOfExecutedThings"])
        for each in told["criteriaList"]
    )


def _timeout(given: Parameters) -> int | None:
    if (told := given.get("timeoutConfig")) is None:
        return None
    minutes = told.get("inProgressTimeoutInMinutes")
    if minutes is not None and not 1 <= minutes <= LONGEST_TIMEOUT_MINUTES:
        raise invalid(f"inProgressTimeoutInMinutes: 1 to {LONGEST_TIMEOUT_MINUTES}.")
    return None if minutes is None else int(minutes)


def _retries(given: Parameters) -> tuple[RetryCriterion, ...] | None:
    if (told := given.get("jobExecutionsRetryConfig")) is None:
        return None
    criteria = tuple(RetryCriterion(each["failureType"], each["numberOfRetries"]) for each in told["criteriaList"])
    kinds = [criterion.failure_type for criterion in criteria]
    if len(set(kinds)) < len(kinds) or ("ALL" in kinds and len(kinds) > 1):
        raise invalid("jobExecutionsRetryConfig: each failure type once, and ALL alone.")
    return criteria


def _presigned_urls(given: Parameters) -> PresignedUrls | None:
    if (told := given.get("presignedUrlConfig")) is None:
        return None
    return PresignedUrls(told.get("roleArn"), told.get("expiresInSec", 3600))


def _schedule(given: Parameters) -> Schedule | None:
    if (told := given.get("schedulingConfig")) is None:
        return None
    windows = tuple(
        MaintenanceWindow(each["startTime"], each["durationInMinutes"]) for each in told.get("maintenanceWindows", [])
    )
    start, end = told.get("startTime"), told.get("endTime")
    return Schedule(_moment(start, "startTime"), _moment(end, "endTime"), told.get("endBehavior"), windows, start, end)


def _moment(text: str | None, name: str) -> float | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise invalid(f"{name}: expected YYYY-MM-DD HH:MM, in UTC.") from None


# ── showing ───────────────────────────────────────────────────────────────────────────────────────────────────


def shown(new: NewJob) -> Parameters:
    """A job's configurations as CreateJob took them; those that it has not are left out."""
    return {
        name: value
        for name, value in (
            ("presignedUrlConfig", _show_urls(new.presigned_urls)),
            ("jobExecutionsRolloutConfig", _show_rollout(new.rollout)),
            ("abortConfig", _show_abort(new.abort)),
            ("timeoutConfig", _show_timeout(new.timeout_minutes)),
            ("jobExecutionsRetryConfig", _show_retries(new.retries)),
            ("schedulingConfig", _show_schedule(new.schedule)),
        )
        if value is not None
    }


def _show_urls(urls: PresignedUrls | None) -> Parameters | None:
    return None if urls is None else _without_none(roleArn=urls.role_arn, expiresInSec=urls.expires_seconds)


def _show_rollout(rollout: Rollout | None) -> Parameters | None:
    if rollout is None:
        return None
    rate, exponential = rollout.exponential, None
    if rate is not None:
        criteria = _without_none(numberOfNotifiedThings=rate.per_notified, numberOfSucceededThings=rate.per_succeeded)
        exponential = {
            "baseRatePerMinute": rate.base_per_minute,
            "incrementFactor": rate.increment_factor,
            "rateIncreaseCriteria": criteria,
        }
    return _without_none(maximumPerMinute=rollout.maximum_per_minute, exponentialRate=exponential)


def _show_abort(criteria: tuple[AbortCriterion, ...]) -> Parameters | None:
    if not criteria:
        return None
    return {
        "criteriaList": [
            {
                "failureType": each.failure_type,
                "action": "CANCEL",
                "thresholdPercentage": each.threshold_percentage,
                "minNumberOfExecutedThings": each.min_executed,
            }
            for each in criteria
        ]
    }


def _show_timeout(minutes: int | None) -> Parameters | None:
    return None if minutes is None else {"inProgressTimeoutInMinutes": minutes}


def _show_retries(criteria: tuple[RetryCriterion, ...]) -> Parameters | None:
    if not criteria:
        return None
    return {"criteriaList": [{"failureType": each.failure_type, "numberOfRetries": each.retries} for each in criteria]}


def _show_schedule(schedule: Schedule | None) -> Parameters | None:
    if schedule is None:
        return None
    windows = [{"startTime": each.cron, "durationInMinutes": each.minutes} for each in schedule.windows]
    return _without_none(
        startTime=schedule.start_text,
        endTime=schedule.end_text,
        endBehavior=schedule.end_behavior,
        maintenanceWindows=windows or None,
    )


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def as_time(moment: float) -> str:
    """A moment in the format of a schedule."""
    return datetime.fromtimestamp(moment, UTC).strftime(TIME)


def overlaid(template: Mapping[str, Any], given: Parameters) -> Parameters:
    """What CreateJob gives, on top of what its template says: a member that is given replaces the template's."""
    return dict(template) | given
