"""What can go wrong, split by whose fault it is.

    GhostjobError ─┬─ InputError   a scenario, an option, a certificate: the person can mend it; exit code 2
                   └─ WireError    the peer broke the contract of AWS IoT Jobs; has .topic

A rejection by the service is no error: it is an answer (`agent.values.Rejected`).
"""


class GhostjobError(Exception):
    """The root of everything that this project raises on purpose."""


class InputError(GhostjobError):
    """Something that a person gave us is wrong; the message says where, what, and what to do, in one line."""


class WireError(GhostjobError):
    """The peer sent a payload that the Jobs contract does not know; `topic` names where it came in.

    `problem` is what is wrong with it, `client_token` that of the request that it answers, None if nobody can tell.
    """

    def __init__(self, topic: str, message: str, client_token: str | None = None) -> None:
        super().__init__(f"{topic}: {message}")
        self.topic = topic
        self.problem = message
        self.client_token = client_token
