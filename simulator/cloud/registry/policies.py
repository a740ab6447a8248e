"""Policies with their versions, and what they are attached to. What a document allows is not decided here."""

from dataclasses import replace
from typing import Final

from simulator.cloud.registry.records import Link, Policy, PolicyVersion
from simulator.cloud.registry.registry_errors import RegistryError
from simulator.cloud.registry.tables import Links, Report, Table

MOST_VERSIONS: Final = 5
POLICIES_ON_A_TARGET: Final = 10
"""Quota "Maximum number of policies that can be attached to a certificate or Amazon Cognito identity"."""


class Policies:
    """Every policy of one account."""

    def __init__(self, report: Report) -> None:
        self._policies: Table[Policy] = Table("policy", report)
        self.targets = Links("policy-target", report)
        """Policy names, and the certificates (`cert/ID`) and groups (`thinggroup/NAME`) that they are attached to."""

    def restore(self, policy: Policy) -> None:
        """Put a remembered policy back."""
        self._policies.put(policy.name, policy)

    def create(self, name: str, document: str, now: float) -> Policy:
        """CreatePolicy: its first version. Raises RegistryError."""
        if self._policies.get(name) is not None:
            message = f"Policy cannot be created - name already exists (name={name})"
            raise RegistryError("ResourceAlreadyExists", message, f"policy/{name}")
        policy = Policy(name, (PolicyVersion(1, document, now),), 1, now, now)
        self._policies.put(name, policy)
        return policy

    def get(self, name: str) -> Policy | None:
        """The policy, or None."""
        return self._policies.get(name)

    def needed(self, name: str) -> Policy:
        """The policy. Raises RegistryError."""
        policy = self._policies.get(name)
        if policy is None:
            raise RegistryError("ResourceNotFound", f"Policy not found (name={name})")
        return policy

    def version(self, name: str, version_id: str) -> tuple[Policy, PolicyVersion]:
        """A policy and one of its versions. Raises RegistryError."""
        policy = self.needed(name)
        try:
            return policy, policy.version(int(version_id))
        except (LookupError, ValueError):
            raise RegistryError("ResourceNotFound", f"Policy {name} has no version {version_id}.") from None

    def add_version(self, name: str, document: str, now: float, *, as_default: bool) -> tuple[Policy, PolicyVersion]:
        """CreatePolicyVersion. Raises RegistryError."""
        policy = self.needed(name)
        if len(policy.versions) >= MOST_VERSIONS:
            raise RegistryError("VersionsLimitExceeded", f"The policy {name} already has {MOST_VERSIONS} versions.")
        generation = policy.generation + 1
        version = PolicyVersion(generation, document, now)
        default = generation if as_default else policy.default
        after = replace(
            policy, versions=(*policy.versions, version), default=default, generation=generation, last_modified_at=now
        )
        self._policies.put(name, after)
        return after, version

    def set_default(self, name: str, version_id: str, now: float) -> None:
        """SetDefaultPolicyVersion. Raises RegistryError."""
        policy, version = self.version(name, version_id)
        self._policies.put(name, replace(policy, default=version.number, last_modified_at=now))

    def delete_version(self, name: str, version_id: str, now: float) -> None:
        """DeletePolicyVersion: not the default one. Raises RegistryError."""
        policy, version = self.version(name, version_id)
        if version.number == policy.default:
            raise RegistryError("DeleteConflict", f"Cannot delete the default version of policy {name}.")
        left = tuple(each for each in policy.versions if each is not version)
        self._policies.put(name, replace(policy, versions=left, last_modified_at=now))

    def delete(self, name: str) -> None:
        """DeletePolicy: not while it has other versions or targets. Raises RegistryError."""
        policy = self.needed(name)
        if len(policy.versions) > 1:
            message = (
                f"Cannot delete the policy because it has one or more policy versions attached to it (name={name})"
            )
            raise RegistryError("DeleteConflict", message)
        if self.targets.rights(name):
            message = f"The policy cannot be deleted as the policy is attached to one or more principals (name={name})"
            raise RegistryError("DeleteConflict", message)
        self._policies.drop(name)

    def all(self) -> list[Policy]:
        """Every policy, in the order of creation."""
        return list(self._policies)

    def attach(self, name: str, target: str) -> None:
        """AttachPolicy. Raises RegistryError."""
        self.needed(name)
        attached = self.targets.lefts(target)
        if name not in attached and len(attached) >= POLICIES_ON_A_TARGET:
            raise RegistryError("LimitExceeded", f"At most {POLICIES_ON_A_TARGET} policies are attached to {target}.")
        self.targets.put(Link(name, target))

    def detach(self, name: str, target: str) -> None:
        """DetachPolicy: no matter if it is not attached. Raises RegistryError."""
        self.needed(name)
        self.targets.drop(name, target)

    def named_on(self, target: str) -> tuple[tuple[str, str], ...]:
        """The policies on a target: their names, and the documents in force."""
        found = (self._policies.get(name) for name in self.targets.lefts(target))
        return tuple((policy.name, policy.document) for policy in found if policy is not None)
