"""What people see of a session on a terminal."""

import io

from rich.console import Console

from simulator.certify.matrix import QUICK
from simulator.certify.telling import Planned, ToPeople

from .devices import learned
from .played import certificate, result


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
