"""Supergraphs for tests: the fixed head of the join specification, and the conformance cases beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from federation.composition.supergraph import Supergraph

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
  @link(url: "https://specs.apollo.dev/context/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
{ ROOTS }
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
scalar requiresScopes__Scope
directive @context(name: String!) repeatable on OBJECT | INTERFACE | UNION
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM_VALUE
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(
  graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean,
  override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]
) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(
  graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true,
  isInterfaceObject: Boolean! = false
) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar join__FieldValue
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
"""

CONFORMANCE = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "federation"


def join_sdl(graphs: Iterable[str], types: str, roots: Iterable[str] = ("query",)) -> str:
    """Return a whole supergraph document for types that are written with join directives."""
    named = " ".join(f"{root}: {root.capitalize()}" for root in roots)
    values = " ".join(f'{name.upper()} @join__graph(name: "{name}", url: "http://{name}.example")' for name in graphs)
    return f"{HEAD.replace('ROOTS', named)}\nenum join__Graph {{ {values} }}\n{types}"


def supergraph(graphs: Iterable[str], types: str, roots: Iterable[str] = ("query",)) -> Supergraph:
    """Read a supergraph written with `join_sdl`."""
    return Supergraph.parse(join_sdl(graphs, types, roots))


def audit_suites() -> dict[str, Any]:
    """Return the suites of the public gateway audit, nothing where its file is absent."""
    path = CONFORMANCE / "audit.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def fewest_fetches() -> dict[tuple[str, int], int]:
    """Return, per case, the fewest requests that any of four gateways needed."""
    path = CONFORMANCE / "fetches.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    return {(suite, one["test"]): one["best_fetches"] for suite, cases in found.items() for one in cases}
