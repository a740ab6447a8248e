"""The registry of one account: its tables, and the questions that need more than one of them."""

from collections.abc import Callable
from typing import Final

from simulator.cloud.registry.certificates import Certificates
from simulator.cloud.registry.groups import ThingGroups
from simulator.cloud.registry.policies import Policies
from simulator.cloud.registry.records import (
    Certificate,
    DeletedCertificate,
    EventConfigurations,
    IndexingConfiguration,
    JobTemplate,
    Link,
    Policy,
    Tags,
    Thing,
    ThingGroup,
)
from simulator.cloud.registry.registry_errors import RegistryError
from simulator.cloud.registry.tables import RegistryChange, RegistryRecord, Report, Table
from simulator.cloud.registry.things import Things

ONLY: Final = "account"
"""The key of what there is one of."""


class Registry:
    """Everything but the jobs. `new_id` gives the ids that AWS would make up.

    Whoever wants to keep it asks for every change with `watch`, and puts remembered records back with `restore`.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._report = Report()
        self.things = Things(self._report, new_id)
        self.groups = ThingGroups(self._report, new_id)
        self.certificates = Certificates(self._report)
        self.policies = Policies(self._report)
        self.templates: Table[JobTemplate] = Table("job-template", self._report)
        self.tags: Table[Tags] = Table("tags", self._report)
        self.event_configurations: Table[EventConfigurations] = Table("event-configurations", self._report)
        self._indexing: Table[IndexingConfiguration] = Table("indexing-configuration", self._report)

    @property
    def revision(self) -> int:
        """Another one after every change: whoever remembers what it was told has to ask again."""
        return self._report.revision

    @property
    def indexing(self) -> IndexingConfiguration:
        """What is indexed; nothing, until somebody says so."""
        return self._indexing.get(ONLY) or IndexingConfiguration()

    @indexing.setter
    def indexing(self, configuration: IndexingConfiguration) -> None:
        self._indexing.put(ONLY, configuration)

    # ── being remembered ──────────────────────────────────────────────────────────────────────────────────────

    def watch(self, sink: Callable[[RegistryChange], None]) -> None:
        """Have `sink` told of every change from now on, in order, as it is made."""
        self._report.sink = sink

    def restore(self, kind: str, record: RegistryRecord) -> None:
        """Put a remembered record of one of KINDS back; nobody is told of it."""
        sink, self._report.sink = self._report.sink, None
        try:
            self._restore(kind, record)
        finally:
            self._report.sink = sink

    def _restore(self, kind: str, record: RegistryRecord) -> None:
        match record:
            case Thing():
                self.things.restore(record)
            case ThingGroup():
                self.groups.restore(record)
            case Certificate():
                self.certificates.restore(record)
            case DeletedCertificate():
                self.certificates.restore_deleted(record)
            case Policy():
                self.policies.restore(record)
            case JobTemplate():
                self.templates.put(record.template_id, record)
            case Tags():
                self.tags.put(record.resource, record)
            case EventConfigurations():
                self.event_configurations.put(ONLY, record)
            case IndexingConfiguration():
                self.indexing = record
            case Link():
                links = {
                    "group-member": self.groups.members,
                    "thing-principal": self.things.principals,
                    "policy-target": self.policies.targets,
                }
                links[kind].put(record)

    # ── who may connect, and as whom ──────────────────────────────────────────────────────────────────────────

    def register_certificate(self, pem: str, now: float) -> Certificate:
        """Make a certificate known. Raises RegistryError if it is known already, or is none."""
        return self.certificates.register(pem, "ACTIVE", now)

    def certificate(self, certificate_id: str) -> Certificate | None:
        """The certificate with that id (the SHA-256 of its DER, 64 hex digits), or None."""
        return self.certificates.get(certificate_id)

    def things_of(self, certificate_id: str) -> tuple[str, ...]:
        """The things that a certificate is attached to, in the order of attaching."""
        return self.things.principals.lefts(f"cert/{certificate_id}")

    def policy_documents(self, certificate_id: str) -> tuple[str, ...]:
        """The documents in force on a certificate: its own, and those of the groups that its things belong to."""
        return tuple(document for _, document in self.policies_on(certificate_id))

    def policies_on(self, certificate_id: str) -> tuple[tuple[str, str], ...]:
        """The same with the policies' names before them."""
        members = self.groups.members  # there may be ten thousand things, and they are in the same few groups
        own = dict.fromkeys(group for thing in self.things_of(certificate_id) for group in members.rights(thing))
        groups = (group for each in own for group in self.groups.lineage(each))
        targets = dict.fromkeys((f"cert/{certificate_id}", *(f"thinggroup/{group}" for group in groups)))
        return tuple(named for target in targets for named in self.policies.named_on(target))

    def delete_certificate(self, certificate_id: str, now: float, *, force: bool) -> None:
        """DeleteCertificate: inactive, of no thing, and without policies unless forced. Raises RegistryError."""
        certificate, target = self.certificates.needed(certificate_id), f"cert/{certificate_id}"
        if certificate.status == "ACTIVE":
            message = f"Certificate must be deactivated (not ACTIVE) before deletion. Certificate ID: {certificate_id}"
            raise RegistryError("CertificateState", message)
        if self.things.principals.lefts(target):
            message = f"Things must be detached before deletion. Certificate ID: {certificate_id}"
            raise RegistryError("DeleteConflict", message)
        policies = self.policies.targets.lefts(target)
        if policies and not force:
            message = f"Certificate policies must be detached before deletion. Certificate ID: {certificate_id}"
            raise RegistryError("DeleteConflict", message)
        for name in policies:
            self.policies.targets.drop(name, target)
        self.certificates.delete(certificate_id, now)
