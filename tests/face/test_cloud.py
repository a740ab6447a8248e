"""A local cloud from a program: its endpoints, settings and certificates, and how it ends."""

import asyncio
import json
import logging
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import ghostjob
from ghostjob._process import Process


def created(url: str, path: str, method: str, **body: object) -> dict[str, Any]:
    request = urllib.request.Request(f"{url}{path}", json.dumps(body).encode(), method=method)
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer))


def asked(url: str, context: ssl.SSLContext | None = None) -> dict[str, Any]:
    with urllib.request.urlopen(url, context=context) as answer:
        return dict(json.load(answer))


def test_a_cloud_serves_while_the_context_lasts():
    with ghostjob.LocalCloud() as cloud:
        api = cloud.api
        arn = created(api, "/things/lamp", "POST")["thingArn"]
        created(api, "/jobs/fw", "PUT", targets=[arn], document="{}")
        with pytest.raises(ghostjob.Refused) as refused:
            cloud.delete_job("fw", namespace_id="lab", force=True)
        assert refused.value.code == "ResourceNotFoundException"
        with pytest.raises(ghostjob.Refused) as refused:
            cloud.delete_job("no such job", force=True)
        cloud.delete_job("fw", force=True)
        host, _, port = cloud.mqtt.rpartition(":")
        socket.create_connection((host, int(port))).close()
        with pytest.raises(ghostjob.GhostjobError, match="mqtts: not listening; mqtts and data need `things`"):
            assert cloud.mqtts
    with pytest.raises(ghostjob.GhostjobError, match="api: not started"):
        assert cloud.api
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


async def test_a_cloud_serves_coroutines_with_the_certificates_of_its_things(tmp_path: Path):
    settings = {"certs": tmp_path / "certs"}
    async with ghostjob.LocalCloud(things=["lamp"], settings=settings) as cloud:
        certificate = cloud.certificate("lamp")
        context = ssl.create_default_context(cafile=str(certificate.ca))
        context.load_cert_chain(certificate.cert, certificate.key)
        created(cloud.api, "/things/lamp", "POST")
        told = await asyncio.to_thread(asked, f"{cloud.data}/things/lamp/jobs", context)
        assert told == {"inProgressJobs": [], "queuedJobs": []}
        host, _, port = cloud.mqtts.rpartition(":")
        with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname="localhost"):
            pass
        with pytest.raises(ghostjob.InputError, match="pump: there is no certificate; name it in `things`"):
            cloud.certificate("pump")
    async with ghostjob.LocalCloud(settings=settings) as again:
        assert again.certificate("lamp") == certificate


def test_settings_are_the_commands_own(tmp_path: Path):
    settings = {"region": "eu-west-1", "state": str(tmp_path / "cloud.db"), "http": {"page_size": 1}}
    with ghostjob.LocalCloud(settings=settings) as cloud:
        assert str(created(cloud.api, "/things/lamp", "POST")["thingArn"]).startswith("arn:aws:iot:eu-west-1:")
        created(cloud.api, "/things/pump", "POST")
    with ghostjob.LocalCloud(settings=settings) as cloud:
        assert len(asked(f"{cloud.api}/things")["things"]) == 1


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="where a command line is shown to everybody")
def test_no_command_line_shows_the_secrets_of_its_settings():
    settings = {"access_keys": [["LAB", "open-sesame"]], "files_url": "x" * 200_000}
    with ghostjob.LocalCloud(settings=settings) as cloud:
        with pytest.raises(urllib.error.HTTPError, match="403"):
            asked(f"{cloud.api}/things")
        assert cloud._process is not None
        shown = Path(f"/proc/{cloud._process._process.pid}/cmdline").read_bytes()
        assert b"cloud" in shown
        assert b"sesame" not in shown


def test_a_process_that_ends_without_listening_is_told_as_it_ends():
    process = Process("cloud", "--no-such-option")
    process._process.wait()
    process.say("{}" * 100_000)
    assert process.end() == 2


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"colour": 1}, "colour: unknown key; the keys here are host, api_port"),
        ({"cloud": {"deletion_second": 1}}, "cloud.deletion_second: unknown key"),
        ({"mqtt_port": 65536}, "mqtt_port: give 65535 or less"),
        ({"state": "/nowhere/at/all"}, "/nowhere/at/all"),
    ],
)
def test_what_is_no_setting_is_refused_by_name(settings: dict[str, object], says: str):
    with pytest.raises(ghostjob.InputError) as refused, ghostjob.LocalCloud(settings=settings):
        pass
    assert says in str(refused.value)


def test_what_a_cloud_has_to_tell_goes_to_a_logger_while_it_happens(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "ghostjob")
    with ghostjob.LocalCloud(settings={"files_url": "http://lab:4566"}):
        said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == ["event='setting.ignored' setting='files_url' why='there is no files'"]


def test_a_cloud_that_is_killed_meanwhile_is_told_at_the_end():
    cloud = ghostjob.LocalCloud()
    cloud.__enter__()
    assert cloud._process is not None
    cloud._process._process.kill()
    with pytest.raises(ghostjob.GhostjobError, match="ended with exit code -9"):
        cloud.__exit__(None)


def test_a_cloud_that_is_up_is_not_begun_again():
    with ghostjob.LocalCloud() as cloud:
        api = cloud.api
        with pytest.raises(ghostjob.GhostjobError, match="up already"):
            cloud.__enter__()
        assert cloud.api == api


def test_settings_that_are_no_json_are_told():
    with pytest.raises(ghostjob.InputError, match="settings: "), ghostjob.LocalCloud(settings={"files": object()}):
        pass


def test_a_site_that_speaks_is_not_taken_for_the_cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sitecustomize.py").write_text("print('hello from the site')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ghostjob.LocalCloud() as cloud:
        assert asked(f"{cloud.api}/things") == {"things": []}
