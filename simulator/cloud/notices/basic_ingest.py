"""Basic Ingest: `$aws/rules/RULE/TOPIC` hands a message to a rule and to no subscriber (Developer Guide, "Reducing
messaging costs with Basic Ingest"). There are no rules here, so what it takes is accepted, and gone.

Pure; it knows neither MQTT nor HTTP.
"""

import re
from typing import Final

from simulator.cloud.notices.refusals import Notice

PREFIX: Final = "$aws/rules/"
_RULE: Final = re.compile(r"\$aws/rules/([a-zA-Z0-9_]{1,128})(?:/|$)")
"""A rule's name is as the model of CreateTopicRule has it."""


def rule_of(topic: str) -> str | None:
    """The rule that a topic hands its messages to; None if it is another topic."""
    found = _RULE.match(topic) if topic.startswith(PREFIX) else None
    return None if found is None else found[1]


def counted(topic: str) -> str:
    """What of a topic counts for its length and its slashes: `$aws/rules/RULE/` does not (quotas of AWS IoT Core)."""
    found = _RULE.match(topic) if topic.startswith(PREFIX) else None
    return topic if found is None else topic[found.end() :]


def in_the_void(rule: str, client_id: str = "", principal: str = "", address: str = "") -> Notice:
    """What there is to tell of a message that was accepted for a rule."""
    why = f"accepted for the rule {rule}, and gone: no rules are carried out here"
    return Notice("no-rules", "iot:Publish", f"rule/{rule}", why, client_id, principal, address)
