"""Why the policies on a certificate do not let its holder do something, and what can be done about it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from simulator.certificate_files import THING_NAME
from simulator.cloud.access.certificate_holders import OWN_POLICY, CertificateHolders
from simulator.cloud.access.policies import RequestContext, allowed_resources, covers, denied_by
from simulator.cloud.notices.refusals import Denial

MOST_SHOWN: Final = 3
"""Resources that a hint lists."""


class _Question(NamedTuple):
    """May the holder do `action` to `resource`, an ARN? The policies say what is `allowed`; none of it is that."""

    holders: CertificateHolders
    certificate_id: str
    action: str
    resource: str
    context: RequestContext
    policies: tuple[str, ...]
    allowed: tuple[str, ...]

    @property
    def name(self) -> str:
        """The client id, topic, filter or thing that is meant."""
        return self.resource.split(":", 5)[-1].partition("/")[2]


def denial_of(
    holders: CertificateHolders, certificate_id: str, action: str, resource: str, context: RequestContext
) -> Denial:
    """Why policies do not allow an action on an ARN; asked only where they do not."""
    found = holders.registry.policies_on(certificate_id)
    names, documents = tuple(name for name, _ in found), tuple(document for _, document in found)
    by = denied_by(documents, action, resource, context)
    if by is not None:
        statement = f"policy {names[by.document]}, statement {by.statement}{f' ({by.sid})' if by.sid else ''}"
        return Denial(f"{statement} denies it", statement)
    if not names:
        target = holders.account.arn("cert", certificate_id)
        hint = f"attach one: aws iot attach-policy --policy-name NAME --target {target}"
        return Denial("no policy is attached to its certificate, nor to a group of its thing", None, hint)
    question = _Question(
        holders, certificate_id, action, resource, context, names, allowed_resources(documents, action)
    )
    hints = (ask(question) for ask in HINTS)
    first = next((hint for hint in hints if hint is not None), None)
    return Denial(f"no statement of its policies ({', '.join(names)}) allows it", None, first)


def _own_certificate(asked: _Question) -> str | None:
    """A certificate of `ghostjob certs` is for its own thing alone."""
    if not any(name.startswith(OWN_POLICY) for name in asked.policies):
        return None
    thing = asked.holders.own_thing(asked.certificate_id)
    if thing is None:
        return None
    if asked.action == "iot:Connect":
        hint = f"this certificate is for the thing {thing}: connect with client_id={thing}"
        if not THING_NAME.fullmatch(asked.name):
            return hint
        return f"{hint}, or make a certificate for {asked.name}: ghostjob certs --thing {asked.name}"
    return (
        f"this certificate is for the thing {thing} alone, with $aws/things/{thing}/… and {thing}/…;"
        f" for more attach a policy to it: aws iot attach-policy"
    )


def _other_account(asked: _Question) -> str | None:
    """The policy was written for another account or region."""
    ours = asked.holders.account.arn_of("")
    for template in asked.allowed:
        parts = template.split(":", 5)
        if len(parts) == 6 and covers(f"{ours}{parts[5]}", asked.resource, asked.context):
            return f"the policy says {template}; here ARNs begin with {ours}"
    return None


def _topic_for_filter(asked: _Question) -> str | None:
    """Publishing is about `topic/`, subscribing about `topicfilter/`."""
    swapped = {"topic": "topicfilter", "topicfilter": "topic"}
    *head, rest = asked.resource.split(":", 5)
    kind, _, name = rest.partition("/")
    if kind not in swapped:
        return None
    other = ":".join((*head, f"{swapped[kind]}/{name}"))
    if any(covers(template, other, asked.context) for template in asked.allowed):
        return f"{asked.action} is about {kind}/…, and the policy says {swapped[kind]}/…"
    return None


def _mqtt_wildcard(asked: _Question) -> str | None:
    """In policies `+` and `#` are plain characters."""
    for template in asked.allowed:
        meant = template.replace("#", "*").replace("+", "*")
        if meant != template and covers(meant, asked.resource, asked.context):
            return f"the policy says {template}: in policies * is the wildcard, + and # are plain characters"
    return None


def _no_thing(asked: _Question) -> str | None:
    """Variables of a thing have values only for who is connected as one."""
    uses_thing = any("${iot:Connection.Thing." in template for template in asked.allowed)
    if not uses_thing or asked.context.get("iot:Connection.Thing.IsAttached") == "true":
        return None
    return (
        "the policy uses variables of the thing, and the certificate is attached to no thing of that client id:"
        " aws iot attach-thing-principal"
    )


def _what_is_allowed(asked: _Question) -> str | None:
    shown = ", ".join(asked.allowed[:MOST_SHOWN])
    more = ", …" if len(asked.allowed) > MOST_SHOWN else ""
    return f"they allow {asked.action} on {shown}{more}" if shown else None


HINTS: Final[tuple[Callable[[_Question], str | None], ...]] = (
    _own_certificate,
    _other_account,
    _topic_for_filter,
    _mqtt_wildcard,
    _no_thing,
    _what_is_allowed,
)
"""Asked in this order; the first that knows something is told."""
