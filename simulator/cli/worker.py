"""`ghostjob worker`: a process that holds clients' connections for a cloud (see `simulator.cloud.workers`)."""

import signal

import click

from simulator.cli.options import allow_files, run_loop


@click.command(hidden=True)
@click.argument("descriptor", type=int)
def worker(descriptor: int) -> int:
    """Hold connections for the process of ghostjob's that started this, which is at the other end of that socket."""
    from simulator.cloud.workers.holder import hold

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is that process that decides
    allow_files(10_000, at_most=True)
    run_loop(hold(descriptor))
    return 0
