"""Policies, their versions, and what they are attached to."""

from collections.abc import Iterable

from simulator.cloud.access.policies import MalformedPolicy, parse
from simulator.cloud.api.api_errors import ApiError, invalid
from simulator.cloud.api.backing import Backing, Operation, Parameters
from simulator.cloud.api.paging import page
from simulator.cloud.api.tags import check_tags, put_tags
from simulator.cloud.registry import Policy, PolicyVersion, RegistryError


class PolicyOperations:
    """Those with `target`, and their deprecated forms with `principal`, which older set-up scripts call."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._policies = backing.registry.policies

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "AttachPolicy": lambda given: self._attach(given, given["target"]),
            "AttachPrincipalPolicy": lambda given: self._attach(given, given["principal"]),
            "CreatePolicy": self._create,
            "CreatePolicyVersion": self._create_version,
            "DeletePolicy": self._delete,
            "DeletePolicyVersion": self._delete_version,
            "DetachPolicy": self._detach,
            "DetachPrincipalPolicy": self._detach_principal,
            "GetPolicy": self._get,
            "GetPolicyVersion": self._get_version,
            "ListAttachedPolicies": self._list_attached,
            "ListPolicies": self._list,
            "ListPolicyPrincipals": lambda given: self._list_targets("ListPolicyPrincipals", given, "principals"),
            "ListPolicyVersions": self._list_versions,
            "ListPrincipalPolicies": self._list_of_principal,
            "ListTargetsForPolicy": lambda given: self._list_targets("ListTargetsForPolicy", given, "targets"),
            "SetDefaultPolicyVersion": self._set_default,
        }

    # ── policies and versions ─────────────────────────────────────────────────────────────────────────────────

    def _create(self, given: Parameters) -> Parameters:
        _check(given["policyDocument"])
        check_tags(given)
        policy = self._policies.create(given["policyName"], given["policyDocument"], self._backing.clock())
        put_tags(self._backing, f"policy/{policy.name}", given)
        return self._named(policy.name) | {"policyDocument": policy.document, "policyVersionId": "1"}

    def _create_version(self, given: Parameters) -> Parameters:
        _check(given["policyDocument"])
        policy, version = self._policies.add_version(
            given["policyName"],
            given["policyDocument"],
            self._backing.clock(),
            as_default=given.get("setAsDefault", False),
        )
        return self._version(policy, version)

    def _get(self, given: Parameters) -> Parameters:
        policy = self._policies.needed(given["policyName"])
        return self._named(policy.name) | {
            "policyDocument": policy.document,
            "defaultVersionId": str(policy.default),
            "creationDate": policy.created_at,
            "lastModifiedDate": policy.last_modified_at,
            "generationId": f"{policy.name}-{policy.generation}",
        }

    def _get_version(self, given: Parameters) -> Parameters:
        policy, version = self._policies.version(given["policyName"], given["policyVersionId"])
        return self._version(policy, version) | {
            "policyName": policy.name,
            "creationDate": version.created_at,
            "lastModifiedDate": version.created_at,
            "generationId": f"{policy.name}-{policy.generation}",
        }

    def _list(self, given: Parameters) -> Parameters:
        shown, marker = page(
            "ListPolicies",
            given,
            self._policies.all(),
            lambda each: (each.created_at, each.name),
            newest_first=not given.get("ascendingOrder", False),
        )
        return {"policies": [self._named(each.name) for each in shown], "nextMarker": marker}

    def _list_versions(self, given: Parameters) -> Parameters:
        policy = self._policies.needed(given["policyName"])
        return {
            "policyVersions": [
                {
                    "versionId": str(version.number),
                    "isDefaultVersion": version.number == policy.default,
                    "createDate": version.created_at,
                }
                for version in reversed(policy.versions)
            ]
        }

    def _set_default(self, given: Parameters) -> Parameters:
        self._policies.set_default(given["policyName"], given["policyVersionId"], self._backing.clock())
        return {}

    def _delete_version(self, given: Parameters) -> Parameters:
        self._policies.delete_version(given["policyName"], given["policyVersionId"], self._backing.clock())
        return {}

    def _delete(self, given: Parameters) -> Parameters:
        self._policies.delete(given["policyName"])
        self._backing.registry.tags.drop(f"policy/{given['policyName']}")
        return {}

    # ── what they are attached to ─────────────────────────────────────────────────────────────────────────────

    def _attach(self, given: Parameters, target: str) -> Parameters:
        resource = self._target(target)
        kind, _, name = resource.partition("/")
        if kind == "thinggroup":
            self._backing.registry.groups.static(name)  # "Dynamic thing groups can't have policies applied to them."
        self._policies.attach(given["policyName"], resource)
        return {}

    def _detach_principal(self, given: Parameters) -> Parameters:
        self._policies.detach(given["policyName"], self._target(given["principal"]))
        return {}

    def _detach(self, given: Parameters) -> Parameters:
        try:
            self._policies.detach(given["policyName"], self._target(given["target"]))
        except RegistryError as error:
            raise invalid(error.message) from None  # DetachPolicy's model lists no ResourceNotFound
        return {}

    def _list_attached(self, given: Parameters) -> Parameters:
        target = self._target(given["target"])
        kind, _, name = target.partition("/")
        targets = [target]
        if given.get("recursive", False) and kind == "thinggroup":
            targets = [f"thinggroup/{each}" for each in self._backing.registry.groups.lineage(name)]
        return self._page("ListAttachedPolicies", given, targets)

    def _list_of_principal(self, given: Parameters) -> Parameters:
        return self._page("ListPrincipalPolicies", given, [self._target(given["principal"])])

    def _page(self, operation: str, given: Parameters, targets: Iterable[str]) -> Parameters:
        names = dict.fromkeys(name for target in targets for name in self._policies.targets.lefts(target))
        shown, marker = page(operation, given, names, lambda name: (name,))
        return {"policies": [self._named(name) for name in shown], "nextMarker": marker}

    def _list_targets(self, operation: str, given: Parameters, member: str) -> Parameters:
        policy = self._policies.needed(given["policyName"])
        targets, marker = page(operation, given, self._policies.targets.rights(policy.name), lambda each: (each,))
        return {member: [self._backing.account.arn_of(target) for target in targets], "nextMarker": marker}

    def _target(self, arn: str) -> str:
        """A certificate or group that exists, as it stands at the end of its ARN. Raises ApiError, RegistryError."""
        resource = self._backing.account.resource(arn, "cert", "thinggroup")
        kind, _, name = resource.partition("/")
        if kind == "cert":
            self._backing.registry.certificates.needed(name)
        else:
            self._backing.registry.groups.needed(name)
        return resource

    def _named(self, name: str) -> Parameters:
        return {"policyName": name, "policyArn": self._backing.arn("policy", name)}

    def _version(self, policy: Policy, version: PolicyVersion) -> Parameters:
        return {
            "policyArn": self._backing.arn("policy", policy.name),
            "policyDocument": version.document,
            "policyVersionId": str(version.number),
            "isDefaultVersion": version.number == policy.default,
        }


def _check(document: str) -> None:
    try:
        parse(document)
    except MalformedPolicy as error:
        raise ApiError("MalformedPolicyException", f"Policy document is malformed: {error}") from None
