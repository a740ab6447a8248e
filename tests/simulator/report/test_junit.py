"""JUnit's XML: valid whatever is in it, with counts that are right, and red where something is not known."""

from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.report.junit import Case, Result, Suite, xml

from .junit_form import problems

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit-10.xsd"))
TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(
    [
        "]]>",
        "<![CDATA[",
        "&amp;<b>'\"",
        "\x00\x1b[31m\x7f\x85",
        "\ud800",
        "\udfff\ufffe\uffff",
        "a\r\nb\tc",
        "\U0010ffff",
    ]
)
"""With half surrogate pairs and control characters, which neither XML nor UTF-8 can hold."""
RESULTS = st.sampled_from(["passed", "failed", "inconclusive", "not-applicable"])
SECONDS = st.floats(0, 1e7, allow_nan=False) | st.sampled_from([-1e-9, 1e-12, 86_400.0])
CASES = st.builds(Case, TEXTS, RESULTS, SECONDS, TEXTS, TEXTS, TEXTS, TEXTS)
SUITES = st.builds(
    Suite,
    TEXTS,
    TEXTS,
    SECONDS,
    st.lists(CASES, max_size=4),
    st.lists(st.tuples(TEXTS, TEXTS), max_size=3),
    st.none() | TEXTS,
)


def read(suite: Suite) -> Element:
    """As a reader gets it, from the bytes."""
    return fromstring(xml(suite).encode("utf-8"))


@settings(deadline=None)
@given(SUITES)
def test_it_is_valid_whatever_bytes_a_device_sends(suite: Suite):
    root = read(suite)
    assert problems(root) == []
    (inner,) = root
    assert len(inner.findall("testcase")) == len(suite.cases)


@settings(deadline=None, max_examples=40)
@given(SUITES)
def test_it_is_what_ci_systems_take(suite: Suite):
    """By the schema of Jenkins' xunit plug-in, which is as pytest's sources have it, under its own licence."""
    SCHEMA.validate(xml(suite))


@settings(deadline=None)
@given(SUITES)
def test_it_counts_its_cases(suite: Suite):
    root = read(suite)
    results = [case.result for case in suite.cases]
    for element in (root, root[0]):
        assert element.get("tests") == str(len(results))
        assert element.get("failures") == str(results.count("failed"))
        assert element.get("errors") == str(results.count("inconclusive"))
    assert root[0].get("skipped") == str(results.count("not-applicable"))


@pytest.mark.parametrize(
    ("result", "tags"),
    [
        ("passed", []),
        ("failed", ["failure"]),
        pytest.param("inconclusive", ["error"], id="what could not be decided is not green"),
        ("not-applicable", ["skipped"]),
    ],
)
def test_a_reader_is_told_the_result(result: Result, tags: list[str]):
    (case,) = read(Suite("s", "c", 1, [Case("a", result, 1.5, "kind", "says", "all of it")])).iter("testcase")
    assert [each.tag for each in case] == tags
    for each in case:
        assert (each.get("type"), each.get("message"), each.text) == ("kind", "says", "all of it")


def test_what_xml_cannot_hold_is_seen_as_its_escape():
    (case,) = read(Suite("s", "c", 1, [Case("a", "failed", text="\x00 \x1b[0m \ud800 ]]> \r\n")])).iter("testcase")
    assert case[0].text == r"\x00 \x1b[0m \ud800 ]]> \r" + "\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<testsuites><testsuite name='a' tests='1' failures='0'/></testsuites>", ["testsuite without errors"]),
        ("<testsuites time='1e3'/>", ["testsuites with time='1e3'"]),
        ("<testsuites><testcase name='a'/></testsuites>", ["in testsuites: testcase"]),
        ("<testcase name='a'><property name='a' value='b'/></testcase>", ["in testcase: property"]),
        ("<testcase name='a' assertions='1'/>", ["testcase with assertions='1'"]),
        ("<testcase name='a'><rerun/></testcase>", ["in testcase: rerun", "no such element: rerun"]),
        ("<properties>a</properties>", ["text in properties"]),
    ],
)
def test_the_form_that_is_held_to_says_no(text: str, says: list[str]):
    assert problems(fromstring(text)) == says
