"""Job documents, and how each becomes a plan; what makes none is Unusable, and the device rejects it with the reason.

`ours` are this project's own, `device_client` those of the AWS IoT Device Client and of AWS's managed templates.
"""

from agent.documents.reading import plan_of

__all__ = ["plan_of"]
