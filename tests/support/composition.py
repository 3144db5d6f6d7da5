"""The public conformance cases that composition is held against; they lie beside the repository, when they are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_CONFORMANCE = Path(__file__).resolve().parents[3] / "shared" / "conformance"


def audit() -> list[dict[str, Any]]:
    """Return the suites of the gateway audit, each with its `name`; empty when the files are absent."""
    path = _CONFORMANCE / "federation" / "audit.json"
    if not path.exists():
        return []
    return [{"name": name, **suite} for name, suite in json.loads(path.read_text()).items()]


def composition_cases() -> list[dict[str, Any]]:
    """Return the composition inputs with the verdicts of other composers; empty when the files are absent."""
    path = _CONFORMANCE / "composition" / "cases.json"
    return json.loads(path.read_text()) if path.exists() else []
