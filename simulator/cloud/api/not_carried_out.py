"""What the control plane takes and nobody carries out as AWS would: one table, from which it is logged and documented.

Whatever an operation's input may hold is either acted on or has a row here: `tests/simulator/cloud/api` holds the table
against the service model. A row that makes a difference to devices is told each time, the others once.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from agent.log import get_logger
from simulator.cloud.api.backing import Backing, Parameters
from simulator.cloud.api.events import PUBLISHED
from simulator.cloud.api.indexing import NOT_INDEXED
from simulator.cloud.jobs import NewJob, placeholders

Applies: TypeAlias = Callable[[Parameters, Backing], bool]
_log = get_logger("ghostjob.cloud.api")


@dataclass(frozen=True, slots=True)
class NotCarriedOut:
    """`applies` is asked once an operation has been carried out, with its input.

    `what` is taken, `instead` is what happens, `advice` what can be done about it; each goes on from its name.
    """

    id: str
    operations: tuple[str, ...]
    what: str
    instead: str
    advice: str
    applies: Applies
    each_time: bool = False


def _new(given: Parameters, backing: Backing) -> NewJob:
    return backing.jobs.job(given["jobId"]).new


def _open(given: Parameters, backing: Backing) -> Collection[str]:
    return placeholders.names(_new(given, backing).document.text)


def _has(kind: str) -> Applies:
    return lambda given, backing: kind in _open(given, backing)


def _has_urls(given: Parameters, backing: Backing) -> bool:
    return any(name in _open(given, backing) for name in placeholders.URLS)


def _has_others(given: Parameters, backing: Backing) -> bool:
    known = (*placeholders.URLS, "s3-presigned-url-upload", "code-sign-signature", "package")
    return any(name not in known for name in _open(given, backing))


def _has_no_role(given: Parameters, backing: Backing) -> bool:
    urls = _new(given, backing).presigned_urls
    return backing.jobs.presign is not None and _has_urls(given, backing) and (urls is None or urls.role_arn is None)


def _has_package_versions(given: Parameters, backing: Backing) -> bool:
    if "jobId" not in given:
        return "destinationPackageVersions" in given
    return "destinationPackageVersions" in dict(_new(given, backing).config)


def _has_a_role(given: Parameters, backing: Backing) -> bool:
    return "roleArn" in given.get("presignedUrlConfig", {})


def _switches_on_others(given: Parameters, backing: Backing) -> bool:
    wanted = given.get("eventConfigurations", {}).items()
    return any(kind not in PUBLISHED and told.get("Enabled", False) for kind, told in wanted)


def _says_what_is_indexed(given: Parameters, backing: Backing) -> bool:
    return any(set(told) - {"thingIndexingMode", "thingGroupIndexingMode", *NOT_INDEXED} for told in given.values())


AS_IT_STANDS: Final = "devices get the placeholder as it stands"
NOT_CARRIED_OUT: Final[tuple[NotCarriedOut, ...]] = (
    NotCarriedOut(
        "urls-without-files",
        ("CreateJob",),
        "${aws:iot:s3-presigned-url:…} in a document, to a cloud without --files",
        AS_IT_STANDS,
        "start the cloud with --files DIR, where DIR/BUCKET/KEY stands for the object",
        lambda given, backing: backing.jobs.presign is None and _has_urls(given, backing),
        each_time=True,
    ),
    NotCarriedOut(
        "urls-to-upload-to",
        ("CreateJob",),
        "${aws:iot:s3-presigned-url-upload:…} in a document",
        AS_IT_STANDS,
        "put a URL that takes uploads into the document",
        _has("s3-presigned-url-upload"),
        each_time=True,
    ),
    NotCarriedOut(
        "code-signatures",
        ("CreateJob",),
        "${aws:iot:code-sign-signature:…} in a document",
        AS_IT_STANDS,
        "put a signature of your own into the document",
        _has("code-sign-signature"),
        each_time=True,
    ),
    NotCarriedOut(
        "package-attributes",
        ("CreateJob",),
        "${aws:iot:package:…} in a document",
        AS_IT_STANDS,
        "put the attributes of the package version into the document",
        _has("package"),
        each_time=True,
    ),
    NotCarriedOut(
        "other-placeholders",
        ("CreateJob",),
        "any other ${aws:iot:…} in a document, such as a parameter outside of a managed template",
        AS_IT_STANDS,
        "put what it stands for into the document",
        _has_others,
        each_time=True,
    ),
    NotCarriedOut(
        "urls-without-a-role",
        ("CreateJob",),
        "${aws:iot:s3-presigned-url:…} in a document, and no role in presignedUrlConfig",
        "URLs are signed all the same, for which AWS needs a role",
        "give the job a presignedUrlConfig with a roleArn before it goes to AWS",
        _has_no_role,
    ),
    NotCarriedOut(
        "roles",
        ("CreateJob", "CreateJobTemplate", "UpdateJob"),
        "roleArn in presignedUrlConfig",
        "it is shown again; nobody takes the role on, or looks whether it may read the objects",
        "try the role on AWS",
        _has_a_role,
    ),
    NotCarriedOut(
        "package-versions",
        ("CreateJob", "CreateJobTemplate"),
        "destinationPackageVersions",
        "they are shown again; no package is looked up, and no thing's shadow learns its version",
        "try on AWS what depends on the software package catalog",
        _has_package_versions,
    ),
    NotCarriedOut(
        "thing-types",
        ("CreateThing", "UpdateThing"),
        "thingTypeName",
        "any name is taken; there are no thing types",
        "create the type on AWS before its things",
        lambda given, backing: "thingTypeName" in given,
    ),
    NotCarriedOut(
        "billing-groups",
        ("CreateThing",),
        "billingGroupName",
        "any name is taken; there are no billing groups",
        "create the group on AWS before its things",
        lambda given, backing: "billingGroupName" in given,
    ),
    NotCarriedOut(
        "other-events",
        ("UpdateEventConfigurations",),
        f"events of another kind than {' and '.join(PUBLISHED)}",
        "they are shown as enabled, and never published",
        "listen for them on AWS",
        _switches_on_others,
    ),
    NotCarriedOut(
        "dynamic-groups",
        ("AddThingToThingGroup", "UpdateThingGroupsForThing"),
        "overrideDynamicGroups",
        "a thing may be in any number of dynamic groups, so none has to make way",
        "see on AWS which groups a thing with ten of them leaves",
        lambda given, backing: bool(given.get("overrideDynamicGroups", False)),
    ),
    NotCarriedOut(
        "index-settings",
        ("UpdateIndexingConfiguration",),
        "customFields, managedFields and filter of an index, down to namedShadowNames, geoLocations, order, "
        "connectivity, includeSocketInformation",
        "the registry is indexed as a whole, and a value that reads as a number is compared as one",
        "try on AWS what depends on the types of fields",
        _says_what_is_indexed,
    ),
)


class Warnings:
    """Logs, after each operation, what of its input is not carried out."""

    def __init__(self) -> None:
        self._told: dict[str, None] = {}

    def after(self, operation: str, given: Parameters, backing: Backing) -> None:
        """One warning a row that applies."""
        for row in BY_OPERATION.get(operation, ()):
            if (row.each_time or row.id not in self._told) and row.applies(given, backing):
                self._told[row.id] = None
                where = {key: given[name] for key, name in NAMES if name in given}
                _log.warning(
                    "request.not_carried_out",
                    operation=operation,
                    **where,
                    what=row.what,
                    instead=row.instead,
                    advice=row.advice,
                )


NAMES: Final = (("job_id", "jobId"), ("job_template_id", "jobTemplateId"), ("thing", "thingName"))
BY_OPERATION: Final[dict[str, tuple[NotCarriedOut, ...]]] = {
    operation: tuple(row for row in NOT_CARRIED_OUT if operation in row.operations)
    for operation in dict.fromkeys(operation for row in NOT_CARRIED_OUT for operation in row.operations)
}
