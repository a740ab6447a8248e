"""JUnit's XML, as Jenkins, GitLab and the reporters of GitHub read it: a suite, and a case for whatever is judged.

There is no one standard. What is written here is what Jenkins' schema (xunit-plugin, junit-10.xsd) allows, which is
what others read too. What could not be decided is an `error`: every reader shows that in red, apart from a `failure`,
where `skipped` would look as good as passed (GitLab, Jenkins). Only what does not apply is `skipped`.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias
from xml.etree.ElementTree import Element, SubElement, indent, tostring

JUNIT: Final = "junit.xml"
Result: TypeAlias = Literal["passed", "failed", "inconclusive", "not-applicable"]
TAGS: Final[dict[Result, str | None]] = {
    "passed": None,
    "failed": "failure",
    "inconclusive": "error",
    "not-applicable": "skipped",
}
"""What says so inside of a case; nothing does of one that passed."""
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Case(NamedTuple):
    """One case. `kind` sorts the results of its kind, `message` is one sentence, `text` all there is to say of it.

    `output` is what a reader may want of a case that passed, too.
    """

    name: str
    result: Result
    seconds: float = 0.0
    kind: str = ""
    message: str = ""
    text: str = ""
    output: str = ""


class Suite(NamedTuple):
    """The cases of one session; `started_at` is in UTC, as ISO 8601 has it. GitLab groups cases by `classname`."""

    name: str
    classname: str
    seconds: float
    cases: Sequence[Case]
    properties: Sequence[tuple[str, str]] = ()
    started_at: str | None = None


def xml(suite: Suite) -> str:
    """The document, valid whatever characters there are in the texts."""
    root = Element("testsuites", _counts(suite))
    inner = SubElement(root, "testsuite", _counts(suite))
    inner.set("skipped", str(_count(suite, "not-applicable")))
    if suite.started_at is not None:
        inner.set("timestamp", _fit(suite.started_at))
    properties = SubElement(inner, "properties")
    for name, value in suite.properties:
        SubElement(properties, "property", {"name": _fit(name), "value": _fit(value)})
    for case in suite.cases:
        _add(inner, suite.classname, case)
    indent(root)
    return DECLARATION + tostring(root, encoding="unicode") + "\n"


def _counts(suite: Suite) -> dict[str, str]:
    return {
        "name": _fit(suite.name),
        "tests": str(len(suite.cases)),
        "failures": str(_count(suite, "failed")),
        "errors": str(_count(suite, "inconclusive")),
        "time": _time(suite.seconds),
    }


def _count(suite: Suite, result: Result) -> int:
    return sum(case.result == result for case in suite.cases)


def _add(inner: Element, classname: str, case: Case) -> None:
    names = {"classname": _fit(classname), "name": _fit(case.name), "time": _time(case.seconds)}
    element = SubElement(inner, "testcase", names)
    if (tag := TAGS[case.result]) is not None:
        about = {"type": _fit(case.kind or case.result), "message": _fit(case.message)}
        SubElement(element, tag, about).text = _fit(case.text or case.message)
    if case.output:
        SubElement(element, "system-out").text = _fit(case.output)


def _time(seconds: float) -> str:
    """As the schema has it: digits and a point, no exponent and no sign."""
    return f"{max(seconds, 0.0):.3f}"


def _fit(text: str) -> str:
    """With what XML 1.0 cannot hold (section 2.2) as escapes, and line ends that no parser changes (section 2.11)."""
    return "".join(each if _is_char(each) else each.encode("unicode_escape").decode("ascii") for each in text)


def _is_char(each: str) -> bool:
    code = ord(each)
    return (
        code in (0x9, 0xA) or 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
    )
