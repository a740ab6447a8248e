"""A call of the control plane."""

import json
import urllib.request
from typing import Any


def call(api: str, method: str, path: str, **body: Any) -> dict[str, str]:
    """What it answers."""
    request = urllib.request.Request(api + path, json.dumps(body).encode(), method=method)
    with urllib.request.urlopen(request) as response:
        told: dict[str, str] = json.loads(response.read() or b"{}")
        return told
