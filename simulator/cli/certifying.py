"""One call of `ghostjob certify`: what its options come to, from the desk that is set up to the files that are kept."""

import asyncio
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console

from agent.errors import InputError
from agent.wording import first_wrong, no_choice, shown
from simulator.certify.aws.desk import AccountDesk
from simulator.certify.aws.ledger import Ledger
from simulator.certify.aws.means import OnAnAccount
from simulator.certify.aws.reach import OF_ACCOUNTS
from simulator.certify.certificate import Certificate
from simulator.certify.desk import Desk, DeskSettings
from simulator.certify.device import Device, Elsewhere, Process
from simulator.certify.documents import Documents, read_documents
from simulator.certify.matrix import CELLS, Cell, Names
from simulator.certify.means import AtTheDesk, Means
from simulator.certify.moments import Moments, cells_of
from simulator.certify.offer_text import command_lines, offer_lines
from simulator.certify.one_play import nobody
from simulator.certify.output import write
from simulator.certify.printing import print_certificate
from simulator.certify.probes import Sampling, probe_of
from simulator.certify.session import DeviceUnmet, Given, Patience, Session
from simulator.certify.telling import Planned, Telling, ToPeople, ToScripts
from simulator.certify.wiretap import Wiretap
from simulator.certs import THING_NAME
from simulator.cli.certifying_account import Account
from simulator.cli.certifying_page import CertifyPage, ToThePage
from simulator.cli.options import interrupt, interrupted_by_every_end
from simulator.cli.page import PageWanted
from simulator.engines.output import OutputDirectory
from simulator.exit_codes import OF_OUTCOME
from simulator.page.offline import REPORT, is_shipped, report_html
from simulator.page.picture import Picture
from simulator.scenario import Bounds

PORTS = {"mqtts_port": 8883, "data_port": 8443, "api_port": 4566}
"""For a device that was told once where to go; a process of ours is told each time, and gets free ones."""
HERE = "127.0.0.1"
CERTS = Path("certify-certs")
LONGEST_LINE = 4096
"""Bytes of a line of stdin, which is a cell's id."""
COMING_SECONDS, COMING_SECONDS_OF_OURS = 3600.0, 60.0
FIRST_JOB_SECONDS = Patience().first_job


@dataclass(slots=True, kw_only=True)
class Options:
    """What the command line says, by the names of its options."""

    command: tuple[str, ...]
    thing: str
    namespace_id: str | None
    probes: tuple[str, ...]
    out: Path | None
    only: tuple[str, ...]
    document: Path | None
    artifacts: tuple[Path, ...]
    steps: tuple[str, ...]
    bounds: tuple[str, ...]
    reset_cmd: str | None
    power_cmd: str | None
    host: str
    address: str | None
    allow_topics: tuple[str, ...]
    mqtts_port: int | str | None
    data_port: int | str | None
    api_port: int | str | None
    mqtt_port: int | str | None
    certs: Path | None
    wait_seconds: float | None
    first_job_seconds: float
    is_json: bool
    cells_from_stdin: bool
    seed: int

    def port(self, name: str) -> int | None:
        """The number of a port, None for none."""
        given = getattr(self, name)
        if given is None:
            return 0 if self.command else PORTS[name]
        return None if given == "off" else int(given)

    def again(self) -> tuple[str, ...]:
        """The options that bear on how a cell is played, for a certificate that says how to play it again.

        Among them those by which the device found the cloud: one elsewhere looks for it there, and a command may have
        placeholders that only they fill.
        """
        several = {
            "--allow-topic": self.allow_topics,
            "--bound": self.bounds,
            "--artifact": self.artifacts,
            "--step": self.steps,
        }
        single = {
            "--document": self.document,
            "--reset-cmd": self.reset_cmd,
            "--power-cmd": self.power_cmd,
            "--host": None if self.host == HERE else self.host,
            "--address": self.address,
            "--certs": self.certs,
            "--mqtts-port": self.mqtts_port,
            "--data-port": self.data_port,
            "--api-port": self.api_port,
            "--mqtt-port": None if self.mqtt_port == "off" else self.mqtt_port,
            "--wait": self.wait_seconds,
            "--first-job": None if self.first_job_seconds == FIRST_JOB_SECONDS else self.first_job_seconds,
        }
        given = [(name, value) for name, values in several.items() for value in values]
        given += [(name, value) for name, value in single.items() if value is not None]
        return tuple(str(word) for pair in given for word in pair)

    def check(self) -> None:
        """Raises InputError for what does not go together."""
        if self.cells_from_stdin and self.only:
            raise InputError("--only: the cells come from stdin; give one of --only and --cells-from-stdin")
        if self.steps and not self.command:
            raise InputError("--step: only COMMAND has an output that can be read; give one after --")
        if self.command and self.power_cmd:
            raise InputError(
                "--power-cmd: is for a device elsewhere; the power of COMMAND is cut by ending its processes"
            )
        if self.port("api_port") is None:
            raise InputError("--api-port off: artifacts and probes need it; give a port, or 0 for any free one")
        if self.port("mqtts_port") is self.port("data_port") is self.port("mqtt_port") is None:
            raise InputError("certify: every port is off, so no device could come by")


def required(given: Sequence[str]) -> dict[str, float]:
    """Bounds by name, of NAME=SECONDS. Raises InputError."""
    found: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in Bounds.model_fields:
            raise InputError(
                f"--bound {text}: {no_choice(shown(name), Bounds.model_fields)}; see `ghostjob explain bounds`"
            )
        try:
            bounds = Bounds.model_validate({name: value})
        except ValidationError as error:
            raise InputError(f"--bound {text}: {first_wrong(error).what}, such as {name}=5") from None
        found[name] = getattr(bounds, name)
    return found


def check(given: Mapping[str, Any]) -> None:
    """What a session would check before it begins. Raises InputError."""
    options = Options(**given)
    options.check()
    required(options.bounds)
    cells_of(options.steps)
    read_documents(options.document, options.artifacts)
    if not THING_NAME.fullmatch(options.thing):
        raise InputError(f"--thing {options.thing}: a thing name is 1 to 128 of a-z A-Z 0-9 : _ -")


class CertifyCall:
    """`cells` are to be played, or, with `cells_from_stdin`, those that come in there; on an account, if there is one.

    `ledger` gets what is made there.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        account: Account | None = None,
        ledger: Ledger | None = None,
        page: PageWanted | None = None,
        **given: object,
    ) -> None:
        self._account = account
        self._ledger = ledger or Ledger(secrets.token_hex(3))
        self._options = Options(**given)  # type: ignore[arg-type]  # click has checked them
        self._cells = [*cells]
        self._required = required(self._options.bounds)
        self._console = Console(stderr=True)
        self._there: AccountDesk | None = None
        self._wanted_page = page
        self._page: CertifyPage | None = None
        is_shown = (self._options.out is not None or page is not None) and is_shipped()
        self._picture = Picture(f"certify {self._options.thing}", "", "certify") if is_shown else None

    async def run(self) -> int:
        """Certify; the exit code. A page that was asked for stays after that. Raises InputError."""
        if self._wanted_page is None or self._picture is None:
            return await self._certified()
        async with self._wanted_page.served(self._picture) as server:
            if self._options.is_json:
                ToScripts(click.echo).page(server.url)
            self._page = CertifyPage(server, self._options.thing, self._picture)
            code = await self._certified()
            sys.stdout.flush()
            await self._wanted_page.stay()
        return code

    async def _certified(self) -> int:
        options = self._options
        options.check()
        async with AsyncExitStack() as stack:
            stack.enter_context(interrupted_by_every_end())
            session = await self._session(stack)
            try:
                await self._play(session)
            except BaseException as error:  # also when it is interrupted: what is known by then is kept
                if session.is_met or not isinstance(error, InputError):
                    self._certify(session, self._desk_failed() or _cut_short(error))
                raise
            return OF_OUTCOME[self._certify(session, None).outcome]

    def _certify(self, session: Session, cut_short: str | None) -> Certificate:
        """Say what is known, and keep it."""
        certificate = session.certificate(self._cells, cut_short)
        if self._options.out is not None:  # first: whoever reads what is said may be gone
            write(certificate, self._options.out, self._report(certificate))
        session.telling.certified(certificate)
        if not self._options.is_json:
            print_certificate(certificate, Console(), self._options.out)
        return certificate

    def _report(self, certificate: Certificate) -> dict[str, str]:
        if self._picture is None:
            return {}
        self._picture.certified(certificate)
        return {REPORT: report_html(self._picture.whole())}

    async def _play(self, session: Session) -> None:
        lines = _lines_of_stdin() if self._options.cells_from_stdin else None
        try:
            await session.meet()
        except DeviceUnmet as why:
            session.telling.missing(str(why))
            return
        planned = [Planned(cell, session.why_not(cell)) for cell in self._cells]
        seconds = sum(session.seconds(each.cell) for each in planned if each.why_not is None)
        session.telling.planned(planned, seconds)
        if lines is None:
            for cell in self._cells:
                await session.play(cell)
        else:
            await self._play_those(session, lines)

    def _desk_failed(self) -> str | None:
        return None if self._there is None else self._there.failed

    def _all_cells(self) -> tuple[Cell, ...]:
        return (*CELLS, *(OF_ACCOUNTS if self._account else ()))

    async def _play_those(self, session: Session, lines: "asyncio.Queue[str | None]") -> None:
        """Play each cell that is named, until no more lines come."""
        known = {cell.id: cell for cell in (*self._all_cells(), *cells_of(self._options.steps))}
        self._cells.clear()
        while (line := await lines.get()) is not None:
            if (name := line.strip()) not in known:
                raise InputError(f"stdin: no cell '{name[:80]}'; `ghostjob certify --list` has all")
            self._cells.append(known[name])
            await session.play(known[name])

    # ── what is set up ────────────────────────────────────────────────────────────────────────────────────────

    async def _session(self, stack: AsyncExitStack) -> Session:
        options, wiretap = self._options, Wiretap()
        documents = read_documents(options.document, options.artifacts)
        telling = self._telling()
        stack.enter_context(telling.shown())
        if options.out is not None:
            output = OutputDirectory(options.out)
            stack.enter_context(output)
            wiretap.join(output.write)
            stack.callback(output.finish, None)
        if self._picture is not None:
            wiretap.join(self._picture.feed)
        desk = await self._desk(stack, documents)
        stack.callback(desk.listen(wiretap.feed))
        telling.ready(desk.offer)
        placeholders = desk.offer.placeholders()
        moments = Moments(options.thing, options.steps, wiretap.feed)
        device: Device = (
            Process(options.command, placeholders, reset_cmd=options.reset_cmd, on_line=moments.line)
            if options.command
            else Elsewhere(options.power_cmd, options.reset_cmd, placeholders)
        )
        if device.is_ours:
            stack.push_async_callback(device.stop)
        sampling = None
        if options.probes:
            overhear = desk.cloud.overhear if isinstance(desk, Desk) else None
            probes = [probe_of(text, desk.offer, overhear) for text in options.probes]
            sampling = await stack.enter_async_context(Sampling(options.thing, probes, wiretap.feed))
        coming = COMING_SECONDS_OF_OURS if options.command else COMING_SECONDS
        again = (*(self._account.words() if self._account else ()), *options.again())
        session = Session(
            self._means(desk, wiretap, sampling),
            device,
            Names(f"certify-{self._ledger.session}", documents),
            telling,
            moments=moments,
            given=Given(options.probes, options.command, again, options.seed),
            required=self._required,
            out=options.out,
            patience=Patience(options.wait_seconds or coming, options.first_job_seconds),
            also=nobody if self._page is None else self._page.feed,
        )
        if self._page is not None:
            self._page.follow(lambda: session.certificate(self._cells))
        return session

    async def _desk(self, stack: AsyncExitStack, documents: Documents) -> Desk | AccountDesk:
        options = self._options
        if self._account is None:
            return await stack.enter_async_context(Desk(self._desk_settings(stack, documents)))
        settings = self._account.settings(options.thing, options.namespace_id, options.certs)
        self._there = AccountDesk(settings, self._ledger, lambda line: click.echo(f"ghostjob: {line}", err=True))
        return await stack.enter_async_context(self._there)

    def _means(self, desk: Desk | AccountDesk, wiretap: Wiretap, sampling: Sampling | None) -> Means:
        if isinstance(desk, Desk):
            return AtTheDesk(desk, wiretap, sampling, self._options.seed)
        return OnAnAccount(desk, wiretap, sampling)

    def _desk_settings(self, stack: AsyncExitStack, documents: Documents) -> DeskSettings:
        options = self._options
        certs = options.certs
        if certs is None:
            certs = CERTS if not options.command else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = DeskSettings(
            options.thing,
            certs,
            options.namespace_id,
            options.host,
            options.address,
            allow=options.allow_topics,
            mqtt_port=options.port("mqtt_port"),
            mqtts_port=options.port("mqtts_port"),
            data_port=options.port("data_port"),
            api_port=options.port("api_port") or 0,
        )
        if documents.artifacts:
            files = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            documents.put_files(files)
            settings = replace(settings, files=files)
        return settings

    def _telling(self) -> Telling:
        telling = self._told()
        return telling if self._page is None else ToThePage(telling, self._page)

    def _told(self) -> Telling:
        if self._options.is_json:
            return ToScripts(click.echo)
        command = self._options.command
        return ToPeople(self._console, partial(command_lines, command) if command else offer_lines)


def _cut_short(error: BaseException) -> str:
    """Why not all was played."""
    if isinstance(error, InputError):
        return str(error)
    return f"ghostjob itself failed: {type(error).__name__}" if isinstance(error, Exception) else "interrupted"


def _lines(file: int) -> Iterator[bytes]:
    """What a file brings, line by line; of a longer one, its beginning."""
    begun = b""
    while more := os.read(file, LONGEST_LINE):
        *whole, begun = (begun + more).split(b"\n")
        yield from whole
        begun = begun[:LONGEST_LINE]
    if begun:
        yield begun


def _lines_of_stdin() -> "asyncio.Queue[str | None]":
    """The lines of standard input as they come, None at its end.

    If it ends without a line, nobody wants anything any more: this process is interrupted, as by Ctrl-C. A thread reads
    it, since it may be anything: event loops take pipes only. It reads without Python's buffer, whose lock it would
    still hold as this process ends, which Python then does not survive.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        has_lines = False
        with suppress(RuntimeError):  # the loop is over
            for line in () if sys.stdin is None else _lines(sys.stdin.fileno()):  # None: it is closed
                has_lines = True
                loop.call_soon_threadsafe(lines.put_nowait, line.decode("utf-8", "replace"))
            loop.call_soon_threadsafe(lines.put_nowait, None)
            if not has_lines:
                interrupt()

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return lines
