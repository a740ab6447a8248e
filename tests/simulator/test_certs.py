"""Certificates: made once, never overwritten, and good for both ends."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from agent.errors import InputError
from simulator.certificate_files import client_context, server_context
from simulator.certs import make_certificates


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_more_things_are_added_and_nothing_is_overwritten(tmp_path: Path):
    make_certificates(tmp_path, ["a"])
    before = contents(tmp_path)
    make_certificates(tmp_path, ["a", "b"])
    after = contents(tmp_path)
    assert set(after) - set(before) == {"b.pem", "b.key"}
    assert {name: after[name] for name in before} == before


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path):
    make_certificates(tmp_path, ["a"])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.key")}
    assert modes == {"ca.key": 0o600, "server.key": 0o600, "a.key": 0o600}


def test_the_server_answers_to_localhost_and_to_what_is_added(tmp_path: Path):
    make_certificates(tmp_path, [], ["localhost", "127.0.0.1", "lab.example", "192.0.2.7"])
    certificate = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "lab.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "192.0.2.7"]


def _names(directory: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate((directory / "server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_a_host_that_is_named_later_is_added_to_the_server_and_to_nothing_else(tmp_path: Path):
    make_certificates(tmp_path, ["a"])
    before = contents(tmp_path)
    make_certificates(tmp_path, ["a"], ("localhost", "127.0.0.1", "::1", "lab.example", "192.0.2.7", "2001:db8::7"))
    assert _names(tmp_path) == ["localhost", "127.0.0.1", "::1", "lab.example", "192.0.2.7", "2001:db8::7"]
    make_certificates(tmp_path, ["a"], ("other.example",))
    assert _names(tmp_path)[0] == "localhost"
    assert {"lab.example", "192.0.2.7", "other.example"} < set(_names(tmp_path))
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"server.pem", "server.key"}
    make_certificates(tmp_path, ["a"])
    assert contents(tmp_path) == after


@pytest.mark.parametrize(
    "host", ["", "no host", "http://lab", "lab:8883", "-x", "ü", "a..b", "x" * 300, "192.0.2.0/24"]
)
def test_what_is_no_host_is_refused(tmp_path: Path, host: str):
    with pytest.raises(InputError, match="--host"):
        make_certificates(tmp_path / "certs", [], [host])
    assert not (tmp_path / "certs").exists()


def test_both_ends_shake_hands_and_the_server_knows_the_thing(tmp_path: Path):
    make_certificates(tmp_path, ["thing-1"])
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context(tmp_path / "ca.pem", tmp_path / "thing-1.pem", tmp_path / "thing-1.key").wrap_bio(
        back, there, server_hostname="localhost"
    )
    server = server_context(tmp_path).wrap_bio(there, back, server_side=True)
    done: set[str] = set()
    for _ in range(6):
        for name, side in (("client", client), ("server", server)):
            try:
                side.do_handshake()
                done.add(name)
            except ssl.SSLWantReadError:
                continue
    assert done == {"client", "server"}
    assert (("commonName", "thing-1"),) in server.getpeercert()["subject"]


@pytest.mark.parametrize("name", ["no/such", "", "x" * 129, "ca", "server", "a b"])
def test_what_is_no_thing_name_makes_nothing(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="--thing"):
        make_certificates(tmp_path / "certs", ["good", name])
    assert not (tmp_path / "certs").exists()


@pytest.mark.parametrize("half", ["ca.pem", "ca.key"])
def test_half_a_ca_is_refused(tmp_path: Path, half: str):
    make_certificates(tmp_path, [])
    (tmp_path / half).unlink()
    with pytest.raises(InputError, match=half):
        make_certificates(tmp_path, ["a"])


@pytest.mark.parametrize("broken", ["ca.pem", "a.pem", "a.key"])
def test_a_file_that_is_missing_or_no_certificate_is_named(tmp_path: Path, broken: str):
    make_certificates(tmp_path, ["a"])
    files = (tmp_path / "ca.pem", tmp_path / "a.pem", tmp_path / "a.key")
    (tmp_path / broken).write_text("nonsense")
    with pytest.raises(InputError, match=broken):
        client_context(*files)
    (tmp_path / broken).unlink()
    of_whom = "" if broken == "ca.pem" else " --thing a"
    with pytest.raises(InputError, match=f"{broken}: no such file; make it with `ghostjob certs --dir .*{of_whom}`"):
        client_context(*files)
