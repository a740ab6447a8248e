"""The control plane: every operation that the local cloud serves, by the name of the AWS IoT API Reference.

An operation is a function from input to output, or a generator if it may take long; what it works on is its Backing. A
refusal is an ApiError with the name of AWS's exception, whichever part refuses.
"""

from dataclasses import replace

from simulator.cloud.api.api_errors import ApiError, invalid, not_served, too_much
from simulator.cloud.api.backing import Backing, Operation, Parameters, Paused
from simulator.cloud.api.certificates import CertificateOperations
from simulator.cloud.api.events import AccountOperations
from simulator.cloud.api.executions import ExecutionOperations
from simulator.cloud.api.groups import GroupOperations
from simulator.cloud.api.indexing import IndexingOperations
from simulator.cloud.api.jobs import JobOperations
from simulator.cloud.api.not_carried_out import Warnings
from simulator.cloud.api.paging import sized
from simulator.cloud.api.policies import PolicyOperations
from simulator.cloud.api.principals import PrincipalOperations
from simulator.cloud.api.tags import TagOperations
from simulator.cloud.api.templates import TemplateOperations
from simulator.cloud.api.things import ThingOperations
from simulator.cloud.api.turns import in_one_go
from simulator.cloud.arns import InvalidArn
from simulator.cloud.contained import contained
from simulator.cloud.jobs import JobsError
from simulator.cloud.registry import RegistryError

PARTS = (
    AccountOperations,
    CertificateOperations,
    ExecutionOperations,
    GroupOperations,
    IndexingOperations,
    JobOperations,
    PolicyOperations,
    PrincipalOperations,
    TagOperations,
    TemplateOperations,
    ThingOperations,
)


class ControlPlane:
    """Every operation that is served."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._warnings = Warnings()
        self.operations: dict[str, Operation] = {}
        for part in PARTS:
            self.operations |= part(backing).operations()

    def in_the_hand_of_aws(self) -> "ControlPlane":
        """The same account, as AWS's own services use it, such as Greengrass: theirs are the namespaces `aws-…`."""
        return ControlPlane(replace(self._backing, by_aws=True))

    def call(self, operation: str, parameters: Parameters) -> Parameters:
        """Carry out one operation in one go. Raises ApiError."""
        return in_one_go(self.steps(operation, parameters))

    def steps(self, operation: str, parameters: Parameters) -> Paused:
        """Carry out one operation step by step. Raises ApiError, with the first step or a later one."""
        self.check_served(operation)
        try:
            given = sized(operation, parameters, self._backing.settings.page_size)
            found = self.operations[operation](given)
            output = found if isinstance(found, dict) else (yield from found)
            contained("warning of what is not carried out", self._warnings.after, operation, parameters, self._backing)
            return output
        except JobsError as error:
            if error.kind == "Throttling":
                raise too_much(operation, error.message) from None
            resource = f"job/{parameters['jobId']}" if error.kind == "ResourceAlreadyExists" else None
            raise self._refusal(error.kind, error.message, resource) from None
        except RegistryError as error:
            raise self._refusal(error.kind, error.message, error.resource) from None
        except InvalidArn as error:
            raise invalid(str(error)) from None

    def check_served(self, operation: str) -> None:
        """Raises ApiError for an operation of AWS's that is not served."""
        if operation not in self.operations:
            raise invalid(not_served(operation))

    def _refusal(self, kind: str, message: str, resource: str | None) -> ApiError:
        more = {}
        if resource is not None:
            more = {
                "resourceId": resource.partition("/")[2],
                "resourceArn": self._backing.account.arn_of(resource),
            }
        return ApiError(f"{kind}Exception", message, **more)
