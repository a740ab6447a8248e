"""Devices as they have been seen in the field, each after the client or the thread that its docstring names."""

from dataclasses import replace
from typing import Final

from simulator.devices.models.field import (
    device_client,
    embedded_crash,
    greengrass_nucleus,
    greengrass_nucleus_lite,
    old_name,
    ota_self_test_flag,
    over_eager,
    waits_for_ever,
)
from simulator.devices.models.model import Model

MODELS: Final[dict[str, Model]] = {
    "greengrass-nucleus": greengrass_nucleus.MODEL,
    "greengrass-nucleus-lite": greengrass_nucleus_lite.MODEL,
    "device-client": device_client.TODAY,
    "device-client-old": device_client.OLD,
    "embedded-crash": embedded_crash.MODEL,
    "old-name": old_name.MODEL,
    "waits-for-ever": waits_for_ever.MODEL,
    "over-eager": over_eager.MODEL,
    "ota-self-test-flag": ota_self_test_flag.MODEL,
}

FIELD: Final = {name: replace(model, guarded=False) for name, model in MODELS.items()}
"""None of them says that what writes its flash would refuse anything."""
