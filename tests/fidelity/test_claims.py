"""The table of claims itself: every one is proven, has a source, and names settings that exist."""

import re
from dataclasses import MISSING, fields
from typing import Final

import pytest

from simulator.cloud.fidelity import CLAIMS, TAGS, Claim, Section
from simulator.cloud.jobs import JobsSettings
from simulator.cloud.mqtt import GatewaySettings
from simulator.cloud.settings.http import HttpSettings

from .proofs import proofs

SETTINGS: Final = (JobsSettings, HttpSettings, GatewaySettings)
"""Whose fields a claim's setting may name; every one has a default."""
DEFAULTS: Final = {field.name: field.default for kind in SETTINGS for field in fields(kind)}
WITH_SETTING: Final = [claim for claim in CLAIMS if claim.setting is not None]


def test_every_claim_is_proven():
    unproven = [claim.id for claim in CLAIMS if claim.id not in proofs()]
    assert not unproven, "write a test in tests/fidelity for each, with @proves"


def test_no_test_proves_what_is_not_claimed():
    assert set(proofs()) <= {claim.id for claim in CLAIMS}


def test_an_id_names_one_claim():
    ids = [claim.id for claim in CLAIMS]
    assert len(ids) == len(set(ids))


def test_claims_come_in_the_order_of_their_sections():
    numbers = [claim.section.value for claim in CLAIMS]
    assert numbers == sorted(numbers), "a module of simulator.cloud.fidelity holds the claims of one section"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_is_a_sentence_with_a_source(claim: Claim):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim.id)
    assert claim.text.endswith(".")
    assert claim.source
    assert claim.tag in TAGS


@pytest.mark.parametrize("claim", WITH_SETTING, ids=lambda claim: claim.id)
def test_a_setting_exists_with_its_default_and_alternatives(claim: Claim):
    assert claim.setting is not None
    assert claim.setting.name in DEFAULTS, "a setting is a field of one of SETTINGS"
    assert DEFAULTS[claim.setting.name] is not MISSING
    assert DEFAULTS[claim.setting.name] == claim.setting.default
    assert claim.setting.alternatives


def test_every_section_has_a_title():
    assert all(section.title for section in Section)
