"""Orders from the page: whatever comes in is bounded, and one of those that there are."""

import pytest
from pydantic import ValidationError

from simulator.page.orders import Order


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"do": "force-delete", "job": "fw"}', id="a job"),
        pytest.param('{"do": "cut-power", "thing": "thing-0"}', id="a device"),
        pytest.param('{"do": "slow", "number": 10.0}', id="a number"),
        pytest.param('{"do": "go"}', id="nothing else"),
    ],
)
def test_an_order_is_read(text: str):
    assert Order.model_validate_json(text).do in text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"do": "format-disk"}', id="no such deed"),
        pytest.param('{"job": "fw"}', id="no deed"),
        pytest.param('{"do": "go", "job": "%s"}' % ("a" * 129), id="a name that is too long"),
        pytest.param('{"do": "go", "job": 3}', id="a name that is none"),
        pytest.param('{"do": "slow", "number": "10"}', id="a number that is text"),
        pytest.param('{"do": "slow", "number": NaN}', id="no number"),
        pytest.param('{"do": "go", "sudo": true}', id="more than there is"),
        pytest.param('["go"]', id="a list"),
    ],
)
def test_what_is_no_order_is_none(text: str):
    with pytest.raises(ValidationError):
        Order.model_validate_json(text)
