"""Job templates, the account's own and those that AWS manages."""

import json
from typing import Any

from simulator.cloud.api import job_config
from simulator.cloud.api.api_errors import ApiError, invalid, not_found
from simulator.cloud.api.backing import Backing, Operation, Parameters
from simulator.cloud.api.documents import document_text, read_document
from simulator.cloud.api.managed_templates import MANAGED, VERSION, ManagedTemplate
from simulator.cloud.api.paging import page
from simulator.cloud.api.tags import check_tags, put_tags
from simulator.cloud.registry import JobTemplate

CONFIGURATIONS = (*(name for name in job_config.MEMBERS if name != "schedulingConfig"), "maintenanceWindows")
"""What a template says of a job: of its schedule, the maintenance windows only."""


class TemplateOperations:
    """CreateJobTemplate and its like."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._templates = backing.registry.templates

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "CreateJobTemplate": self._create,
            "DeleteJobTemplate": self._delete,
            "DescribeJobTemplate": self._describe,
            "DescribeManagedJobTemplate": self._describe_managed,
            "ListJobTemplates": self._list,
            "ListManagedJobTemplates": self._list_managed,
        }

    def _create(self, given: Parameters) -> Parameters:
        template_id = given["jobTemplateId"]
        if self._templates.get(template_id) is not None:
            message = f"Job template {template_id} already exists."
            raise ApiError("ConflictException", message, resourceId=template_id)
        check_tags(given)
        said = self._of_job(given["jobArn"]) if "jobArn" in given else {}
        if "jobArn" in given and ("document" in given or "documentSource" in given):
            raise invalid("jobArn excludes document and documentSource.")
        said |= {name: given[name] for name in CONFIGURATIONS if name in given}
        text = said.pop("document", None) or document_text(self._backing, given)
        read_document(text, self._backing.jobs.settings)
        job_config.configuration(as_job(said))
        template = JobTemplate(
            template_id,
            given["description"],
            text,
            self._backing.clock(),
            said.pop("documentSource", given.get("documentSource")),
            tuple((name, json.dumps(value)) for name, value in said.items()),
        )
        self._templates.put(template_id, template)
        put_tags(self._backing, f"jobtemplate/{template_id}", given)
        return self._named(template)

    def _of_job(self, arn: str) -> dict[str, Any]:
        """What a job says that a template of it says too. Raises ApiError, JobsError."""
        new = self._backing.jobs.job(self._backing.account.name(arn, "job")).new
        said = job_config.shown(new)
        windows = said.pop("schedulingConfig", {}).get("maintenanceWindows")
        kept = {name: json.loads(text) for name, text in new.config}
        said |= {name: kept[name] for name in ("destinationPackageVersions",) if name in kept}
        said |= {"maintenanceWindows": windows} if windows else {}
        return said | {"document": new.document.text, "documentSource": new.document_source}

    def _describe(self, given: Parameters) -> Parameters:
        template = self._needed(given["jobTemplateId"])
        return said_by(template) | self._summary(template) | {"document": template.document}

    def _list(self, given: Parameters) -> Parameters:
        found, token = page("ListJobTemplates", given, self._templates, lambda each: (each.template_id,))
        return {"jobTemplates": [self._summary(template) for template in found], "nextToken": token}

    def _delete(self, given: Parameters) -> Parameters:
        template = self._needed(given["jobTemplateId"])
        self._templates.drop(template.template_id)
        self._backing.registry.tags.drop(f"jobtemplate/{template.template_id}")
        return {}

    def _needed(self, template_id: str) -> JobTemplate:
        template = self._templates.get(template_id)
        if template is None:
            raise not_found(f"Job template {template_id} does not exist.")
        return template

    def _summary(self, template: JobTemplate) -> Parameters:
        told = {
            "description": template.description,
            "documentSource": template.document_source,
            "createdAt": template.created_at,
        }
        return self._named(template) | told

    def _named(self, template: JobTemplate) -> Parameters:
        arn = self._backing.arn("jobtemplate", template.template_id)
        return {"jobTemplateArn": arn, "jobTemplateId": template.template_id}

    # ── those that AWS manages ────────────────────────────────────────────────────────────────────────────────

    def _describe_managed(self, given: Parameters) -> Parameters:
        template = MANAGED.get(given["templateName"])
        if template is None or given.get("templateVersion", VERSION) != VERSION:
            raise not_found(f"Managed job template {given['templateName']} does not exist.")
        parameters = [parameter.shown() for parameter in template.parameters]
        return self._managed(template) | {"documentParameters": parameters, "document": template.document}

    def _list_managed(self, given: Parameters) -> Parameters:
        wanted = given.get("templateName")
        found = (template for template in MANAGED.values() if wanted in (None, template.name))
        shown, token = page("ListManagedJobTemplates", given, found, lambda template: (template.name,))
        return {"managedJobTemplates": [self._managed(template) for template in shown], "nextToken": token}

    def _managed(self, template: ManagedTemplate) -> Parameters:
        return {
            "templateName": template.name,
            "templateArn": f"{_managed_prefix(self._backing)}{template.name}:{VERSION}",
            "description": template.description,
            "environments": ["LINUX"],
            "templateVersion": VERSION,
        }


def managed_by_arn(backing: Backing, arn: str) -> ManagedTemplate | None:
    """The template of AWS's with that ARN; None if it is no ARN of one. Raises ApiError."""
    prefix = _managed_prefix(backing)
    if not arn.startswith(prefix):
        return None
    name, _, version = arn.removeprefix(prefix).partition(":")
    if name not in MANAGED or version not in ("", VERSION):
        raise not_found(f"Job template {arn} does not exist.")
    return MANAGED[name]


def _managed_prefix(backing: Backing) -> str:
    account = backing.account
    return f"arn:{account.partition}:iot:{account.region}::jobtemplate/"  # it is of no account


def said_by(template: JobTemplate) -> Parameters:
    """A template's configurations, under the names that CreateJobTemplate gives them."""
    return {name: json.loads(text) for name, text in template.config}


def as_job(said: Parameters) -> Parameters:
    """The same as members of CreateJob, where maintenance windows stand in the schedule."""
    windows = said.get("maintenanceWindows")
    kept = {name: value for name, value in said.items() if name != "maintenanceWindows"}
    return kept | ({"schedulingConfig": {"maintenanceWindows": windows}} if windows else {})
