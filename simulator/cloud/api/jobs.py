"""Jobs: CreateJob, DescribeJob, UpdateJob, AssociateTargetsWithJob, CancelJob, DeleteJob and their like."""

import json
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from agent.values import Status
from simulator.cloud.api import job_config
from simulator.cloud.api.api_errors import invalid, not_found
from simulator.cloud.api.backing import Backing, Operation, Parameters, Paused
from simulator.cloud.api.documents import document_text, read_document
from simulator.cloud.api.membership import Membership
from simulator.cloud.api.paging import Key, page_in_turns
from simulator.cloud.api.tags import check_tags, put_tags
from simulator.cloud.api.templates import as_job, managed_by_arn, said_by
from simulator.cloud.jobs import Job, JobStatus, NewJob
from simulator.cloud.jobs.commands import AssociateTargets, CancelJob, CreateJob, DeleteJob, UpdateJob
from simulator.cloud.jobs.maintenance import next_openings
from simulator.cloud.jobs.traits import Trait, traits_of

ROLLOUTS_SHOWN: Final = 7
LOOKS: Final = 64
"""So many jobs are looked at in one go: less than a tenth of a millisecond."""
BEFORE: Final = "documentBeforeSubstitution"
"""What is kept of a document besides its text: the same with its parameters open."""


class JobOperations:
    """What concerns a job as a whole."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._jobs = backing.jobs
        self._registry = backing.registry
        self._membership = Membership.of(backing)

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "AssociateTargetsWithJob": self._associate_targets,
            "CancelJob": self._cancel,
            "CreateJob": self._create,
            "DeleteJob": self._delete,
            "DescribeJob": self._describe,
            "GetJobDocument": self._get_document,
            "ListJobs": self._list,
            "UpdateJob": self._update,
        }

    # ── making and changing ───────────────────────────────────────────────────────────────────────────────────

    def _create(self, given: Parameters) -> Paused:
        check_tags(given)
        said, text, kept = self._from_template(given) if "jobTemplateArn" in given else (given, None, {})
        if "documentParameters" in given and BEFORE not in kept:
            raise invalid("documentParameters are for managed job templates only.")
        text = document_text(self._backing, given) if text is None else text
        document = read_document(text, self._jobs.settings)
        kept |= {name: said[name] for name in ("destinationPackageVersions",) if name in said}
        targets = tuple(dict.fromkeys(given["targets"]))
        things = yield from self._things_of(targets)
        new = NewJob(
            given["jobId"],
            things,
            document,
            targets,
            document_source=said.get("documentSource"),
            description=said.get("description"),
            namespace_id=given.get("namespaceId"),
            target_selection=given.get("targetSelection", "SNAPSHOT"),
            config=tuple((name, json.dumps(value)) for name, value in kept.items()),
            **job_config.configuration(said),
        )
        outcome = self._jobs.do(CreateJob(new, by_aws=self._backing.by_aws), self._backing.clock())
        put_tags(self._backing, f"job/{new.job_id}", given)
        self._backing.publish(outcome)
        return self._named(self._jobs.job(new.job_id))

    def _from_template(self, given: Parameters) -> tuple[Parameters, str, dict[str, Any]]:
        """What a template and CreateJob say together, the document's text, and what is kept of both."""
        if "document" in given or "documentSource" in given:
            raise invalid("Exactly one of document, documentSource and jobTemplateArn is needed.")
        arn = given["jobTemplateArn"]
        kept: dict[str, Any] = {"jobTemplateArn": arn}
        if (managed := managed_by_arn(self._backing, arn)) is not None:
            parameters = given.get("documentParameters", {})
            kept |= {"documentParameters": parameters, BEFORE: managed.document}
            said = job_config.overlaid({"description": managed.description}, given)
            return said, managed.filled(parameters), kept
        template = self._registry.templates.get(self._backing.account.name(arn, "jobtemplate"))
        if template is None:
            raise not_found(f"Job template {arn} does not exist.")
        said = job_config.overlaid({"description": template.description} | as_job(said_by(template)), given)
        return said, template.document, kept

    def _things_of(self, targets: Sequence[str]) -> Generator[None, None, tuple[str, ...]]:
        """The things that targets stand for, each once. Raises ApiError, RegistryError."""
        things: dict[str, None] = {}
        for target in targets:
            if things:
                yield  # a hundred groups of ten thousand things each are a hundred milliseconds
            kind, _, name = self._backing.account.resource(target, "thing", "thinggroup").partition("/")
            if kind == "thing":
                things[self._registry.things.needed(name).name] = None
            else:
                group = self._registry.groups.needed(name).name
                yield from self._membership.settled(group)
                things |= dict.fromkeys(self._registry.groups.things_in(group, recursive=True))
        return tuple(things)

    def _update(self, given: Parameters) -> Parameters:
        command = UpdateJob(
            given["jobId"],
            job_config.update(given),
            namespace_id=given.get("namespaceId"),
            by_aws=self._backing.by_aws,
        )
        self._backing.publish(self._jobs.do(command, self._backing.clock()))
        return {}

    def _associate_targets(self, given: Parameters) -> Paused:
        targets = tuple(dict.fromkeys(given["targets"]))
        things = yield from self._things_of(targets)
        command = AssociateTargets(
            given["jobId"],
            targets,
            things,
            comment=given.get("comment"),
            namespace_id=given.get("namespaceId"),
            by_aws=self._backing.by_aws,
        )
        self._backing.publish(self._jobs.do(command, self._backing.clock()))
        return self._named(self._jobs.job(given["jobId"]))

    def _cancel(self, given: Parameters) -> Parameters:
        command = CancelJob(
            given["jobId"],
            force=given.get("force", False),
            reason_code=given.get("reasonCode"),
            comment=given.get("comment"),
        )
        self._backing.publish(self._jobs.do(command, self._backing.clock()))
        return self._named(self._jobs.job(given["jobId"]))

    def _delete(self, given: Parameters) -> Parameters:
        tags = self._registry.tags.get(f"job/{given['jobId']}")
        command = DeleteJob(
            given["jobId"],
            force=given.get("force", False),
            namespace_id=given.get("namespaceId"),
            tags=() if tags is None else tags.tags,
            by_aws=self._backing.by_aws,
        )
        self._backing.publish(self._jobs.do(command, self._backing.clock()))
        return {}

    # ── looking ───────────────────────────────────────────────────────────────────────────────────────────────

    def _describe(self, given: Parameters) -> Parameters:
        job = self._jobs.job(given["jobId"])
        kept = {name: json.loads(text) for name, text in job.new.config if name != BEFORE}
        shown = {
            "targets": list(job.targets),
            "description": job.new.description,
            "namespaceId": job.namespace_id,
            "forceCanceled": job.force_canceled or None,
            "reasonCode": job.reason_code,
            "comment": job.comment,
            "jobProcessDetails": self._details(job),
            "scheduledJobRollouts": self._rollouts(job),
        }
        told = {"job": job_config.shown(job.new) | kept | self._summary(job) | shown}
        return told if job.new.document_source is None else told | {"documentSource": job.new.document_source}

    def _details(self, job: Job) -> Parameters:
        counts = {f"numberOf{_words(status)}Things": n for status, n in self._jobs.counts(job.job_id).items()}
        return counts | ({"processingTargets": list(job.targets)} if _is_rolling_out(job) else {})

    def _rollouts(self, job: Job) -> list[Parameters] | None:
        schedule = job.new.schedule
        if schedule is None or not schedule.windows or job.status not in (JobStatus.IN_PROGRESS, JobStatus.SCHEDULED):
            return None
        after = max(self._backing.clock(), schedule.start_at or 0.0)
        times = next_openings(schedule.windows, after, ROLLOUTS_SHOWN)
        return [{"startTime": job_config.as_time(time)} for time in times]

    def _get_document(self, given: Parameters) -> Parameters:
        new = self._jobs.job(given["jobId"]).new
        before = dict(new.config).get(BEFORE) if given.get("beforeSubstitution", False) else None
        return {"document": new.document.text if before is None else json.loads(before)}

    def _list(self, given: Parameters) -> Paused:
        traits = frozenset(self._wanted(given))

        def walk(after: Key | None) -> Iterator[Job | None]:
            try:
                before = None if after is None else (float(after[0]), str(after[1]))
            except (ValueError, IndexError):
                raise invalid("Invalid nextToken.") from None
            while some := list(islice(self._jobs.jobs(traits, before=before), LOOKS)):
                yield from (job for job in some if len(traits) < 2 or traits <= traits_of(job))
                yield None
                before = some[-1].age

        found, token = yield from page_in_turns("ListJobs", given, walk, lambda job: job.age)
        return {"jobs": [self._summary(job) for job in found], "nextToken": token}

    def _wanted(self, given: Parameters) -> Iterator[Trait]:
        """What those have that are asked for. Raises ApiError, RegistryError."""
        if "status" in given:
            yield "status", JobStatus(given["status"])
        if "targetSelection" in given:
            yield "selection", given["targetSelection"]
        if "namespaceId" in given:
            yield "namespace", given["namespaceId"]
        if (group := self._wanted_group(given)) is not None:
            yield "group", group

    def _wanted_group(self, given: Parameters) -> str | None:
        """The ARN of the group that is asked for. Raises ApiError, RegistryError."""
        groups, name, group_id = self._registry.groups, given.get("thingGroupName"), given.get("thingGroupId")
        if name is None and group_id is None:
            return None
        named = None if name is None else groups.get(name)
        for group in groups.all() if name is None else () if named is None else (named,):
            if name in (None, group.name) and group_id in (None, group.group_id):
                return self._backing.arn("thinggroup", group.name)
        raise not_found(f"Thing Group {name or group_id} cannot be found.")

    def _named(self, job: Job) -> Parameters:
        arn = self._backing.arn("job", job.job_id)
        return {"jobArn": arn, "jobId": job.job_id, "description": job.new.description}

    def _summary(self, job: Job) -> Parameters:
        return {
            "jobArn": self._backing.arn("job", job.job_id),
            "jobId": job.job_id,
            "thingGroupId": self._group_id(job),
            "targetSelection": job.new.target_selection,
            "status": job.status.value,
            "createdAt": job.created_at,
            "lastUpdatedAt": job.last_updated_at,
            "completedAt": job.completed_at,
            "isConcurrent": _is_rolling_out(job) or job.is_cancelling,
        }

    def _group_id(self, job: Job) -> str | None:
        """The id of the first group that the job is for; AWS does not say which it shows of several."""
        prefix = self._backing.arn("thinggroup", "")
        for target in job.targets:
            if target.startswith(prefix):
                group = self._registry.groups.get(target.removeprefix(prefix))
                return None if group is None else group.group_id
        return None


def _is_rolling_out(job: Job) -> bool:
    return job.status is JobStatus.IN_PROGRESS and not job.is_rolled_out


def _words(status: Status) -> str:
    """`IN_PROGRESS` as it stands in `numberOfInProgressThings`."""
    return "".join(word.capitalize() for word in status.value.split("_"))
