"""Pages: every item once, whatever comes and goes meanwhile; tokens that are another list's or nobody's are refused."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.cloud.api.errors import ApiError
from simulator.cloud.api.paging import page
from tests.fidelity.proofs import proves

from .conftest import Plane

NAMES = st.sets(st.text("abc", min_size=1, max_size=3))


@proves("page-tokens-hold-while-things-come-and-go")
@settings(max_examples=50)
@given(before=NAMES, come=st.lists(NAMES, max_size=4), go=st.lists(NAMES, max_size=4), size=st.integers(1, 4))
def test_what_is_there_all_the_time_is_shown_once_and_nothing_twice(before, come, go, size):
    there, seen, token, steps = set(before), [], None, 0
    always = set(before).difference(*go)
    while True:
        asked = {"maxResults": size} | ({} if token is None else {"nextToken": token})
        shown, token = page("List", asked, sorted(there, key=lambda name: name[::-1]), lambda name: (name,))
        assert len(shown) <= size
        seen += shown
        if token is None:
            break
        if steps < len(come):
            there |= come[steps]
        if steps < len(go):
            there -= go[steps]
        steps += 1
    assert len(seen) == len(set(seen))
    assert always <= set(seen)
    assert seen == sorted(seen)


@settings(max_examples=30)
@given(st.sets(st.integers(0, 50)), st.integers(1, 5))
def test_the_newest_come_first_if_asked(numbers, size):
    seen, token = [], None
    while True:
        asked = {"maxResults": size} | ({} if token is None else {"nextToken": token})
        shown, token = page("List", asked, numbers, lambda number: (number,), newest_first=True)
        seen += shown
        if token is None:
            break
    assert seen == sorted(numbers, reverse=True)


@settings(max_examples=50)
@given(st.text() | st.binary().map(lambda raw: b64encode(raw).decode()))
def test_a_token_that_nobody_gave_out_is_refused(token: str):
    with pytest.raises(ApiError) as caught:
        page("List", {"nextToken": token}, "abc", lambda name: (name,))
    assert caught.value.name == "InvalidRequestException"


@proves("page-tokens-hold-while-things-come-and-go")
def test_a_token_holds_for_its_own_list_only(plane: Plane):
    plane.things("a", "b")
    token = plane.call("ListThings", maxResults=1)["nextToken"]
    assert plane.call("ListThings", nextToken=token)["things"][0]["thingName"] == "b"
    assert plane.refusal("ListThings", nextToken=token, thingTypeName="lamp") == "InvalidRequestException"
    assert plane.refusal("ListThingGroups", nextToken=token) == "InvalidRequestException"
    raw = bytearray(b64decode(token))
    raw[-3] ^= 1
    assert plane.refusal("ListThings", nextToken=b64encode(raw).decode()) == "InvalidRequestException"
