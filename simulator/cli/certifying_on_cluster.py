"""`ghostjob certify --engine ray`: each cell on some node of a cluster, and one certificate of all.

What cannot be there more than once is certified from one machine: a device on a desk, a serial line, an account.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from agent.errors import InputError
from simulator.certify.alone import Asked, PlayedAlone, Sent, SessionLostError, Word, played_alone
from simulator.certify.certificate import Certificate
from simulator.certify.matrix import Cell
from simulator.certify.one_play import as_path
from simulator.certify.output import PLAYS
from simulator.certify.put_together import Whole, put_together
from simulator.certify.session import ONCE_MORE, Given
from simulator.certify.telling import Telling, ToPeople, ToScripts
from simulator.cli.certify_options import HERE, PORTS, Options, check
from simulator.cli.certifying_told import tell_and_keep, why_cut_short
from simulator.cli.listing import talk
from simulator.cli.options import ended_by_every_end
from simulator.engines.output import TRACE, VERDICT
from simulator.engines.ray.cluster import Died, HeadLostError, joined
from simulator.engines.ray.spreading import Lost, ShardLostError, spread
from simulator.engines.whole_files import REPORT
from simulator.exit_codes import OF_OUTCOME

SENT: Final = ("--document", "--artifact", "--schedule")
"""The options that name files, which are sent along."""
HERE_ONLY: Final = "--engine ray: {}; certify it from here, without --engine ray"


def certified_on_cluster(
    cells: Sequence[Cell], cluster: str | None, given: dict[str, Any], *, is_of_account: bool, has_page: bool
) -> int:
    """Play them, tell and keep what came of each; the exit code. Raises InputError."""
    options = Options(**given)
    _check(options, is_of_account=is_of_account, has_page=has_page)
    check(given)
    return _Certifying(cells, options).on(cluster)


def _check(options: Options, *, is_of_account: bool, has_page: bool) -> None:
    """Raises InputError for what there is only one of, or what is only here."""
    ports = [name for name in (*PORTS, "mqtt_port") if getattr(options, name) not in (None, "off", 0)]
    serial = [probe for probe in options.probes if probe.startswith("serial:")]
    why = None
    if is_of_account:
        why = "an account has one thing of that name, and one device is it"
    elif not options.command:
        why = "a device that is there already is one, and on its desk; give the COMMAND that starts another, after --"
    elif serial:
        why = f"--probe {serial[0]}: a serial line is of one device, and one machine has it"
    elif has_page:
        why = "--page: nobody here sees what goes on on a node"
    elif options.cells_from_stdin:
        why = "--cells-from-stdin: the cells are played at once, and not one after the other as they come"
    elif ports:
        why = (
            f"--{ports[0].replace('_', '-')}: two on one node could not both have it, and COMMAND is told which is free"
        )
    elif options.host != HERE or options.address is not None:
        why = "--host and --address: a cloud is on the node where its device is"
    if why is not None:
        raise InputError(HERE_ONLY.format(why))


def _sent(words: Sequence[str]) -> Iterator[Word]:
    """Options and their values in turn; of those that name files, what stands in them."""
    for name, value in zip(words[::2], words[1::2], strict=True):
        yield name
        path = Path(value)
        yield Sent(path.name, path.read_bytes()) if name in SENT else value


def on_node(asked: Asked, cell: str) -> PlayedAlone | Died:
    """On a node. Raises InputError."""
    try:
        return played_alone(asked, cell)
    except SessionLostError as lost:
        return Died(str(lost))


class _Certifying:
    def __init__(self, cells: Sequence[Cell], options: Options) -> None:
        self._cells = cells
        self._options = options
        self._given = Given(options.probes, options.command, options.again(), options.seed)
        self._telling: Telling = (
            ToScripts(click.echo) if options.is_json else ToPeople(Console(stderr=True), lambda _: ())
        )
        self._began = time.monotonic()
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._played: dict[str, Certificate] = {}
        self._unkept: InputError | None = None

    def on(self, cluster: str | None) -> int:
        """Play them there; the exit code. Raises InputError."""
        try:
            with ended_by_every_end() as whole, joined(cluster) as there:
                _make(self._options.out, self._cells)
                play = partial(on_node, self._asked())
                names = [cell.id for cell in self._cells]
                for name, played in zip(names, spread(there, play, names, on_lost=_say), strict=True):
                    with whole():
                        self._played[name] = played.certificate
                        self._keep(played.files)
                        self._telling.ended(played.certificate.cells[0])
        except (HeadLostError, ShardLostError) as lost:
            return OF_OUTCOME[self._certify(str(lost)).outcome]
        except BaseException as error:
            if self._played or not isinstance(error, InputError):
                self._certify(why_cut_short(error))
            raise
        return OF_OUTCOME[self._certify(None).outcome]

    def _asked(self) -> Asked:
        """Raises InputError."""
        options = self._options
        who = ("--thing", options.thing, "--seed", str(options.seed))
        namespace = () if options.namespace_id is None else ("--namespace-id", options.namespace_id)
        probes = [word for probe in options.probes for word in ("--probe", probe)]
        words = (*who, *namespace, *probes, *_sent(options.again()))
        return Asked(words, options.command, Path.cwd(), is_kept=options.out is not None)

    def _certify(self, cut_short: str | None) -> Certificate:
        """Keep and say what is known. Raises InputError if it cannot be kept."""
        seconds = time.monotonic() - self._began
        whole = Whole(self._options.thing, self._options.namespace_id, self._given, self._started_at, seconds)
        certificate = put_together(self._cells, self._played, whole, cut_short)
        tell_and_keep(certificate, self._options, self._telling, {}, self._unkept, has_trace=False)
        return certificate

    def _keep(self, files: Mapping[str, bytes]) -> None:
        """Those of a cell's play; why they cannot be, is said at the end."""
        if self._options.out is None:
            return
        try:
            for name, content in files.items():
                path = self._options.out / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        except OSError as error:
            self._unkept = self._unkept or InputError(f"--out {self._options.out}: {error.strerror}")


def _make(out: Path | None, cells: Sequence[Cell]) -> None:
    """A directory without what would tell of an older session: of these cells, of which this one may not play each, and
    of the whole, which only one on one machine keeps. Raises InputError.
    """
    if out is None:
        return
    plays = [out / PLAYS / as_path(cell.id + again) for cell in cells for again in ("", ONCE_MORE)]
    older = [out / TRACE, out / REPORT, *(play / name for play in plays for name in (TRACE, VERDICT))]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path in older:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}") from None


def _say(lost: Lost[str]) -> None:
    talk(f"{lost.shard} is played again, since who played it died: {lost.why}")
