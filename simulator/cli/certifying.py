"""One call of `ghostjob certify`: what its options come to, from the desk that is set up to the files that are kept."""

import asyncio
import secrets
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from agent.errors import InputError
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
from simulator.certify.probes import Sampling, probe_of
from simulator.certify.session import DeviceUnmet, Given, Patience, Session
from simulator.certify.telling import Planned, Telling, ToPeople, ToScripts
from simulator.certify.wiretap import Wiretap
from simulator.cli.certify_options import CERTS, Options, required
from simulator.cli.certifying_account import Account
from simulator.cli.certifying_controls import ENDED, CertifyControls
from simulator.cli.certifying_page import CertifyPage, ToThePage
from simulator.cli.certifying_told import tell_and_keep, why_cut_short
from simulator.cli.lines_of_stdin import lines_of_stdin
from simulator.cli.listing import tell_fault
from simulator.cli.options import interrupted_by_every_end
from simulator.cli.page import PageWanted
from simulator.cli.schedule_cells import schedule_cells
from simulator.engines.output import OutputDirectory, UnwritableError
from simulator.engines.whole_files import Make
from simulator.exit_codes import OF_OUTCOME
from simulator.page.contained import ContainedPicture
from simulator.page.offline import REPORT, report_html


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
        self._controls = CertifyControls()
        is_shown = self._options.out is not None or page is not None
        title = f"certify {self._options.thing}"
        told = () if page is None else (tell_fault,)
        self._picture = ContainedPicture(title, "", "certify", *told) if is_shown else None

    async def run(self) -> int:
        """Certify; the exit code. A page that was asked for stays after that. Raises InputError."""
        if self._wanted_page is None or self._picture is None:
            return await self._certified()
        async with self._wanted_page.served(self._picture, self._controls) as server:
            if self._options.is_json:
                ToScripts(click.echo).page(server.url)
            self._page = CertifyPage(server, self._options.thing, self._picture, tell_fault)
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
                is_played = await self._controls.unless_ended(self._play(session))
            except BaseException as error:  # also when it is interrupted: what is known by then is kept
                if session.is_met or not isinstance(error, InputError):
                    self._certify(session, self._desk_failed() or why_cut_short(error))
                raise
            return OF_OUTCOME[self._certify(session, None if is_played else ENDED).outcome]

    def _certify(self, session: Session, cut_short: str | None) -> Certificate:
        """Say what is known, and keep it. Raises InputError if it cannot be kept, after it was said."""
        certificate = session.certificate(self._cells, cut_short)
        besides = {} if self._options.out is None else self._report(certificate)
        tell_and_keep(certificate, self._options, session.telling, besides, session.unkept)
        return certificate

    def _report(self, certificate: Certificate) -> dict[str, Make]:
        if (picture := self._picture) is None:
            return {}
        picture.certified(certificate)
        return {REPORT: lambda: report_html(picture.drawn())}

    async def _play(self, session: Session) -> None:
        lines = lines_of_stdin() if self._options.cells_from_stdin else None
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
                await self._play_next(session, cell)
        else:
            await self._play_those(session, lines)

    def _desk_failed(self) -> str | None:
        return None if self._there is None else self._there.failed

    def _all_cells(self) -> tuple[Cell, ...]:
        return (*CELLS, *(OF_ACCOUNTS if self._account else ()))

    async def _play_those(self, session: Session, lines: "asyncio.Queue[str | None]") -> None:
        """Play each cell that is named, until no more lines come."""
        told = (*cells_of(self._options.steps), *schedule_cells(self._options.schedules))
        known = {cell.id: cell for cell in (*self._all_cells(), *told)}
        self._cells.clear()
        while (line := await lines.get()) is not None:
            if (name := line.strip()) not in known:
                raise InputError(f"stdin: no cell '{name[:80]}'; `ghostjob certify --list` has all")
            self._cells.append(known[name])
            await self._play_next(session, known[name])

    async def _play_next(self, session: Session, cell: Cell) -> None:
        if session.why_not(cell) is None:  # before one that is not played nobody waits
            await self._controls.before(cell)
        await session.play(cell)

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
            stack.push(partial(_end_trace, output))
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
            patience=Patience(options.coming_seconds, options.first_job_seconds),
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


def _end_trace(output: OutputDirectory, _kind: object, error: BaseException | None, _where: object) -> None:
    """Raises InputError if it cannot be kept; what could not be before stands in it, too."""
    try:
        output.finish(None)
    except UnwritableError as unkept:
        if isinstance(error, InputError):
            raise InputError(f"{error}; {unkept}") from None
        raise
