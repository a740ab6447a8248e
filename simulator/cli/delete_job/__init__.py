"""`ghostjob delete-job`: `aws iot delete-job`, option for option, through botocore, and so to any endpoint.

It needs no `--allow-aws`. That is the controller's flag, because a controller deletes by itself, at a moment that a
device chooses. Here a person names one job, in AWS's own words, and means the endpoint that these words mean.
"""

import click

from simulator.cli.delete_job.options import COMMAND_OPTIONS, GLOBAL_OPTIONS, VERSION, Option

EXAMPLE = """\b
Examples:
  ghostjob delete-job --endpoint-url http://127.0.0.1:4566 --region us-east-1 --job-id fw --force
  ghostjob delete-job --generate-cli-skeleton yaml-input
"""


class _AsAwsHasIt(click.Command):
    """Its arguments are taken apart as the AWS CLI takes them apart; click only shows the help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args == ["help"] or {"-h", "--help"} & set(args):
            click.echo(ctx.get_help())
            ctx.exit()
        ctx.params["arguments"] = tuple(args)
        return []

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, options in (
            ("Options", COMMAND_OPTIONS),
            ("Options of every AWS command", (*GLOBAL_OPTIONS, VERSION)),
        ):
            with formatter.section(title):
                formatter.write_dl([(_usage(option), option.help) for option in options])


def _usage(option: Option) -> str:
    if option.stores is not None:
        return option.flag
    return f"{option.flag} {'|'.join(option.choices) or option.name.rpartition('-')[2].upper()}"


@click.command(cls=_AsAwsHasIt, epilog=EXAMPLE, options_metavar="--job-id ID [OPTIONS]", add_help_option=False)
def delete_job(arguments: tuple[str, ...]) -> int:
    """Delete a job and its executions: `aws iot delete-job`, with its options, its errors and its exit codes.

    No output on success. Exit codes: 252 a wrong command line, 253 the configuration, 254 a refusal by the service, 255
    anything else. Credentials, profiles, endpoints and AWS_… variables are those of the AWS CLI; so, where none names
    another endpoint, the job is deleted on AWS.
    """
    from simulator.cli.delete_job.running import run

    return run(arguments)
