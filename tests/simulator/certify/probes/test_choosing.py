"""What a probe's text stands for, and what is said of one that stands for nothing."""

from collections.abc import Callable

import pytest

from agent.errors import InputError
from simulator.certify.probes import probe_of
from tests.simulator.certify.probes.bench import AnOffer


def overhear(topic: str, hear: Callable[[bytes], None]) -> Callable[[], None]:
    return lambda: None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("cmd:true", "CommandProbe"),
        ("http://127.0.0.1:80/version", "HttpProbe"),
        ("https://127.0.0.1/version#/firmware", "HttpProbe"),
        ("http:http://127.0.0.1/version", "HttpProbe"),
        ("mqtt:dut/{thing}/version", "MqttProbe"),
        ("serial:/dev/ttyUSB0@9600#v(\\d{1,3})", "SerialProbe"),
        ("file:/var/lib/{thing}/version", "FileProbe"),
    ],
)
def test_a_text_stands_for_a_probe_that_has_it_for_its_name(text: str, kind: str):
    probe = probe_of(text, AnOffer(), overhear)
    assert (type(probe).__name__, probe.text) == (kind, text)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        pytest.param("./version.sh", "write cmd:COMMAND, http:URL", id="no kind"),
        pytest.param("ssh:dut", "'ssh' is no kind of probe", id="a kind that there is not"),
        pytest.param("cmd:", "name a command", id="no command"),
        pytest.param("cmd:sh -c 'x", "quote as in a shell", id="a quotation without its end"),
        pytest.param("cmd:no-such-program-here", "is it on PATH?", id="a program that is not there"),
        pytest.param("cmd:./no-such-script.sh", "it is looked for from", id="a script that is not there"),
        pytest.param("cmd:/etc", "is a directory", id="a directory instead of a program"),
        pytest.param("cmd:/etc/passwd", "chmod +x /etc/passwd", id="a script that may not be executed"),
        pytest.param("http:dut/version", "http://HOST:PORT/PATH", id="no URL"),
        pytest.param("http://dut:99999/", "", id="a port that there is not"),
        pytest.param("http:ftp://dut/", "http://HOST:PORT/PATH", id="another protocol"),
        pytest.param("http://dut/#version", "JSON pointer, such as #/firmware/version", id="no JSON pointer"),
        pytest.param("mqtt:", "dut/{thing}/version", id="no topic"),
        pytest.param("mqtt:$aws/things/x", "dut/{thing}/version", id="a reserved topic"),
        pytest.param("mqtt:dut/+/version", "without wildcards", id="a wildcard"),
        pytest.param("mqtt:" + "a/" * 8 + "b", "7 slashes", id="too many slashes"),
        pytest.param("serial:", "/dev/ttyUSB0@115200", id="no line"),
        pytest.param("serial:/dev/ttyUSB0@fast", "no rate", id="no rate"),
        pytest.param("serial:/dev/ttyUSB0#(", "the pattern after # is none", id="no pattern"),
        pytest.param("file:", "name a file", id="no file"),
        pytest.param("file:/etc", "a directory", id="a directory instead of a file"),
        pytest.param("cmd:true " + "x" * 5000, "longer than 4096", id="too long"),
    ],
)
def test_what_is_no_probe_is_refused_in_words_that_lead_to_the_fix(text: str, fix: str):
    with pytest.raises(InputError) as refused:
        probe_of(text, AnOffer(), overhear)
    said = str(refused.value)
    assert said.startswith(f"--probe {text[:40]}")
    assert fix in said
    assert "\n" not in said


def test_messages_cannot_be_heard_in_a_cloud_that_is_not_here():
    with pytest.raises(InputError, match="only the local cloud's messages"):
        probe_of("mqtt:dut/x/version", AnOffer())


def test_without_pyserial_a_serial_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "serial", None)
    with pytest.raises(InputError, match=r"pip install 'ghostjob\[serial\]'"):
        probe_of("serial:/dev/ttyUSB0", AnOffer())
