"""`--cli-auto-prompt`: the command line, typed on the terminal with suggestions, and then run.

The line starts with what was given already. Options and their values are suggested as they are typed, each with what
it means; Enter runs the line, Ctrl-C leaves it.
"""

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from prompt_toolkit.shortcuts import PromptSession

from simulator.cli.delete_job.failures import InputProblem
from simulator.cli.delete_job.options import COMMAND_OPTIONS, GLOBAL_OPTIONS, PROGRAM, VERSION, Option

PROMPT, NO_PROMPT = "--cli-auto-prompt", "--no-cli-auto-prompt"
OPTIONS: Final = tuple(
    option for option in (*COMMAND_OPTIONS, *GLOBAL_OPTIONS, VERSION) if option.flag not in (PROMPT, NO_PROMPT)
)


def asked_for(arguments: Sequence[str], configured: str) -> str:
    """`on`, `on-partial` (only if the line cannot be understood) or `off`. Raises InputProblem."""
    if PROMPT in arguments and NO_PROMPT in arguments:
        raise InputProblem("Both --cli-auto-prompt and --no-cli-auto-prompt cannot be specified at the same time.")
    if "help" in arguments or VERSION.flag in arguments or NO_PROMPT in arguments:
        return "off"
    return "on" if PROMPT in arguments else configured


def prompt(arguments: Sequence[str], keys: Input | None = None, screen: Output | None = None) -> list[str]:
    """Have the line completed; the arguments then. Raises EOFError, KeyboardInterrupt, ValueError."""
    if keys is None and not sys.stdin.isatty():
        raise EOFError("Auto-prompt needs a terminal, and standard input is none.")
    session: PromptSession[str] = PromptSession(
        f"> {PROGRAM} ", completer=Suggestions(), complete_while_typing=True, input=keys, output=screen
    )
    given = "".join(f"{shlex.quote(argument)} " for argument in arguments if argument != PROMPT)
    line = session.prompt(default=given)
    return shlex.split(line)


class Suggestions(Completer):
    """Options that the line does not have yet, required ones first; the values of an option that has choices."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """For the word at the cursor."""
        *before, word = document.text_before_cursor.split(" ")
        last = next((option for option in OPTIONS if before and option.flag == before[-1]), None)
        if last is not None and last.choices:
            return [Completion(choice, -len(word)) for choice in last.choices if choice.startswith(word)]
        if last is not None and last.stores is None:
            return []
        return self._options(word, before)

    def _options(self, word: str, before: list[str]) -> Iterator[Completion]:
        for option in OPTIONS:
            if option.flag not in before and option.flag.startswith(word):
                yield Completion(option.flag, -len(word), display=_shown(option), display_meta=option.help)


def _shown(option: Option) -> str:
    return f"{option.flag} (required)" if option.required else option.flag
