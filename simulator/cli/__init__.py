"""The command `ghostjob`: one verb per intent, each in a module of its own that is imported when it is called.

What a verb is asked for goes to stdout or files, talk to stderr. Exit codes are those of `simulator.exit_codes`;
`delete-job` has the AWS CLI's.
"""

import sys
import traceback
from importlib import import_module

import click

from agent.errors import InputError
from simulator.cli.streams import OutputError, finish, give_up, set_up
from simulator.cli.wording import in_words
from simulator.exit_codes import ExitCode
from simulator.processes import ProcessLostError

VERBS = {
    "run": "Play a scenario and print the verdict (the main job, with no argument).",
    "explore": "Try every order in which things can happen, within bounds.",
    "replay": "Play a schedule again: one order that explore found, choice by choice.",
    "forecast": "What if I press delete now: play that, and the alternatives, before you do.",
    "lab": "Show it to a room: a play that goes on, in which you delete what you want.",
    "certify": "Find out whether a device of your own recovers, and certify it.",
    "trace": "Print what happened in a run, in words, or one entry with what is around it.",
    "report": "Make the report of a run or a certification anew, from its trace.",
    "dashboard": "Show live, in a browser, what is played elsewhere, from its trace as it grows.",
    "cloud": "Keep a local AWS IoT up for anyone's tools.",
    "certs": "Make certificates for the local cloud and its devices.",
    "fleet": "Run simulated devices alone, against any endpoint.",
    "control": "Delete jobs at a chosen instant, against any endpoint.",
    "delete-job": "Delete a job, with the options of `aws iot delete-job`, against any endpoint.",
    "agent": "Run a real device, against any endpoint.",
    "explain": "Explain a page or a word: an invariant, a key, a setting, an exit code, an event.",
    "schema": "Print the JSON Schema of a scenario, settings, a schedule, a verdict, a certificate, page or forecast.",
}
"""In the order in which they are shown: the main job first, then the parts alone."""
OWN = frozenset({"judge", "worker"})
"""What ghostjob starts for itself; nobody else has any use for it."""


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS and cmd_name not in OWN:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"simulator.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ghostjob")
def ghostjob() -> None:
    """Force-delete AWS IoT jobs under running devices, and prove that the devices recover.

    Start with `ghostjob run`: ten simulated devices, a local AWS IoT, one force delete, a verdict. `ghostjob explain`
    lists the pages to read on.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; without `arguments`, this process's own, on its own streams."""
    if arguments is None:
        set_up()
    try:
        code = _code(arguments)
        finish()
    except OutputError as lost:
        give_up()
        if not lost.reader_gone:
            _say(str(lost))
        code = ExitCode.READER_GONE if lost.reader_gone else ExitCode.BAD_INPUT
    except Exception as error:
        if _is_interrupted(error):
            code = ExitCode.INTERRUPTED
        else:
            traceback.print_exc()
            code = ExitCode.FAULT
    sys.exit(code)


def _is_interrupted(error: Exception) -> bool:
    """Whether Ctrl-C came while pydantic built a model: it puts that into words, in an error of its own."""
    return str(error).rpartition("\n")[2].strip().startswith("KeyboardInterrupt")


def _code(arguments: list[str] | None) -> int:
    """What comes of the command line."""
    try:
        code = ghostjob.main(arguments, prog_name="ghostjob", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        _say(in_words(error, VERBS))
        code = ExitCode.BAD_INPUT
    except InputError as error:
        _say(str(error))
        code = ExitCode.BAD_INPUT
    except ProcessLostError as error:
        _say(str(error))
        code = ExitCode.INCONCLUSIVE
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        _say("numpy is needed for this, and is not installed here; install it: pip install 'numpy>=2.1,<3'")
        code = ExitCode.BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        code = ExitCode.INTERRUPTED
    return code if isinstance(code, int) else 0


def _say(problem: str) -> None:
    from simulator.cli.listing import talk

    talk(f"ghostjob: {' '.join(problem.split())}")
