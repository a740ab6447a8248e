"""What came of a certification: kept, then said, with what to do next; or why not all of it came."""

from collections.abc import Mapping

from rich.console import Console

from agent.errors import InputError
from simulator.certify.certificate import Certificate
from simulator.certify.output import write
from simulator.certify.printing import next_steps, print_certificate
from simulator.certify.telling import Telling
from simulator.cli.certify_options import Options
from simulator.cli.listing import tell_fault
from simulator.engines.whole_files import Make
from simulator.report.hanging import say
from simulator.report.next_steps import DEPTH, lines


def tell_and_keep(
    certificate: Certificate,
    options: Options,
    telling: Telling,
    besides: Mapping[str, Make],
    unkept: InputError | None = None,
    *,
    has_trace: bool = True,
) -> None:
    """Keep it, with files `besides`, by their names; say it. `unkept` is why something else could not be kept, and
    `has_trace` is as `print_certificate` has it.

    Raises InputError if not all can be kept, after it was said.
    """
    files: tuple[str, ...] = ()
    if options.out is not None:
        try:  # first: whoever reads what is said may be gone
            files = write(certificate, options.out, besides, tell_fault)
        except InputError as error:
            unkept = error
    telling.certified(certificate)
    if not options.is_json:
        kept = None if unkept else options.out
        print_certificate(certificate, Console(), kept, has_trace=has_trace)
        for line in lines(next_steps(certificate, kept, files)):
            say(Console(stderr=True), line, DEPTH)
    if unkept is not None:
        raise unkept


def why_cut_short(error: BaseException) -> str:
    """Why not all was played."""
    if isinstance(error, InputError):
        return str(error)
    return f"ghostjob itself failed: {type(error).__name__}" if isinstance(error, Exception) else "interrupted"
