"""For which devices a document is, by its `conditions`.

The Device Client leaves them unjudged (aws-iot-device-client, `JobsFeature.cpp`: "TODO: Add support for checking
condition"); here one that does not hold, or that nobody here can judge, is a reason to reject.
"""


def unmet(conditions: object, systems: tuple[str, ...]) -> str:
    """Why a document is not for this device; empty if it is. What cannot be judged here counts as not met."""
    if conditions is None:
        return ""
    if not isinstance(conditions, list):
        return "conditions: no list of conditions, so nobody can say whether they hold"
    return next(filter(None, (_unmet_condition(each, systems) for each in conditions)), "")


def _unmet_condition(condition: object, systems: tuple[str, ...]) -> str:
    """As that client writes them: `key`, `value` (a list of texts, one of which is to fit) and `type`."""
    told = condition if isinstance(condition, dict) else {}
    key, kind, values = told.get("key"), told.get("type"), told.get("value")
    if not isinstance(key, str) or not key or not isinstance(values, list) or not values:
        return "conditions: one without a key, or without a list of values"
    said = f"conditions: {key[:100]}"
    if isinstance(kind, str) and kind != "stringEqual":
        return f"{said}: this device cannot judge the type '{kind[:100]}', only stringEqual"
    if key != "operatingSystem":
        return f"{said}: this device cannot judge it, only operatingSystem"
    wanted = [value for value in values if isinstance(value, str)]
    if {system.casefold() for system in systems} & {value.casefold() for value in wanted}:
        return ""
    return f"{said}: for {', '.join(wanted)[:200] or 'nobody'}, and this is {', '.join(systems) or 'not known here'}"
