"""How far something is that takes its time: one line on stderr, drawn anew on a terminal; in a file, now and then."""

import time
from collections.abc import Callable
from typing import Final

import click

from simulator.cli.screen import has_the_terminal

REDRAWN_SECONDS: Final = 0.2
"""So often on a terminal."""
TOLD_SECONDS: Final = 10.0
"""So often elsewhere."""


class DrawnAnew:
    """The line, which goes when it is over; `is_terminal` None: as it is."""

    def __init__(self, is_terminal: bool | None = None) -> None:
        self._is_terminal = has_the_terminal() if is_terminal is None else is_terminal
        self._shown_at = time.monotonic()
        self._width = 0

    def show(self, line_now: Callable[[], str]) -> None:
        """How far it is, if it is time to say that."""
        now = time.monotonic()
        if now - self._shown_at < (REDRAWN_SECONDS if self._is_terminal else TOLD_SECONDS):
            return
        self._shown_at = now
        line = line_now()
        if self._is_terminal:
            click.echo(f"\r{line:<{self._width}}", err=True, nl=False)
            self._width = len(line)
        else:
            click.echo(line, err=True)

    def over(self) -> None:
        """Nothing more comes."""
        if self._is_terminal and self._width:
            click.echo(f"\r{'':<{self._width}}\r", err=True, nl=False)
