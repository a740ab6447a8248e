"""What is said on stderr when it goes wrong, and the exit code, both as the AWS CLI has them.

252 the command line or its input, 253 the configuration, 254 the service refused, 255 anything else, 130 interrupted.
"""

from typing import Final, TextIO

from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError, ParamValidationError

from simulator.cli.delete_job.options import UsageProblem

USAGE_CODE: Final = 252
CONFIGURATION_CODE: Final = 253
REFUSED_CODE: Final = 254
GENERAL_CODE: Final = 255
INTERRUPTED_CODE: Final = 130


class InputProblem(Exception):  # noqa: N818 - as UsageProblem
    """An argument's value cannot be used."""


class PagerProblem(Exception):  # noqa: N818 - as UsageProblem
    """The configured pager does not start."""


USAGE_PROBLEMS: Final = (UsageProblem, InputProblem, ParamValidationError)
CODES: Final[tuple[tuple[tuple[type[Exception], ...], int, str], ...]] = (
    (USAGE_PROBLEMS, USAGE_CODE, "{}"),
    (
        (NoRegionError,),
        CONFIGURATION_CODE,
        '{} You can also configure your region by running "aws configure".',
    ),
    ((NoCredentialsError,), CONFIGURATION_CODE, '{}. You can configure credentials by running "aws configure".'),
    (
        (PagerProblem,),
        CONFIGURATION_CODE,
        "Unable to redirect output to pager. Received the following error when opening pager:\n{}\n\n"
        "Learn more about configuring the output pager by running "
        '"aws help config-vars".',
    ),
    ((ClientError,), REFUSED_CODE, "{}"),
    ((Exception,), GENERAL_CODE, "{}"),
)
"""The first row that fits an exception says how it ends."""


def report(error: Exception, stderr: TextIO) -> int:
    """Say what was wrong; the exit code."""
    code, words = next((code, words) for kinds, code, words in CODES if isinstance(error, kinds))
    stderr.write(f"\n{words.format(error)}\n")
    return code
