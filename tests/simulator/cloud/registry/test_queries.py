"""Which things a query finds, and which queries there are none of."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.cloud.registry import RegistryError, Thing
from simulator.cloud.registry.queries import Indexed, read

THINGS = (
    Thing("Pump-7", "id-7", "pump", None, (("fw", "2.5"), ("where", "hall B north"))),
    Thing("pump-8", "id-8", None, None, (("fw", "10"),)),
    Thing("lamp", "id-9", "lamp", None, (("fw", "beta"), ("note", "a:b"))),
)
GROUPS: dict[str, tuple[str, ...]] = {"Pump-7": ("hall", "frozen"), "pump-8": ("hall",), "lamp": ()}
ALL = set(GROUPS)


def matches(query: str, thing: Thing) -> bool:
    return read(query).matches(Indexed(thing, GROUPS.__getitem__))


def with_x(value: str) -> Thing:
    return Thing("t", "id", None, None, (("x", value),))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("*", ALL),
        ("thingName:*", ALL),
        ("thingName:pump-7", {"Pump-7"}),
        ("thingName:PUMP-7", {"Pump-7"}),
        ("thingName:pump", set()),
        ("thingName:pump*", {"Pump-7", "pump-8"}),
        ("thingName:p?mp-8", {"pump-8"}),
        ("thingName:*mp-8", {"pump-8"}),
        ("thingId:id-9", {"lamp"}),
        ("thingTypeName:*", {"Pump-7", "lamp"}),
        ("pump", {"Pump-7"}),
        ("beta", {"lamp"}),
        ("thingName:pump-7 fw", set()),
        ("thingName:pump* attributes.fw:10", {"pump-8"}),
        ("thingName:pump* AND NOT thingGroupNames:frozen", {"pump-8"}),
        ("thingName:(pump* AND -pump-7)", {"pump-8"}),
        ("thingName:(pump-7 OR lamp)", {"Pump-7", "lamp"}),
        ("-thingName:lamp", {"Pump-7", "pump-8"}),
        ("thingGroupNames:(hall frozen)", {"Pump-7"}),
        ("attributes.where:b", {"Pump-7"}),
        ('attributes.where:"b north"', {"Pump-7"}),
        ('attributes.where:"north b"', set()),
        (r"attributes.note:a\:b", {"lamp"}),
        ("attributes.none:*", set()),
        ("attributes.FW:10", set()),
        ("attributes.fw:[2.5 TO 10]", {"Pump-7", "pump-8"}),
        ("attributes.fw:{2.5 TO 10]", {"pump-8"}),
        ("attributes.fw:>2.5", {"pump-8"}),
        ("attributes.fw:>=2.5", {"Pump-7", "pump-8"}),
        ("attributes.fw:<10", {"Pump-7"}),
        ("attributes.fw:[a TO *]", {"lamp"}),
        ("attributes.fw:[1 TO b]", {"Pump-7", "pump-8"}),
        ("attributes.fw:{* TO 10}", {"Pump-7"}),
        ("north", {"Pump-7"}),
        ('"7\nid"', set()),
        ("attributes.fw:[* TO *]", ALL),
    ],
)
def test_a_query_finds(query: str, found: set[str]):
    assert {thing.name for thing in THINGS if matches(query, thing)} == found


@pytest.mark.parametrize(
    ("query", "why"),
    [
        pytest.param("thingName:", "Syntax error", id="a field of nothing"),
        pytest.param("a AND", "Syntax error", id="an operator without an end"),
        pytest.param("(a", "Syntax error", id="a group without an end"),
        pytest.param("shadow.reported.fw:2", "not indexed", id="a field of a shadow"),
        pytest.param("connectivity.connected:true", "not indexed", id="connectivity"),
        pytest.param("thingName:attributes.fw:2", "nothing that", id="a field of a field"),
        pytest.param("fw~2", "nothing that", id="a fuzzy search"),
        pytest.param("fw^2", "nothing that", id="a boost"),
        pytest.param('"a b"~2', "nothing that", id="a proximity search"),
        pytest.param("a@b", "special character @", id="a character that is not supported"),
        pytest.param("/a.*/", "special character /", id="a regular expression"),
        pytest.param("thingName:*a OR thingName:*b", "one term may begin", id="two leading wildcards"),
        pytest.param(f"thingName:*a OR {'b' * 100}", "one term may begin", id="a long query with a leading wildcard"),
        pytest.param(" ".join("abcdefghijklm"), "more than 12 terms", id="thirteen terms"),
        pytest.param("a" * 1001, "longer than 1000", id="too long"),
        pytest.param("(" * 450 + "a" + ")" * 450, "nested", id="nested groups"),
        pytest.param("-" * 900 + "a", "nested", id="nested exclusions"),
        pytest.param("NOT " * 200 + "a", "nested", id="nested negations"),
    ],
)
def test_is_no_query(query: str, why: str):
    with pytest.raises(RegistryError, match=why) as caught:
        read(query)
    assert caught.value.kind == "InvalidQuery"


@pytest.mark.parametrize("query", ["a~2.5", "a~.", '"a b"~2.', "a^.", "a^1.2.3"])
def test_what_stands_after_a_tilde_or_caret_is_refused_whatever_it_is(query: str):
    with pytest.raises(RegistryError):
        read(query)


@pytest.mark.parametrize(
    ("query", "value", "is_found"),
    [
        ("a*b*c", "xx a1b2c yy", True),
        ("a*b*c", "a1b 2c", False),
        ("a*bb*b", "abbb", True),
        ("a*b*b", "ab", False),
        ("a**b", "ab", True),
        ("*b?", "abc", True),
        (r"a*b\ c*d", "a1b c2d", True),
        (r"a*b\ c*d", "a1 b c2d", False),
        ("a*b*", "abb", True),
    ],
)
def test_stars_match_within_words(query: str, value: str, is_found: bool):
    assert matches(f"attributes.x:{query}", with_x(value)) is is_found


def test_no_query_is_slow_to_ask():
    # Were a star sought again for each that follows, this would take longer than the world has.
    assert not matches("attributes.x:x" + "*a" * 400 + "*b", with_x("x" + "a" * 800 + " b"))


PIECES = (
    *("a", "b c", "*", "?", "(", ")", "[", "]", "{", "}", " TO ", '"', "\\", " ", "AND ", "OR ", "NOT ", "-", "+"),
    *(
        "~",
        "^",
        "2.5",
        ".",
        ">=",
        "<",
        ":",
        "thingName:",
        "attributes.x:",
        "[1 TO 2]",
        "\u2028",
        "\x00",
        "\u0130",
        "&&",
        "!",
    ),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
def test_whatever_is_asked_is_a_query_or_refused(text: str):
    with suppress(RegistryError):
        for thing in THINGS:
            assert matches(text, thing) in (True, False)
