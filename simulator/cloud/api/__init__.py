"""The REST control plane: AWS's own service model is the schema, operations are plain functions over the jobs core."""

from simulator.cloud.api.api_errors import ApiError
from simulator.cloud.api.authority import CertificateAuthority
from simulator.cloud.api.backing import Backing
from simulator.cloud.api.control_plane import ControlPlane
from simulator.cloud.api.membership import Membership

__all__ = ["ApiError", "Backing", "CertificateAuthority", "ControlPlane", "Membership"]
