"""What pytest finds: options, the marker, fixtures, and the end of what they have begun."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_ghostjob._device import MISSING, DeviceLike, configured, device_of
from pytest_ghostjob._matrix import ARGUMENT, MARKER, parametrize
from pytest_ghostjob._own import own_ghostjob

if TYPE_CHECKING:
    from ghostjob import LocalCloud
    from pytest_ghostjob._scenarios import Scenarios
    from pytest_ghostjob._sessions import CellUnderTest, Sessions

SETTINGS: Final = (
    ("ghostjob_command", "args", "What starts the device under test; placeholders such as {host} are filled in."),
    ("ghostjob_thing", "string", "The thing that the device under test is."),
    ("ghostjob_options", "args", "More options of `ghostjob certify`, such as --probe cmd:./version.sh."),
    ("ghostjob_inconclusive", "string", "What a cell is that could not show it: fail (default) or skip."),
    ("ghostjob_things", "args", "Things that have a certificate in iot_cloud (default: thing-0)."),
)
_sessions: Final = pytest.StashKey["Sessions"]()
_cell: Final = pytest.StashKey["CellUnderTest"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settings for the configuration file, and what of them is wanted on the command line."""
    defaults: dict[str, Any] = {"ghostjob_inconclusive": "fail", "ghostjob_things": ["thing-0"]}
    for name, kind, about in SETTINGS:
        parser.addini(name, about, type=kind, default=defaults.get(name, [] if kind == "args" else ""))  # type: ignore[arg-type]
    group = parser.getgroup("ghostjob", "force-delete AWS IoT jobs under a device")
    group.addoption("--ghostjob-command", metavar="COMMAND", help="What starts the device under test.")
    group.addoption("--ghostjob-thing", metavar="THING", help="The thing that the device under test is.")
    group.addoption("--ghostjob-inconclusive", choices=("fail", "skip"), help="What a cell is that could not show it.")
    group.addoption("--ghostjob-out", metavar="DIR", help="Keep certificate, junit.xml, summary and traces there.")


def pytest_configure(config: pytest.Config) -> None:
    """The marker has a name, and settings are checked before anything is played."""
    config.addinivalue_line(
        "markers", f'{MARKER}("quick" | "full" | ids…): make a test of each cell; the function takes {ARGUMENT}.'
    )
    if _on_doubt(config) not in ("fail", "skip"):
        raise pytest.UsageError(f"ghostjob_inconclusive: {_on_doubt(config)}: give fail or skip")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test a cell."""
    parametrize(metafunc)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that is marked and plays nothing has shown nothing."""
    done = yield
    cell = pyfuncitem.stash.get(_cell, None)
    if cell is not None and not cell.is_played:
        pytest.fail(f"{cell.id} was not played: call {ARGUMENT}.play() in the test", pytrace=False)
    return done


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    """Whatever was begun ends here."""
    _end(session.config, interrupt=exitstatus == pytest.ExitCode.INTERRUPTED)
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    """And here, if pytest itself came to no end."""
    _end(config, interrupt=True)


@pytest.fixture(scope="session")
def device_under_test(pytestconfig: pytest.Config) -> DeviceLike:
    """The device under test, as the configuration says; override it to return a command or a DeviceUnderTest."""
    try:
        device = configured(pytestconfig)
    except TypeError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    if device is None:
        pytest.fail(MISSING, pytrace=False)
    return device


@pytest.fixture
def ghostjob_cell(
    request: pytest.FixtureRequest, device_under_test: DeviceLike, tmp_path_factory: pytest.TempPathFactory
) -> "CellUnderTest":
    """One cell of the matrix, of a test that is marked with ghostjob_cells; `play()` plays it."""
    cell = getattr(request, "param", None)
    if cell is None:
        pytest.fail(f'{ARGUMENT}: mark the test, such as with @pytest.mark.{MARKER}("quick")', pytrace=False)
    with own_ghostjob():
        from pytest_ghostjob._sessions import CellUnderTest
    try:
        device = device_of(device_under_test)
    except (TypeError, ValueError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    session = _sessions_of(request.config, tmp_path_factory).of(device)
    made = CellUnderTest(cell.id, cell.shows, device, session, _on_doubt(request.config))
    request.node.stash[_cell] = made
    return made


@pytest.fixture(scope="session")
def iot_cloud_things(pytestconfig: pytest.Config) -> list[str]:
    """Things that have a certificate; override it, or set ghostjob_things."""
    return list(pytestconfig.getini("ghostjob_things"))


@pytest.fixture(scope="session")
def iot_cloud_settings() -> dict[str, Any]:
    """Settings of `ghostjob cloud --settings`; override it to have others."""
    return {}


@pytest.fixture(scope="session")
def iot_cloud(iot_cloud_things: list[str], iot_cloud_settings: dict[str, Any]) -> Iterator["LocalCloud"]:
    """A local AWS IoT for the whole run, on ports of its own: a ghostjob.LocalCloud."""
    yield from _cloud(iot_cloud_things, iot_cloud_settings)


@pytest.fixture
def fresh_iot_cloud(iot_cloud_things: list[str], iot_cloud_settings: dict[str, Any]) -> Iterator["LocalCloud"]:
    """The same for one test, in which there is nothing yet."""
    yield from _cloud(iot_cloud_things, iot_cloud_settings)


@pytest.fixture
def ghostjob(tmp_path: Path) -> "Scenarios":
    """`ghostjob.play(scenario, …)` as the library's, but that what came of it is kept in `tmp_path`."""
    with own_ghostjob():
        from pytest_ghostjob._scenarios import Scenarios
    return Scenarios(tmp_path)


def _cloud(things: list[str], settings: dict[str, Any]) -> Iterator["LocalCloud"]:
    with own_ghostjob():
        from ghostjob import GhostjobError, LocalCloud
    with ExitStack() as stack:
        try:
            cloud = stack.enter_context(LocalCloud(things=things, settings=settings))
        except GhostjobError as error:
            raise pytest.fail.Exception(f"iot_cloud: {error}", pytrace=False) from None
        yield cloud


def _on_doubt(config: pytest.Config) -> str:
    return str(config.getoption("ghostjob_inconclusive") or config.getini("ghostjob_inconclusive"))


def _sessions_of(config: pytest.Config, temporary: pytest.TempPathFactory) -> "Sessions":
    if _sessions not in config.stash:
        with own_ghostjob():
            from pytest_ghostjob._sessions import Sessions
        config.stash[_sessions] = Sessions(config, temporary.getbasetemp(), lambda line: _tell(config, line))
    return config.stash[_sessions]


def _end(config: pytest.Config, *, interrupt: bool) -> None:
    if (sessions := config.stash.get(_sessions, None)) is not None:
        sessions.end(interrupt=interrupt)


def _tell(config: pytest.Config, line: str) -> None:
    """What a run waits for is said at once, and not only once it has failed."""
    reporter, capture = (config.pluginmanager.getplugin(name) for name in ("terminalreporter", "capturemanager"))
    if reporter is not None and capture is not None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"ghostjob: {line}")
