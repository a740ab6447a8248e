"""The plug-in for pytest, in somebody's repository. What is played is the stand-in's."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_ghostjob import DeviceUnderTest
from pytest_ghostjob._sessions import Sessions
from tests.docs.blocks import files
from tests.docs.marks import DIRECTORY, README

from .stand_in import Log

pytest_plugins = ("pytester",)

WRONG = "report-in-flight/answer-lost"
FIVE_LINES = files(README)["test_pump.py"]


class Firmware:
    """A firmware repository, in which pytest is run in this process, with this plug-in alone."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester

    def has(self, test: str, ini: str = "", conftest: str = "") -> None:
        self._pytester.makefile(".ini", pytest=f"[pytest]\n{ini}\n")
        self._pytester.makepyfile(test_pump=test, **({"conftest": conftest} if conftest else {}))

    def run(self, *arguments: str) -> pytest.RunResult:
        return self._pytester.runpytest_inprocess(
            "-p", "pytest_ghostjob.plugin", "-p", "no:cacheprovider", "--strict-markers", "-W", "error", *arguments
        )


@pytest.fixture
def firmware(pytester: pytest.Pytester, stand_in: Log, monkeypatch: pytest.MonkeyPatch) -> Firmware:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Firmware(pytester)


def said(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


def test_each_cell_is_a_test_of_one_session(firmware: Firmware, stand_in: Log, pytester: pytest.Pytester):
    firmware.has(FIVE_LINES, 'ghostjob_command = good --host "{host}"\nghostjob_options = --probe cmd:./v.sh')
    result = firmware.run("-v", "-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*::test_a_deleted_job_is_survived[[]report-in-flight/answer-lost] PASSED*",
            "*::test_a_deleted_job_is_survived[[]before-start/calm] PASSED*",
            "*: off-line/power-cut does not apply to the device: its power cannot be cut",
        ]
    )
    listed, begun, ended = stand_in()
    assert listed["listed"]
    assert begun["argv"] == ["--full", "--probe", "cmd:./v.sh", "--", "good", "--host", "{host}"]
    assert begun["cwd"] == str(pytester.path)
    assert ended["ended"] == "passed"


def test_the_configuration_on_the_page_does(firmware: Firmware, stand_in: Log):
    ini = files(DIRECTORY / "pytest.md")["pytest.ini"]
    firmware.has(FIVE_LINES, ini.removeprefix("[pytest]\n"))
    firmware.run("-k", WRONG).assert_outcomes(passed=1, deselected=2)
    assert stand_in()[1]["argv"] == ["--full", "--", *ini.partition("=")[2].split()]


def test_a_cell_that_fails_says_what_was_seen_and_shows_no_traceback(firmware: Firmware):
    firmware.has(FIVE_LINES, "ghostjob_command = bad 'a b'\nghostjob_thing = pump-7")
    result = firmware.run("-k", WRONG)
    result.assert_outcomes(failed=1, deselected=2)
    text = said(result)
    begin, end = text.index("pump-7 failed"), text.index("=== short test summary")
    assert text[begin:end].splitlines()[:-1] == [
        f"pump-7 failed {WRONG}: it works on a job that is gone",
        "  that a device survives report-in-flight when answer-lost",
        "  no-ghost-work violated: fw-3 is gone",
        "  →  12.500 s  gateway#36  $aws/things/pump-7/jobs/fw-3/update: IN_PROGRESS",
        f"  trace: cells/{WRONG}",
        f"  again: ghostjob certify --only {WRONG} --thing pump-7 -- bad 'a b'",
    ]
    assert "Traceback" not in text
    assert "_sessions.py" not in text


@pytest.mark.parametrize(
    ("ini", "arguments", "outcomes"),
    [
        pytest.param("", (), {"failed": 1}, id="fails by default"),
        pytest.param("ghostjob_inconclusive = skip", (), {"skipped": 1}, id="skipped if so configured"),
        pytest.param("ghostjob_inconclusive = skip", ("--ghostjob-inconclusive=fail",), {"failed": 1}, id="for a run"),
    ],
)
def test_what_could_not_be_shown_is_no_pass(
    firmware: Firmware, ini: str, arguments: tuple[str, ...], outcomes: dict[str, int]
):
    firmware.has(FIVE_LINES, f"ghostjob_command = doubtful\n{ini}")
    result = firmware.run("-rs", "-k", WRONG, *arguments)
    result.assert_outcomes(deselected=2, **outcomes)
    assert f"could not be shown to pass {WRONG}: the deletion came too late" in said(result)


def test_a_test_that_plays_nothing_fails(firmware: Firmware):
    firmware.has(FIVE_LINES.replace("ghostjob_cell.play()", "pass"), "ghostjob_command = good")
    result = firmware.run()
    result.assert_outcomes(failed=3)
    assert f"{WRONG} was not played: call ghostjob_cell.play() in the test" in said(result)


def test_a_test_can_look_at_what_came_of_its_cell(firmware: Firmware):
    more = FIVE_LINES.replace(".play()", ".play()\n    assert ghostjob_cell.result.device_seconds < 1")
    firmware.has(more, "ghostjob_command = good")
    result = firmware.run("-k", WRONG)
    result.assert_outcomes(failed=1, deselected=2)
    assert "1.25 < 1" in said(result)


@pytest.mark.parametrize(
    ("marker", "says"),
    [
        pytest.param('("ful")', "ful: there is no such cell; did you mean full?", id="a slip"),
        pytest.param(
            '("fly/*")', 'fly/*: there is no such cell; give "quick", "full", ids of cells', id="no such cells"
        ),
        pytest.param("(7)", '7: give "quick", "full", ids of cells', id="no text"),
        pytest.param("(quick=True)", "quick=: it takes no such argument; give", id="by keyword"),
    ],
)
def test_what_a_marker_cannot_mean_is_said_where_it_stands(firmware: Firmware, marker: str, says: str):
    firmware.has(FIVE_LINES.replace('("quick")', marker), "ghostjob_command = good")
    result = firmware.run()
    result.assert_outcomes(errors=1)
    assert f"test_pump.py::test_a_deleted_job_is_survived: ghostjob_cells: {says}" in said(result)
    assert "Traceback" not in said(result)


@pytest.mark.parametrize(
    ("marker", "count"),
    [("", 4), ('("full")', 4), ('("*/calm", "re-created/late")', 2), (f'("{WRONG}")', 1)],
)
def test_a_marker_means_cells(firmware: Firmware, marker: str, count: int):
    firmware.has(FIVE_LINES.replace('("quick")', marker))
    assert f"{count} tests collected" in said(firmware.run("--collect-only")).replace("1 test ", "1 tests ")


def test_marker_and_argument_need_each_other(firmware: Firmware):
    firmware.has(FIVE_LINES.replace("(ghostjob_cell)", "()"))
    assert "a function that is marked with it takes the argument ghostjob_cell" in said(firmware.run())
    firmware.has(FIVE_LINES.replace('@pytest.mark.ghostjob_cells("quick")', ""), "ghostjob_command = good")
    assert 'ghostjob_cell: mark the test, such as with @pytest.mark.ghostjob_cells("quick")' in said(firmware.run())


@pytest.mark.parametrize(
    ("ini", "conftest", "says"),
    [
        pytest.param("", "", "device_under_test: nothing says which device. In pytest", id="none"),
        pytest.param(
            "", "7", "device_under_test: give a command or a pytest_ghostjob.DeviceUnderTest, not 7", id="odd"
        ),
        pytest.param("", "'./a \"b'", 'device_under_test: ./a "b: No closing quotation; quote as', id="half a quote"),
        pytest.param(
            'addopts = --ghostjob-command="./a \'b"',
            "",
            "--ghostjob-command: ./a 'b: No closing quotation; quote as in a shell",
            id="an open quote",
        ),
        pytest.param(
            "",
            '"./a \'b"',
            "device_under_test: ./a 'b: No closing quotation; quote as in a shell",
            id="an open quote in a fixture",
        ),
        pytest.param(
            "ghostjob_command = absent",
            "",
            "the device: no cell can be played: nobody connected in 60 s; is the port right?",
            id="a device that never comes",
        ),
        pytest.param(
            "ghostjob_command = misplaced",
            "",
            "the device: no cell can be played: --probe: there is no such file",
            id="a wrong option",
        ),
    ],
)
def test_without_a_device_each_test_says_what_is_missing(
    firmware: Firmware, stand_in: Log, ini: str, conftest: str, says: str
):
    firmware.has(FIVE_LINES, ini, DEVICE.format(device=conftest) if conftest else "")
    result = firmware.run()
    result.assert_outcomes(errors=3)
    assert said(result).count(f"\n{says}") == 3
    assert "Traceback" not in said(result)
    assert len([line for line in stand_in() if "argv" in line]) <= 1, "what is amiss is not waited for again"


DEVICE = """
import pytest, pytest_ghostjob

@pytest.fixture(scope="session")
def device_under_test():
    return {device}
"""


@pytest.mark.parametrize(
    ("device", "argv"),
    [
        ('"good --host {host}"', ["--full", "--", "good", "--host", "{host}"]),
        ('["good", "a b"]', ["--full", "--", "good", "a b"]),
        (
            'pytest_ghostjob.DeviceUnderTest(thing="pump-7", options=("--mqtt-port=1883",))',
            ["--full", "--mqtt-port=1883", "--thing=pump-7"],
        ),
    ],
)
def test_a_fixture_of_the_repository_says_which_device(firmware: Firmware, stand_in: Log, device: str, argv: list[str]):
    firmware.has(FIVE_LINES, "ghostjob_command = bad", DEVICE.replace("{device}", device))
    firmware.run("-k", WRONG).assert_outcomes(passed=1, deselected=2)
    assert stand_in()[1]["argv"] == argv


def test_several_devices_have_a_session_and_a_report_each(firmware: Firmware, stand_in: Log, tmp_path: Path):
    both = DEVICE.replace('(scope="session")', '(scope="session", params=["good", "bad"])').replace("():", "(request):")
    firmware.has(FIVE_LINES, "", both.replace("{device}", "request.param"))
    result = firmware.run("-k", WRONG, f"--ghostjob-out={tmp_path}")
    result.assert_outcomes(passed=1, failed=1, deselected=4)
    begun = [line["argv"] for line in stand_in() if "argv" in line]
    assert [argv[1] for argv in begun] == [f"--out={tmp_path / name}" for name in ("device", "device-2")]


def test_what_to_put_on_a_device_that_runs_elsewhere_is_told_at_once(firmware: Firmware):
    firmware.has(FIVE_LINES, "ghostjob_thing = pump-7")
    result = firmware.run("-q")
    result.stdout.fnmatch_lines(
        [
            "ghostjob: put on pump-7: thing pump-7, port 41883, topics $aws/a $aws/b",
            "ghostjob: connected, has not subscribed to notify nor asked",
        ]
    )


def test_a_device_whose_jobs_are_in_an_account_is_not_played_with_by_two_workers(stand_in: Log, tmp_path: Path):
    def worker(name: str) -> Sessions:
        config: Any = SimpleNamespace(workerinput={"workerid": name}, getoption=lambda _: None, rootpath=tmp_path)
        return Sessions(config, tmp_path / name, told.append)

    told: list[str] = []
    device = DeviceUnderTest(("good",), "pump-7", ("--allow-aws",))
    first, second = worker("gw0"), worker("gw1")
    assert first.of(device).learn()
    with pytest.raises(pytest.fail.Exception, match="pump-7 has its jobs in an account, and is one device"):
        second.of(device)
    first.end(interrupt=False)
    assert "what was made in the account is being removed, about a minute a job on AWS" in told


def test_what_is_left_in_an_account_is_told_at_the_end(firmware: Firmware):
    firmware.has(FIVE_LINES, "ghostjob_thing = pump-7\nghostjob_options = --allow-aws")
    left = "this could not be removed from the account: aws iot delete-thing --thing-name pump-7"
    assert f"ghostjob: pump-7: {left}" in said(firmware.run("-k", WRONG))


def test_a_device_that_does_not_come_back_fails_whatever_the_cell_shows(firmware: Firmware):
    firmware.has(FIVE_LINES, "ghostjob_command = bricks")
    result = firmware.run("-k", WRONG)
    result.assert_outcomes(failed=1, deselected=2)
    assert f"the device passed, but did not come back after {WRONG}" in said(result)
    assert "afterwards bricked: nobody answers" in said(result)


def test_ctrl_c_in_the_middle_of_a_cell_interrupts_the_session(firmware: Firmware, stand_in: Log):
    firmware.has(FIVE_LINES, "ghostjob_command = interrupts")
    with pytest.raises(KeyboardInterrupt):
        firmware.run()
    assert stand_in()[-1]["ended"] == "interrupted"


def test_a_session_that_comes_to_no_certificate_is_told_at_the_end(firmware: Firmware):
    firmware.has(FIVE_LINES, "ghostjob_command = cannot-write")
    result = firmware.run("-k", WRONG)
    result.assert_outcomes(passed=1, deselected=2)
    assert "the device: ended with exit code 1\nghostjob: --out: no space left on device" in said(result)


def test_a_cloud_that_cannot_be_says_why(firmware: Firmware):
    firmware.has("def test_it(fresh_iot_cloud): pass")
    result = firmware.run()
    result.assert_outcomes(errors=1)
    assert "\niot_cloud: ended with exit code 1\n" in said(result)
    assert "Traceback" not in said(result)


def test_a_setting_that_is_none_is_refused_before_anything_is_played(firmware: Firmware):
    firmware.has(FIVE_LINES, "ghostjob_inconclusive = pass")
    result = firmware.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ghostjob_inconclusive: pass: give fail or skip" in "\n".join(result.errlines)


TOLD = re.compile(
    r"^ +(--ghostjob-[a-z-]+)|^ +(ghostjob_[a-z]+) \(|^((?:fresh_)?iot_cloud\w*|ghostjob\w*)", re.MULTILINE
)


def test_the_page_tells_every_setting_option_and_fixture(firmware: Firmware):
    firmware.has("")
    told = said(firmware.run("--help")) + said(firmware.run("--fixtures"))
    names = sorted({each for found in TOLD.findall(told) for each in found if each})
    assert len(names) == 15
    page = (DIRECTORY / "pytest.md").read_text("utf-8")
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_plugin_imports_the_standard_library_and_pytest_alone():
    code = (
        "import sys, pytest; before = set(sys.modules); import pytest_ghostjob.plugin; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) - set(sys.stdlib_module_names) <= {"pytest_ghostjob", "_pytest"}
