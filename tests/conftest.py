"""What every test has: a quiet log. And what makes the suite quick: which files begin first, say."""

import compileall
import gc
import importlib
import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agent.log import configure
from tests import warm

# Where images of CI set this, each of the hundreds of processes that tests start would compile everything again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

HERE = Path(__file__).parent

LONGEST = (
    "tests/simulator/page/browser/",
    "tests/agent/test_power_cuts.py",
    "tests/simulator/engines/ray/",
    "tests/cli/test_certify.py",
    "tests/simulator/devices/models/test_correct.py",
    "tests/simulator/engines/test_shards.py",
    "tests/docs/test_commands.py",
    "tests/simulator/engines/explore/test_system.py",
    "tests/simulator/devices/models/test_table.py",
    "tests/simulator/engines/test_stand_ins.py",
    "tests/agent/test_power_cuts_of_failing_work.py",
    "tests/engines/test_live.py",
    "tests/cli/test_forecast.py",
    "tests/clients/test_delete_job.py",
    "tests/hostile/test_beside.py",
    "tests/simulator/engines/conductor/test_replaying.py",
    "tests/simulator/engines/explore/test_monitors.py",
    "tests/simulator/engines/explore/test_search.py",
    "tests/cli/test_certify_on_account.py",
    "tests/cli/test_explore.py",
    "tests/engines/test_steering_live.py",
    "tests/explore/test_honesty.py",
    "tests/simulator/engines/explore/test_sharing.py",
    "tests/simulator/certify/test_played.py",
    "tests/face/test_elsewhere.py",
    "tests/face/test_plugin_elsewhere.py",
    "tests/simulator/engines/explore/test_shipped_runs.py",
    "tests/explore/mutations/test_mutations.py",
    "tests/cli/test_few_files.py",
    "tests/cli/test_interrupted.py",
    "tests/simulator/page/test_picture.py",
    "tests/simulator/engines/explore/test_naive.py",
    "tests/engines/test_shipped_live.py",
    "tests/explore/test_pool.py",
    "tests/devices/",
    "tests/explore/test_models.py",
    "tests/cli/",
    "tests/hostile/",
    "tests/kills/",
    "tests/store_kills/",
    "tests/test_architecture.py",
    "tests/test_caches.py",
    "tests/test_library.py",
)
"""Files and folders, by the time they take; begun last, they would keep one core waiting for the other."""
TOGETHER = ("tests/simulator/page/browser/",)
"""Folders whose files go to one worker, one after the other: a browser takes as long to begin as most of them take."""


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`. Much of their time tests wait for processes, timers and peers: four workers fill two cores."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure() -> None:
    for number, heeded in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:  # by nohup, or a shell's &: tests would hang
            signal.signal(number, heeded)
    warm.set_up()


def pytest_unconfigure() -> None:
    warm.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank(item.nodeid.partition("::")[0]))


@cache
def rank(file: str) -> int:
    return next((rank for rank, name in enumerate(LONGEST) if file.startswith(name)), len(LONGEST))


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        """One file after the other to whom it has been given, and the files of some folders all to one."""

        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Without a garbage collector that would go again and again through what is imported and collected, and stays."""
    gc.disable()
    try:
        if "PYTEST_XDIST_WORKER" in os.environ:
            compile_a_share([Path(each) for each in session.config.args])
        return (yield)
    finally:
        gc.enable()


def compile_a_share(asked: list[Path]) -> None:
    """In a fresh checkout all workers would compile the same files at the same time: half of what collecting takes.

    So each compiles a share of our modules, and begins to import the tests at a place of its own: where it comes to
    later, others have been.
    """
    number, count = int(os.environ["PYTEST_XDIST_WORKER"][2:]), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    modules = sorted(path for package in ("agent", "simulator") for path in (HERE.parent / package).rglob("*.py"))
    for path in modules[number::count]:
        compileall.compile_file(path, quiet=2)
    tests = sorted(path for each in asked if each.is_dir() for path in each.absolute().rglob("test_*.py"))
    first = len(tests) * number // count
    for path in tests[first:] + tests[:first]:
        with suppress(Exception, pytest.skip.Exception):  # when it is collected, that is told
            importlib.import_module(".".join(path.relative_to(HERE.parent).with_suffix("").parts))


def pytest_collection_finish() -> None:
    """The garbage collector leaves all that alone for good. And most of what tests make is gone without it."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)
    if "PYTEST_XDIST_WORKER" in os.environ:  # one of several, for whom many tests are left
        warm.begin()


@pytest.fixture(autouse=True, scope="module")
def kept() -> Iterator[None]:
    """So is what a file's tests leave behind on purpose, such as plays for those that ask later.

    With all that a process has played, a collection takes most of a second, and some tests ask for many.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def quiet_log() -> None:
    # For each test: one that ran a command in this process has left that command's log behind.
    configure("text", "error")
