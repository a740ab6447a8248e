"""What an operation answers instead of its output."""

from simulator.cloud.notices.refusals import Notice


class ApiError(Exception):
    """The service refuses, under the name of one of AWS's exceptions; `more` are further members of its body.

    `notice` is what to tell the operator; None if nobody wants to know.
    """

    notice: Notice | None = None

    def __init__(self, name: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.more = more


def too_much(operation: str, message: str) -> ApiError:
    """ThrottlingException of a bound that is the local cloud's own: its operator is told."""
    refused = ApiError("ThrottlingException", message)
    refused.notice = Notice("quota", "http", operation, message, hint="AWS's SDKs try again by themselves")
    return refused


def invalid(message: str) -> ApiError:
    """InvalidRequestException."""
    return ApiError("InvalidRequestException", message)


def not_served(operation: str) -> str:
    """What is said of an operation of AWS's that the local cloud lacks."""
    return f"{operation} is an operation of AWS IoT that the local cloud does not serve."


def not_found(message: str) -> ApiError:
    """ResourceNotFoundException."""
    return ApiError("ResourceNotFoundException", message)
