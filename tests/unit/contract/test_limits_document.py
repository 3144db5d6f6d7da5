"""docs/limits.md is complete and right: every limit of a settings file stands there with its default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from federation.exchange.settings import ExchangeSettings
from federation.gateway.settings import GatewaySettings
from node.server.settings import NodeSettings

DOCUMENT = Path(__file__).parents[3] / "docs" / "limits.md"
_PLACES = {"listen", "url", "keys", "state", "registry", "registry_url", "mapping", "policies", "member", "demo"}


def limits(kind: type[msgspec.Struct]) -> Iterator[tuple[str, object]]:
    """Yield every limit of a settings file with its default."""
    for field in msgspec.structs.fields(kind):
        if field.name in _PLACES:
            continue
        default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        if isinstance(default, msgspec.Struct):
            for inner in msgspec.structs.fields(type(default)):
                yield f"{field.name}.{inner.encode_name}", getattr(default, inner.name)
        elif isinstance(default, int | float) and not isinstance(default, bool):
            yield field.encode_name, default


def test_every_limit_stands_in_the_document_with_its_default() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    missing = []
    for party, kind in (("gateway", GatewaySettings), ("node", NodeSettings), ("exchange", ExchangeSettings)):
        for name, default in limits(kind):
            row = f"| {party} | `{name}` | {default} |"
            if row not in text:
                missing.append(row)
    assert not missing, "docs/limits.md should hold:\n" + "\n".join(missing)
