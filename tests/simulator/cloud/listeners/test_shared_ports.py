"""Ports that several protocols share: MQTT and HTTPS by the name in the handshake; HTTP with and without TLS."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from simulator.certificate_files import client_context
from simulator.certs import make_certificates
from simulator.cloud.local import LocalCloud
from simulator.cloud.settings.cloud import CloudSettings
from tests.fidelity.proofs import proves
from tests.simulator.cloud.mqtt.packets import connect, text
from tests.simulator.cloud.mqtt.peers import WAIT
from tests.within import within


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["lamp"])
    return directory


@pytest.fixture
async def cloud(certs: Path) -> AsyncIterator[LocalCloud]:
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=0, data_port=None, certs=certs)
    async with LocalCloud(options) as made:
        yield made


def port_of(cloud: LocalCloud, name: str) -> int:
    return int((cloud.endpoints[name] or "").rpartition(":")[2])


@proves("mqtt-may-be-named-in-tls")
@pytest.mark.parametrize("named", [["x-amzn-mqtt-ca"], [], ["h2", "x-amzn-mqtt-ca"], ["mqtt"]], ids=str)
async def test_who_names_mqtt_or_nothing_speaks_mqtt(cloud: LocalCloud, certs: Path, named: list[str]):
    tls = client_context(certs / "ca.pem", certs / "lamp.pem", certs / "lamp.key")
    if named:
        tls.set_alpn_protocols(named)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port_of(cloud, "mqtts"), ssl=tls, server_hostname="localhost"
    )
    expected = "x-amzn-mqtt-ca" if "x-amzn-mqtt-ca" in named else None
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == expected
    writer.write(connect(4, rest=text("lamp")))
    assert await within(reader.readexactly(4), WAIT) == b"\x20\x02\0\0"
    writer.close()


@proves("mqtt-may-be-named-in-tls")
async def test_who_names_https_speaks_to_the_data_plane(cloud: LocalCloud, certs: Path):
    tls = client_context(certs / "ca.pem", certs / "lamp.pem", certs / "lamp.key")
    tls.set_alpn_protocols(["x-amzn-http-ca"])
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as http:
        url = f"https://localhost:{port_of(cloud, 'mqtts')}"
        async with http.post(f"{url}/topics/lamp/state", data=b"on") as published:
            assert (published.status, (await published.json())["message"]) == (200, "OK")
        async with http.post(f"{url}/topics/other/state", data=b"on") as refused:
            assert (refused.status, refused.headers["x-amzn-errortype"]) == (403, "ForbiddenException")


async def test_the_api_is_spoken_with_tls_and_without_on_one_port(cloud: LocalCloud, certs: Path):
    tls = ssl.create_default_context(cafile=certs / "ca.pem")
    address = f"localhost:{port_of(cloud, 'api')}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, family=2)) as http:
        for url in (f"http://{address}/things", f"https://{address}/things"):
            async with http.get(url) as answer:
                assert (answer.status, json.loads(await answer.read())) == (200, {"things": []})


@pytest.mark.parametrize(
    "said", [b"", b"\x16\x03\x01\0\x05hello", b"\x16", b"\0"], ids=["nothing", "no hello", "less", "a zero"]
)
async def test_who_says_something_else_does_not_disturb_others(cloud: LocalCloud, certs: Path, said: bytes):
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(cloud, "api"))
    writer.write(said)
    writer.write_eof()
    await within(reader.read(), WAIT)
    writer.close()
    await test_the_api_is_spoken_with_tls_and_without_on_one_port(cloud, certs)


async def test_a_port_that_is_taken_is_named(certs: Path, cloud: LocalCloud):
    taken = port_of(cloud, "api")
    options = CloudSettings(api_port=taken, mqtt_port=None, mqtts_port=None, data_port=None, certs=certs)
    with pytest.raises(Exception, match=f"api port {taken}: in use"):
        await LocalCloud(options).__aenter__()


async def test_a_cloud_that_stops_leaves_no_port_behind(certs: Path):
    options = CloudSettings(api_port=0, mqtt_port=None, mqtts_port=None, data_port=None, certs=certs)
    async with LocalCloud(options) as cloud:
        port = port_of(cloud, "api")
        _, silent = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0)
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)
    silent.close()
