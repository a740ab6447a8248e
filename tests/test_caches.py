"""Whatever is remembered has a bound in bytes: every cache of both packages stands here, with what it may come to.

A cache that peers fill is measured with the largest keys that it takes. One that does not stand here fails.
"""

import gc
import pkgutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import _lru_cache_wrapper
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

import agent
import simulator
import simulator.cloud.access.policies as policies
import simulator.cloud.access.policy_variables as variables
import simulator.cloud.device_api.service as device_api
from agent import values
from agent.abilities import Abilities
from agent.documents import reading as documents
from agent.topics import parse
from agent.values import ExecutionKey, NextChanged, PendingChanged
from simulator.cloud.arns import AccountRegion
from simulator.devices import storage
from simulator.verdict.frozen import Map
from tests.effort import bytes_kept

PROGRAM: Final = "its keys come from the program, which has few of them"
SIMULATED: Final = "its keys are states of simulated devices, a few hundred bytes each"
LARGEST_DOCUMENT: Final = 32 * 1024
"""Characters of a job document; AWS's quota."""
SAMPLE: Final = 8
WIDE: Final = "\U00010000"
"""A character that takes four bytes in memory as on the wire."""


class Bound(NamedTuple):
    """What a cache may come to; `key` makes the largest keys by number, `call` has them remembered."""

    mebibytes: float
    key: Callable[[int], tuple[Any, ...]]
    call: Callable[..., object] | None = None


def _wide(number: int, length: int, begin: str = "") -> str:
    begin += f"{number}"
    return begin + WIDE * (length - len(begin))


def _policy(number: int) -> str:
    statement = '{"Effect":"Allow","Action":"a","Resource":"r"}'
    body = ",".join([statement] * ((policies.LONGEST_DOCUMENT - 60) // (len(statement) + 1)))
    text = f'{{"Version":"2012-10-17","Id":"{number}{WIDE}","Statement":[{body}]}}'
    return text + " " * (policies.LONGEST_REMEMBERED - len(text))


def _certificate(number: int) -> str:
    # Names as long as fit: what is read of them is kept beside the text.
    names = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"{number}{'u' * 58}") for _ in range(18)]
    name, key, now = x509.Name(names), ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), number + 1, now, now + timedelta(days=1))
    pem = made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
    assert len(pem) <= variables.LONGEST_REMEMBERED
    return pem + "\n" * (variables.LONGEST_REMEMBERED - len(pem))


def _document(number: int, characters: int = LARGEST_DOCUMENT) -> str:
    return f'{{"n":{number},"text":"{WIDE * (characters - 40)}"}}'


def _key(number: int) -> ExecutionKey:
    return ExecutionKey(None, f"{number:064}", 1, number)


BOUNDED: Final[dict[str, Bound]] = {
    "agent.documents.reading._plan_of": Bound(
        8, lambda number: (_document(number, documents.REMEMBERED_TEXT), Abilities())
    ),
    "agent.topics.parse": Bound(
        10, lambda number: (_wide(number, device_api.LONGEST_REMEMBERED, "$aws/things/t/jobs/"),), device_api._parse
    ),
    "agent.values._digest": Bound(6, lambda number: (_document(number, values.REMEMBERED_TEXT),)),
    "simulator.cloud.access.certificate_holders.own_policy": Bound(
        1, lambda number: (AccountRegion(), f"{number:0128}")
    ),
    "simulator.cloud.jobs.maintenance.read_cron": Bound(2, lambda number: (f"cron({number % 60} 0/1 ? * * *)",)),
    "simulator.cloud.jobs.notifications._same": Bound(1, lambda number: (PendingChanged(number, None, (), ()),)),
    "simulator.cloud.jobs.maintenance._is_open": Bound(2, lambda number: ((), number)),
    "simulator.cloud.jobs.placeholders.names": Bound(1, lambda number: (_document(number),)),
    "simulator.cloud.jobs.placeholders._cut": Bound(24, lambda number: (_document(number),)),
    "agent.messages.write_hint": Bound(1, lambda number: (NextChanged(number, None, None),), device_api._written),
    "simulator.cloud.access.policies._remembered_pattern": Bound(
        72, lambda number: ("${iot:ClientId}", (_wide(number, policies.LONGEST_PATTERN - 20),))
    ),
    "simulator.cloud.access.policies._remembered_statements": Bound(24, lambda number: (_policy(number),)),
    "simulator.cloud.access.policy_variables._remembered": Bound(24, lambda number: (_certificate(number),)),
    "simulator.devices.storage._same": Bound(20, lambda number: (b"%04d" % number * 512,)),
}
"""By module and name. Documents and hints are an operator's; the others are what devices and peers send."""

DECLARED: Final[dict[str, str]] = {
    "agent.log._logger": PROGRAM,
    "agent.log._lowest": PROGRAM,
    "agent.transports.paho._connect_properties": "by the session's expiry, which is one setting of the agent",
    "simulator.cloud.api.schema._pattern": "patterns of the service models",
    "simulator.engines.ray.alike.here": "one: what this process runs",
    "simulator.scenario.spread._deviations": "sizes of groups that are dealt, of which a scenario has a few",
    "agent.correlation.correlated": "the steps of the program, which has few",
    "simulator.cloud.api.schema.schema_of": "services of the service models",
    "simulator.cloud.store.encoding.dataclasses_in": PROGRAM,
    "simulator.cloud.store.encoding.shape_of": PROGRAM,
    "simulator.cloud.store.encoding.writer": PROGRAM,
    "simulator.devices.hardware.describe": SIMULATED,
    "simulator.devices.hardware.factory": PROGRAM,
    "simulator.trace._writer": PROGRAM,
    "simulator.trace.packed._numbers": PROGRAM,
    "simulator.verdict.state._fields": PROGRAM,
    "simulator.verdict.state._getter": PROGRAM,
    "simulator.devices.hardware.try_to_boot": SIMULATED,
    "simulator.devices.flash.tell_flash": SIMULATED,
    "simulator.devices.sectors.image_of": SIMULATED,
    "simulator.devices.sectors.worked": SIMULATED,
    "simulator.devices.storage._appended": f"of {storage.FILE_BYTES} bytes at most; {SIMULATED}",
    "simulator.devices.storage._recalled": f"of {storage.LARGEST_REMEMBERED} bytes at most; {SIMULATED}",
    "simulator.engines.cues._incarnation": SIMULATED,
    "simulator.engines.explore.device.newest_of": SIMULATED,
    "simulator.engines.explore.device.nonces_in_journal": SIMULATED,
    "simulator.engines.explore.device.renamed": SIMULATED,
    "simulator.engines.explore.device.written": SIMULATED,
    "simulator.engines.explore.net._said": SIMULATED,
    "simulator.engines.explore.world.system_of": "eight setups, each what somebody asks for",
    "simulator.page.texts._places": f"one answer, of a page that ships: {PROGRAM}",
    "simulator.engines.turned_away.refusals": f"steps of the program, refusals up to a limit; {SIMULATED}",
    "simulator.engines.memoised_steps.memoised": f"steps of the program, transitions up to a limit; {SIMULATED}",
}
"""Caches that no peer fills, and why not."""


def _caches() -> dict[str, Any]:
    """Every functools cache of both packages, by module and name."""
    for package in (agent, simulator):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    found = {}
    for each in gc.get_objects():
        if type(each) is _lru_cache_wrapper and _is_ours(each):
            found[f"{each.__module__}.{each.__qualname__}"] = each
    return found


def _is_ours(cache: Any) -> bool:
    """Whether it stands in one of our modules, or in one of their functions, and not in a test that remembers too.

    What is told by its name is the function that it remembers, which may stand in another module.
    """
    if cache.__module__.partition(".")[0] not in ("agent", "simulator"):
        return False
    ours = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("agent", "simulator")]
    if any(held is cache for module in ours for held in vars(module).values()):
        return True
    found: Any = sys.modules.get(cache.__module__)
    for part in cache.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is None or found is cache


CACHES: Final = _caches()


def _collections() -> set[str]:
    """Every module's own dict, list or set that is empty when the program begins: it can only be there to grow.

    Not the verdict's `Map`, which nothing changes.
    """
    return {
        f"{name}.{held}"
        for name, module in tuple(sys.modules.items())
        if name.partition(".")[0] in ("agent", "simulator")
        for held, value in vars(module).items()
        if isinstance(value, dict | list | set | deque | WeakKeyDictionary) and not value
        if not isinstance(value, Map) and not held.startswith("__")
    }


IN_MODULES: Final = _collections()


def test_every_cache_is_declared_and_nothing_else():
    assert CACHES.keys() == BOUNDED.keys() | DECLARED.keys()


def test_no_module_has_a_collection_that_grows_but_those_that_are_bounded():
    bounded = {
        "simulator.devices.storage._SNAPSHOTS",
        "simulator.cloud.contained._told",
        "simulator.trace._FLASHES",
    }
    # In a process in which nothing was done yet: here other tests may have filled one as they were collected.
    asked = (sys.executable, "-c", "from tests.test_caches import IN_MODULES; print(*sorted(IN_MODULES))")
    told = subprocess.run(asked, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    assert {*told.stdout.split()} == bounded


@pytest.mark.parametrize("name", BOUNDED)
def test_a_cache_has_a_bound_in_entries_and_stays_within_its_bytes(name: str):
    bound, cache = BOUNDED[name], CACHES[name]
    entries = cache.cache_parameters()["maxsize"]
    assert entries is not None
    cache.cache_clear()
    keys = [bound.key(number) for number in range(SAMPLE)]
    cache(*bound.key(SAMPLE))  # what is made once, as compiled patterns of the reader

    def fill() -> None:
        for key in keys:
            cache(*_anew(key))

    kept = bytes_kept(fill)
    assert cache.cache_info().currsize == min(SAMPLE + 1, entries)
    cache.cache_clear()
    assert kept / min(SAMPLE, entries) * entries <= bound.mebibytes * 2**20


def _anew(key: Any) -> Any:
    """An equal key that is another object, so that its own bytes are counted."""
    if isinstance(key, str):
        return key.encode().decode()
    if isinstance(key, bytes):
        return bytes(bytearray(key))
    return tuple(_anew(each) for each in key) if type(key) is tuple else key


@pytest.mark.parametrize(
    ("cache", "ask"),
    [
        pytest.param(
            "simulator.cloud.access.policies._remembered_statements",
            lambda text: policies.allows([text], "a", "r", {}),
            id="a policy",
        ),
        pytest.param(
            "simulator.cloud.access.policies._remembered_pattern",
            lambda text: policies.covers("${iot:ClientId}", "a", {"iot:ClientId": text[:1024]}),
            id="a value in a policy",
        ),
        pytest.param("simulator.devices.storage._same", lambda text: storage._shared(text.encode()), id="a journal"),
    ],
)
def test_what_is_too_long_is_not_remembered(cache: str, ask: Callable[[str], object]):
    CACHES[cache].cache_clear()
    ask("a" * 10_000)
    assert CACHES[cache].cache_info().currsize == 0


def test_topics_that_are_too_long_are_read_and_not_remembered():
    api = device_api.DeviceApi(None, lambda: 0.0)  # type: ignore[arg-type]  # asks no jobs for what is no request
    CACHES["agent.topics.parse"].cache_clear()
    long = f"$aws/things/t/jobs/{'a' * 300}/no/such/thing"
    assert parse(long) is None
    assert api.request("t", long, b"", False) is not None
    assert CACHES["agent.topics.parse"].cache_info().currsize == 0
