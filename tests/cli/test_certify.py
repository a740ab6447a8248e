"""`ghostjob certify` from outside: a device that is a command, MQTT with certificates, files and exit codes."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simulator.certify.at_first_job import MOST_CRASHES
from simulator.certify.matrix import CELLS, DEFAULT, QUICK
from simulator.cli.certify import certify
from simulator.cli.certify_options import Options
from simulator.cli.certifying_account import Account
from simulator.cli.page import PageWanted
from tests.cli.certifying import Certifying, device
from tests.cli.command import ended

CALM = "step-middle/calm"
HELD = "report/held"
CRASHING = """if [ -e lived ]; then exec "$@"; fi
touch lived
"$@" & device=$!
while [ ! -e now ]; do sleep 0.05; done
kill -9 $device
exit 9
"""
"""A device that crashes once, when there is a file that says so."""


def test_a_device_that_recovers_is_certified_and_the_files_say_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    with Certifying(tmp_path, "--only", CALM, "--only", HELD, "--out", "out", command=device()) as certify:
        code, out, err = certify.end()
    assert code == 0, out + err
    told = json.loads((tmp_path / "out/certificate.json").read_text())
    assert (told["outcome"], [cell["outcome"] for cell in told["cells"]]) == ("passed", ["passed", "passed"])
    assert told["learned"]["takes_by"] == "start-next"
    suite = ElementTree.parse(tmp_path / "out/junit.xml").getroot()
    assert [case.get("name") for case in suite.iter("testcase")] == [CALM, HELD]
    assert (tmp_path / "out/summary.md").read_text()
    for cell in told["cells"]:
        verdict = json.loads((tmp_path / "out" / cell["directory"] / "verdict.json").read_text())
        assert verdict["outcome"] == "passed"
        assert ended(["trace", str(tmp_path / "out" / cell["directory"])]) == 0
        assert capfd.readouterr().out
    assert "passed: 2 of 2 cells passed" in out
    assert "the device: is given its first job, which nobody disturbs; it is waited for up to 600 s" in err
    assert "its first job:" in err


def test_a_device_that_ends_is_waited_for_no_longer(tmp_path: Path):
    with Certifying(tmp_path, "--quick", command=("sh", "-c", "echo no flash; exit 7")) as certify:
        code, out, err = certify.end()
    assert code == 3
    assert "ended by itself, with exit code 7" in out + err
    assert "no flash" in out + err


def test_a_crash_counts_and_the_device_is_started_again(tmp_path: Path):
    script = tmp_path / "device.sh"
    script.write_text(CRASHING)
    command = ("sh", str(script), *device("reference", 0.3))
    with Certifying(tmp_path, "--json", "--only", CALM, command=command) as certify:
        certify.until("cell.began")
        (tmp_path / "now").touch()
        result = certify.until("cell.ended")["result"]
        assert certify.end()[0] == 1
    assert [each["id"] for each in result["invariants"] if each["outcome"] == "violated"] == ["alive"]
    assert "with exit code 9" in result["why"]


def test_a_device_that_does_not_come_by_is_told_from_one_that_fails(tmp_path: Path):
    with Certifying(tmp_path, "--json", "--wait", "0.5", command=("sleep", "60")) as certify:
        missing = certify.until("device.missing")
        certificate = certify.until("certificate")["certificate"]
        assert certify.end()[0] == 3
    assert "nothing has connected" in missing["why"]
    assert certificate["outcome"] == "inconclusive"


def test_a_probe_that_finds_a_working_device_dead_is_waited_for_aloud_and_no_cell_is_played(tmp_path: Path):
    options = ("--only", CALM, "--probe", "cmd:false", "--first-job", "7")
    with Certifying(tmp_path, "--json", *options, command=device()) as certify:
        said = [each for each in certify.events() if each["event"] in ("device.seen", "device.missing", "cell.began")]
        assert certify.end()[0] == 3
    assert "until the probes show that it is alive: they find it dead (exit code 1)" in said[-2]["says"]
    assert said[-1]["why"].startswith("it has done its first job, and the probes find it dead: exit code 1")


def test_a_probe_that_shows_nothing_is_told_and_what_it_would_show_is_not_judged(tmp_path: Path):
    options = ("--only", CALM, "--probe", "file:nowhere")
    with Certifying(tmp_path, "--json", *options, command=device()) as certify:
        events = list(certify.events())
        assert certify.end()[0] == 0
    said = [each["says"] for each in events if each["event"] == "device.seen"]
    assert "they show nothing (nowhere: there is no such file)" in said[-1]
    assert {"accounted-for", "bootable"} <= set(events[-1]["certificate"]["not_seen"])


@pytest.mark.parametrize(("number", "at_sigint"), [("SIGINT", signal.SIG_DFL), ("SIGTERM", signal.SIG_IGN)])
def test_an_interruption_leaves_what_is_known_and_no_process(
    number: str, at_sigint: signal.Handlers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    flash = ("--flash", str(tmp_path / "flash"))
    before = signal.signal(signal.SIGINT, at_sigint)  # a shell's script has its background ignore it
    try:
        begun = Certifying(tmp_path, "--json", "--quick", "--out", "out", command=device("reference", 0.05, *flash))
    finally:
        signal.signal(signal.SIGINT, before)
    with begun as certify:
        certify.until("cell.ended")
        certify.process.send_signal(signal.Signals[number])
        code, out, _ = certify.end()
    assert code == 130
    (last,) = [json.loads(line) for line in out.splitlines() if '"certificate"' in line]
    assert last["certificate"]["why"].startswith("interrupted; 1 of 8 cells passed")
    told = json.loads((tmp_path / "out/certificate.json").read_text())
    assert told["outcome"] == "inconclusive"
    assert str(tmp_path) not in _command_lines()
    assert not list((tmp_path / "tmp").iterdir())


def test_it_ends_with_who_started_it_and_leaves_no_process(tmp_path: Path):
    command = ("sh", "-c", f"sleep 60; : {tmp_path}")
    with Certifying(tmp_path, "--json", "--until-stdin-closes", "--only", CALM, command=command) as certify:
        certify.until("device.seen")
        code, out, _ = certify.end()
    assert code == 130
    assert json.loads(out.splitlines()[-1])["certificate"]["why"].startswith("interrupted; ")
    assert str(tmp_path) not in _command_lines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a CI's time limit"])
def test_an_interruption_before_the_first_job_is_told_and_leaves_the_files(tmp_path: Path, number: signal.Signals):
    command = ("sh", "-c", f"sleep 60; : {tmp_path}")
    with Certifying(tmp_path, "--only", CALM, "--out", "out", command=command) as certify:
        assert certify.process.stderr is not None
        next(line for line in certify.process.stderr if "nothing has connected yet" in line)
        certify.process.send_signal(number)
        code, out, _ = certify.end()
    assert code == 130
    assert str(tmp_path) not in _command_lines()
    assert out.splitlines()[-1] == "INCONCLUSIVE: interrupted; 0 of 1 cell passed"
    assert {"certificate.json", "junit.xml", "summary.md"} <= {each.name for each in (tmp_path / "out").iterdir()}


CRASHES_OVER_ITS_JOB = """
import http.client, os, ssl, sys
host, port, ca, cert, key, thing = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca)
tls.load_cert_chain(cert, key)
https = http.client.HTTPSConnection(host, int(port), context=tls)
https.request("PUT", f"/things/{thing}/jobs/$next", "{}")
os._exit(3 if "execution" in https.getresponse().read().decode() else 0)
"""


def test_a_device_that_crashes_over_an_undisturbed_job_is_not_started_until_the_time_is_up(tmp_path: Path):
    (tmp_path / "device.py").write_text(CRASHES_OVER_ITS_JOB)
    words = ("{host}", "{data_port}", "{ca}", "{cert}", "{key}", "{thing}")
    with Certifying(tmp_path, "--only", CALM, command=(sys.executable, "device.py", *words)) as certify:
        code, out, err = certify.end()
    assert code == 1
    assert "the device: has taken its first job" in err
    assert "with exit code 3; it wrote nothing" in err
    assert f"FAILED: its process crashed {MOST_CRASHES} times over its first job, which nobody disturbs" in out
    assert f"not played, as it failed its first job, which nobody disturbed: {CALM}\n" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_what_cannot_be_kept_is_said_all_the_same(tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/certificate.json.partial").symlink_to("/dev/full")
    with Certifying(tmp_path, "--only", CALM, "--out", "out", command=("sh", "-c", "exit 7")) as certify:
        code, out, err = certify.end()
    assert code == 2
    assert "with exit code 7" in out, out
    kept = "kept there: junit.xml, summary.md, report.html"
    assert (
        err.splitlines()[-1] == f"ghostjob: --out out: cannot write certificate.json: No space left on device; {kept}"
    )
    assert not list((tmp_path / "out").glob("*.partial"))
    assert {each.name for each in (tmp_path / "out").iterdir()} >= {"junit.xml", "summary.md", "report.html"}


def test_cells_come_one_by_one_on_stdin_and_the_device_stays(tmp_path: Path):
    with Certifying(tmp_path, "--json", "--cells-from-stdin", command=device()) as certify:
        told = certify.until("cells")["cells"]
        assert [cell["id"] for cell in told] == [cell.id for cell in DEFAULT]
        for name in (CALM, "asking/held"):
            certify.say(name)
            assert certify.until("cell.ended")["result"]["outcome"] == "passed"
        code, out, _ = certify.end()
    assert code == 0
    certificate = json.loads(out.splitlines()[-1])["certificate"]
    assert [cell["id"] for cell in certificate["cells"]] == [CALM, "asking/held"]


def test_a_directory_that_is_gone_in_the_middle_ends_no_session(tmp_path: Path):
    with Certifying(tmp_path, "--json", "--cells-from-stdin", "--out", "out", command=device()) as certify:
        certify.until("cells")
        certify.say(CALM)
        assert certify.until("cell.ended")["result"]["directory"] is not None
        shutil.rmtree(tmp_path / "out")
        (tmp_path / "out").touch()
        certify.say("asking/held")
        result = certify.until("cell.ended")["result"]
        assert (result["outcome"], result["directory"]) == ("passed", None)
        code, out, err = certify.end()
    assert code == 2
    assert [cell["outcome"] for cell in json.loads(out.splitlines()[-1])["certificate"]["cells"]] == [
        "passed",
        "passed",
    ]
    assert err.splitlines()[-1].startswith("ghostjob: --out out"), err


def test_what_is_wrong_with_the_command_is_all_that_is_said_while_stdin_is_still_open(tmp_path: Path):
    with Certifying(tmp_path, "--json", "--cells-from-stdin", command=("./nothere",)) as certify:
        assert certify.process.wait() == 2
        _, _, err = certify.end()
    assert err == "ghostjob: ./nothere: cannot be started: No such file or directory\n"


def test_a_cell_that_failed_is_not_unsaid_by_another_try(tmp_path: Path):
    limits = ("--bound", "ready_seconds=1.5", "--bound", "lost_job_seconds=1.5")
    command = (
        "sh",
        "-c",
        'if [ -e mended ]; then m=reference; else m=drops-the-next-job; fi; exec "$@" --model $m',
        "-",
    )
    with Certifying(
        tmp_path, "--json", "--cells-from-stdin", "--out", "out", *limits, command=(*command, *device())
    ) as certify:
        certify.until("cells")
        certify.say(CALM)
        assert certify.until("cell.ended")["result"]["outcome"] == "failed"
        (tmp_path / "mended").touch()
        certify.say(CALM)
        certify.until("cell.ended")
        code, out, _ = certify.end()
    cells = json.loads(out.splitlines()[-1])["certificate"]["cells"]
    assert (code, cells[0]["outcome"]) == (1, "failed")
    first, second = (tmp_path / "out" / cell["directory"] for cell in cells)
    assert first != second
    assert json.loads((first / "verdict.json").read_text())["outcome"] == "failed"


def test_a_device_that_does_not_take_the_next_job_fails_with_what_shows_it_and_is_brought_back(tmp_path: Path):
    command = device("rests-after-a-loss")
    bounds = ("--bound", "ready_seconds=1", "--bound", "lost_job_seconds=1")
    with Certifying(tmp_path, "--json", "--only", CALM, *bounds, command=command) as certify:
        certify.until("cell.began")
        tried = certify.until("device.seen")["says"]
        result = certify.until("cell.ended")["result"]
        assert certify.end()[0] == 1
    assert tried.startswith("is not back at work: job ")
    assert tried.endswith("; it is given another job")
    assert result["outcome"] == "failed"
    assert [each["id"] for each in result["invariants"] if each["outcome"] == "violated"] == ["ready-in-time"]
    pointed = [each["text"] for each in result["evidence"] if each["pointed_at"]]
    assert any("removed the record of" in text for text in pointed), pointed
    assert result["afterwards"]["left"] in ("by-a-job", "by-restart")


def test_the_list_has_every_cell_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert ended(["certify", "--list", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)["cells"]
    assert [cell["id"] for cell in told] == [cell.id for cell in CELLS]
    assert [cell["id"] for cell in told if cell["quick"]] == [cell.id for cell in QUICK]
    assert ended(["certify", "--list", "--quick"]) == 0
    told = capfd.readouterr()
    listed = told.out.splitlines()
    assert "full: with --full only" in told.err
    assert [line.split()[0] for line in listed] == [cell.id for cell in QUICK]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quick", "--full"], "at most one of --quick, --full and --only"),
        (["--only", "step-midle/calm"], "--only step-midle/calm: no such cell or point; did you mean step-middle/calm"),
        (["--only", "nope"], "--only nope: no such cell or point; `ghostjob certify --list` tells which there are"),
        (["--probe", "smoke:signal", "--", "sleep", "9"], "'smoke' is no kind of probe"),
        (["--bound", "ready_second=5"], "did you mean ready_seconds"),
        (["--bound", "z=1"], "--bound z=1: give one of detection_seconds, ready_seconds, "),
        (["--bound", "z=1"], ", not 'z'"),
        (["--bound", "ready_seconds=soon"], "give a number, not 'soon', such as ready_seconds=5"),
        (["--bound", "ready_seconds=-1"], "give 0 or more, not '-1'"),
        (["--power-cmd", "x", "--", "sleep", "9"], "--power-cmd: is for a device elsewhere"),
        (["--api-port", "off"], "--api-port off"),
        (["--mqtts-port", "off", "--data-port", "off"], "every port is off"),
        (["--", "sleep", "{hosts}"], "there is no placeholder {hosts}"),
        (["--", "no-such-program-anywhere"], "no-such-program-anywhere: cannot be started"),
        (["--artifact", __file__, "--", "sleep", "9"], "--artifact: give it twice"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    assert ended(["certify", *arguments]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert said in told.err.splitlines()[-1]
    assert "Traceback" not in told.err


FILE = str(Path(__file__))
AGAIN = (
    *("--allow-topic", "telemetry/#", "--bound", "ready_seconds=5", "--artifact", FILE, "--artifact", FILE),
    *("--step", "erasing", "--document", FILE, "--reset-cmd", "reset", "--power-cmd", "relay", "--host", "0.0.0.0"),
    *("--address", "10.0.0.7", "--certs", "lab", "--mqtts-port", "8884", "--data-port", "off", "--api-port", "0"),
    *("--mqtt-port", "0", "--wait", "7.0", "--first-job", "900.0"),
)
WHERE = ("--endpoint-url", "https://x", "--profile", "lab", "--region", "eu-west-1")
ACCOUNT = (*WHERE, "--allow-aws", "--make-certificate")


@pytest.mark.parametrize("given", [AGAIN, ()], ids=["all that bear on it", "none"])
def test_a_cell_is_played_again_with_the_options_that_bear_on_it(given: tuple[str, ...]):
    besides = ["--thing", "pump", "--out", "x", "--json", "--seed", "7", "--probe", "file:x", "--namespace-id", "n"]
    parsed = certify.make_context("certify", [*besides, *given, *ACCOUNT, "--", "./agent"]).params
    account = Account.taken_from(parsed)
    assert PageWanted.taken(parsed) is None
    for name in ("quick", "full", "is_list", "log_format", "log_level", "engine", "cluster", "until_stdin_closes"):
        del parsed[name]
    assert Options(**parsed).again() == given
    assert account.words() == (*WHERE, "--make-certificate")
    assert account.again == " ".join(("", *WHERE))


def _command_lines() -> str:
    """Of every process here."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(each.read_text())
        except OSError:  # it has ended
            continue
    return "\n".join(found) + str(os.getpid())
