"""The REST control plane: AWS's own service model is the schema, operations are plain functions over the jobs core."""

from simulator.cloud.api.operations import Account, ControlPlane

__all__ = ["Account", "ControlPlane"]
