"""What people see of a session on a terminal."""

import io

import pytest
from rich.console import Console

from agent.errors import InputError
from simulator.certify.matrix import QUICK
from simulator.certify.offer_text import command_lines
from simulator.certify.telling import Planned, ToPeople

from .devices import learned
from .played import certificate, result
from .test_arrival import offer

OFFER = offer()


def test_the_bar_is_gone_before_the_certificate_is_printed_below_it():
    terminal = io.StringIO()
    told = ToPeople(Console(file=terminal, force_terminal=True, width=80), lambda _: ())
    with told.shown():
        told.planned([Planned(QUICK[0], None)], 3.0)
        assert "0/1" in terminal.getvalue()
        told.certified(certificate(result("reference")))
        shown = terminal.getvalue()
        print("cells", file=terminal)
    assert shown.endswith("\x1b[2K")
    assert terminal.getvalue() == f"{shown}cells\n"
    assert "1 cell, about 3 s" in shown


def test_what_is_said_of_a_device_names_it_once():
    said = io.StringIO()
    told = ToPeople(Console(file=said), lambda _: ())
    for says in ("connected", "connected", "the device is connected, and asks for nothing"):
        told.waits(says)
    assert said.getvalue() == "the device: connected\nthe device is connected, and asks for nothing\n"


def test_a_device_that_may_not_hear_refusals_is_told_what_to_subscribe_to():
    said = io.StringIO()
    told = ToPeople(Console(file=said), lambda _: ())
    told.learned(learned())
    assert "subscribed" not in said.getvalue()
    told.learned(learned(refusals_unheard=("$aws/things/pump/jobs/+/update/rejected",)))
    assert "has not subscribed to $aws/things/pump/jobs/+/update/rejected: refusals come" in said.getvalue()


LINE = "MQTT          127.0.0.1 port 41429, TLS with the certificate below, MQTT 3.1.1 or 5"


def test_a_line_that_a_terminal_is_too_narrow_for_goes_on_below_where_it_began_and_in_a_file_is_one():
    for is_terminal in (True, False):
        said = io.StringIO()
        told = ToPeople(Console(file=said, force_terminal=is_terminal, width=80), lambda _: (LINE,))
        told.ready(OFFER)
        lines = [line.rstrip() for line in said.getvalue().splitlines()]
        assert lines == ([LINE.removesuffix(" or 5"), f"{'or 5':>18}"] if is_terminal else [LINE])


def test_of_a_command_it_is_told_how_it_is_started_and_not_what_to_put_on_a_device():
    lines = command_lines(("./my agent", "--port", "{port}"), OFFER)
    assert lines == [
        "thing   pump-7",
        "ports   MQTT with TLS 8883, HTTPS 8443, on 127.0.0.1",
        "starts  './my agent' --port 8883",
    ]
    with pytest.raises(InputError, match=r"there is no placeholder \{prot\}"):
        command_lines(("./my-agent", "{prot}"), OFFER)
