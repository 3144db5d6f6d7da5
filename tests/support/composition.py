"""The public conformance cases that composition is held against; they lie beside the repository, if anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from federation.composition.compose import Composed, compose
from federation.composition.errors import CompositionError, Finding
from federation.composition.specifications import LATEST, federation_directives
from federation.composition.subgraph import Subgraph

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


_LINKED = re.compile(r"@(\w+)")
_OWN = frozenset(federation_directives(LATEST))


def fed(sdl: str, version: str = "2.11") -> str:
    """Return a schema that links the federation specification and imports of it what it uses."""
    names = sorted(set(_LINKED.findall(sdl)) & _OWN)
    imports = ", ".join(f'"@{name}"' for name in names)
    return f'extend schema @link(url: "https://specs.apollo.dev/federation/v{version}", import: [{imports}])\n{sdl}'


def composed(*sdls: str) -> Composed:
    """Compose schemas as subgraphs `a`, `b`, `c` and so on."""
    return compose([Subgraph(name, f"http://{name}", sdl) for name, sdl in zip("abcdefgh", sdls, strict=False)])


def findings(*sdls: str) -> tuple[Finding, ...]:
    """Return why schemas do not compose; none when they do."""
    try:
        composed(*sdls)
    except CompositionError as error:
        return error.findings
    return ()


def codes(*sdls: str) -> list[str]:
    """Return the codes under which schemas do not compose, each once and in order."""
    return sorted({finding.code for finding in findings(*sdls)})
