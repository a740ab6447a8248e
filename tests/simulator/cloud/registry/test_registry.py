"""The registry by itself: who may connect as whom, which group is in which, and what is told of changes."""

import itertools

import pytest
from cryptography.hazmat.primitives import serialization

from simulator.certs import make_certificates
from simulator.cloud.registry import KINDS, Registry, RegistryChange, RegistryError

NOW = 1_700_000_000.0


@pytest.fixture
def registry() -> Registry:
    ids = itertools.count(1)
    return Registry(lambda: f"id-{next(ids)}")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("certs")
    make_certificates(directory, ["t"])
    return (directory / "t.pem").read_text()


def groups(registry: Registry, *pairs: tuple[str, str | None]) -> None:
    for name, parent in pairs:
        registry.groups.create(name, NOW, parent=parent, description=None, attributes=())


def refusal(call, *arguments, **named) -> str:
    with pytest.raises(RegistryError) as caught:
        call(*arguments, **named)
    return caught.value.kind


def test_a_certificates_id_is_the_sha_256_of_its_der(registry: Registry, pem: str):
    from hashlib import sha256

    from cryptography.x509 import load_pem_x509_certificate

    der = load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)
    certificate = registry.register_certificate(pem, NOW)
    assert certificate.certificate_id == sha256(der).hexdigest()
    assert registry.certificate(certificate.certificate_id) == certificate
    assert refusal(registry.register_certificate, pem, NOW) == "ResourceAlreadyExists"
    assert refusal(registry.register_certificate, "nonsense", NOW) == "CertificateValidation"


def test_the_documents_of_a_certificate_are_its_own_and_those_of_its_things_groups(registry: Registry, pem: str):
    one = registry.register_certificate(pem, NOW).certificate_id
    groups(registry, ("all", None), ("some", "all"), ("others", None))
    for name in ("own", "of-all", "of-others", "loose"):
        registry.policies.create(name, f"document {name}", NOW)
    registry.things.create("t")
    registry.things.attach("t", f"cert/{one}")
    registry.groups.add("t", "some")
    registry.policies.attach("own", f"cert/{one}")
    registry.policies.attach("of-all", "thinggroup/all")
    registry.policies.attach("of-others", "thinggroup/others")
    assert registry.things_of(one) == ("t",)
    assert registry.policy_documents(one) == ("document own", "document of-all")
    registry.policies.add_version("own", "newer", NOW, as_default=True)
    assert registry.policy_documents(one) == ("newer", "document of-all")


def test_an_active_or_attached_certificate_is_not_deleted(registry: Registry, pem: str):
    one = registry.register_certificate(pem, NOW).certificate_id
    registry.things.create("t")
    registry.things.attach("t", f"cert/{one}")
    registry.policies.create("p", "{}", NOW)
    registry.policies.attach("p", f"cert/{one}")
    assert refusal(registry.delete_certificate, one, NOW, force=True) == "CertificateState"
    registry.certificates.set_status(one, "INACTIVE", NOW)
    assert refusal(registry.delete_certificate, one, NOW, force=True) == "DeleteConflict"
    assert refusal(registry.things.check_deletion, "t", None) == "InvalidRequest"
    registry.things.principals.drop("t", f"cert/{one}")
    assert refusal(registry.delete_certificate, one, NOW, force=False) == "DeleteConflict"
    registry.delete_certificate(one, NOW, force=True)
    assert registry.certificate(one) is None
    registry.policies.delete("p")


def test_a_thing_joins_a_group_and_all_that_it_stands_in(registry: Registry):
    groups(registry, ("top", None), ("middle", "top"), ("low", "middle"), ("aside", "top"), ("other", None))
    registry.things.create("t")
    assert registry.groups.add("t", "low") == ("low", "middle", "top")
    assert registry.groups.add("t", "low") == ()
    assert refusal(registry.groups.add, "t", "aside") == "InvalidRequest"
    assert registry.groups.add("t", "other") == ("other",)
    assert registry.groups.things_in("top", recursive=True) == ("t",)
    assert registry.groups.things_in("top", recursive=False) == ()
    assert refusal(registry.groups.delete, "middle", None) == "InvalidRequest"
    assert registry.groups.remove("t", "low") == ("low", "middle", "top")
    assert registry.groups.of_thing("t") == ("other",)


@pytest.mark.parametrize(
    ("to_add", "to_remove"),
    [
        pytest.param(["other", "low"], [], id="beside one of the same hierarchy"),
        pytest.param(["low", "aside"], ["middle"], id="two of a hierarchy"),
        pytest.param(["other", "nowhere"], ["middle"], id="one that is none"),
        pytest.param(["other"], ["middle", "nowhere"], id="out of one that is none"),
    ],
)
def test_a_thing_moves_between_groups_as_a_whole_or_not_at_all(registry: Registry, to_add, to_remove):
    groups(registry, ("top", None), ("middle", "top"), ("low", "middle"), ("aside", "top"), ("other", None))
    registry.things.create("t")
    registry.groups.add("t", "middle")
    assert refusal(registry.groups.check_move, "t", to_add, to_remove) in ("InvalidRequest", "ResourceNotFound")
    registry.groups.check_move("t", ["low", "other", "low"], ["middle"])
    assert registry.groups.of_thing("t") == ("middle", "top")


def test_a_hierarchy_is_seven_deep(registry: Registry):
    groups(registry, ("g1", None), *((f"g{n}", f"g{n - 1}") for n in range(2, 8)))
    assert refusal(groups, registry, ("g8", "g7")) == "InvalidRequest"


def test_a_policy_has_five_versions_whose_numbers_are_not_used_again(registry: Registry):
    registry.policies.create("p", "1", NOW)
    for number in range(2, 6):
        registry.policies.add_version("p", str(number), NOW, as_default=False)
    assert refusal(registry.policies.add_version, "p", "6", NOW, as_default=False) == "VersionsLimitExceeded"
    assert refusal(registry.policies.delete_version, "p", "1", NOW) == "DeleteConflict"
    registry.policies.delete_version("p", "5", NOW)
    assert registry.policies.add_version("p", "6", NOW, as_default=True)[1].number == 6
    assert refusal(registry.policies.version, "p", "5") == "ResourceNotFound"
    assert refusal(registry.policies.delete, "p") == "DeleteConflict"


def test_what_is_told_of_changes_makes_the_same_registry_again(registry: Registry, pem: str):
    told: list[RegistryChange] = []
    registry.watch(told.append)
    groups(registry, ("g", None), ("gone", None))
    one = registry.register_certificate(pem, NOW).certificate_id
    for name in ("t", "gone"):
        registry.things.create(name)
        registry.groups.add(name, "g")
    registry.things.attach("t", f"cert/{one}")
    registry.policies.create("p", "document", NOW)
    registry.policies.attach("p", f"cert/{one}")
    registry.groups.remove("gone", "g")
    registry.things.delete("gone")
    registry.groups.delete("gone", None)

    kept = {(change.kind, change.key): change.record for change in told}
    again = Registry(lambda: "another")
    repeated: list[RegistryChange] = []
    again.watch(repeated.append)
    for kind in KINDS:
        for (of, _), record in kept.items():
            if of == kind and record is not None:
                again.restore(kind, record)
    assert repeated == []
    assert again.things.all() == registry.things.all()
    assert again.groups.all() == registry.groups.all()
    assert again.groups.things_in("g", recursive=True) == ("t",)
    assert again.policy_documents(one) == ("document",)
    assert again.certificate(one) == registry.certificate(one)
