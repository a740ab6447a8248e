"""What Jenkins' xunit plug-in takes for JUnit's XML (junit-10.xsd), as far as ghostjob writes it, in a table.

Stated anew from what that schema allows, and narrower: which elements may stand in which, and of each attribute whether
it must be there, and its form. Whatever fits this fits the schema.
"""

import re
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

ANY: Final = r"(?s).*"
COUNT: Final = r"\d+"
TIME: Final = r"\d+\.\d{3}"
"""Of the form SUREFIRE_TIME: digits and one point, no sign and no exponent."""


class Form(NamedTuple):
    """`inner`: what may stand in it, in this order, with how many at most; `text`: whether text may."""

    inner: dict[str, int]
    needed: dict[str, str]
    optional: dict[str, str]
    text: bool = False


FORMS: Final = {
    "testsuites": Form(
        {"testsuite": 1}, {}, {"name": ANY, "tests": COUNT, "failures": COUNT, "errors": COUNT, "time": TIME}
    ),
    "testsuite": Form(
        {"properties": 1, "testcase": 1_000_000},
        {"name": ANY, "tests": COUNT, "failures": COUNT, "errors": COUNT},
        {"skipped": COUNT, "time": TIME, "timestamp": ANY},
    ),
    "properties": Form({"property": 1_000_000}, {}, {}),
    "property": Form({}, {"name": ANY, "value": ANY}, {}),
    "testcase": Form(
        {"skipped": 1, "error": 1, "failure": 1, "system-out": 1}, {"name": ANY}, {"classname": ANY, "time": TIME}
    ),
    **{name: Form({}, {}, {"type": ANY, "message": ANY}, True) for name in ("skipped", "error", "failure")},
    "system-out": Form({}, {}, {}, True),
}


def problems(element: Element) -> list[str]:
    """What is not as it must be, in an element and all that stands in it."""
    form = FORMS.get(element.tag)
    if form is None:
        return [f"no such element: {element.tag}"]
    found = [*_attributes(element, form), *_inner(element, form)]
    if not form.text and (element.text or "").strip():
        found.append(f"text in {element.tag}")
    return found + [problem for each in element for problem in problems(each)]


def _attributes(element: Element, form: Form) -> list[str]:
    known = form.needed | form.optional
    missing = [f"{element.tag} without {name}" for name in form.needed if name not in element.attrib]
    return missing + [
        f"{element.tag} with {name}={value!r}"
        for name, value in element.attrib.items()
        if name not in known or not re.fullmatch(known[name], value)
    ]


def _inner(element: Element, form: Form) -> list[str]:
    tags = [each.tag for each in element]
    too_many = [tag for tag, most in form.inner.items() if tags.count(tag) > most]
    strange = [tag for tag in tags if tag not in form.inner]
    order = sorted(tags, key=lambda tag: list(form.inner).index(tag)) if not strange else tags
    is_text_behind = any((each.tail or "").strip() for each in element)
    return [f"in {element.tag}: {each}" for each in (*too_many, *strange)] + (
        [f"in {element.tag}: order, or text between"] if order != tags or is_text_behind else []
    )
