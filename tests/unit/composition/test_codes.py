"""Every error code that federation users know, each with the smallest schemas that have it.

`CASES` is walked against `KNOWN`, the codes of the reference implementation (2.14), so that none is forgotten.
"""

from __future__ import annotations

import pytest

from federation.composition.compose import compose
from federation.composition.errors import CompositionError, SupergraphError
from federation.composition.subgraph import Subgraph
from federation.composition.supergraph import Supergraph
from tests.support.composition import codes, composed, fed

Q = "type Query { q: Int }"
FEDERATION = "https://specs.apollo.dev/federation/v2.11"
T = 'type T @key(fields: "id") { id: ID! '


def link(*more: str) -> str:
    """Return a schema that links the federation specification, and what else it should."""
    own = f'@link(url: "{FEDERATION}", import: ["@key", "@inaccessible", "@composeDirective"])'
    return f"extend schema {own} {' '.join(more)} "


MARKED = 'type Query { b: Int @mark(name: "x") }'
COMPOSED = '@link(url: "https://x.dev/foo/v1.0", import: ["@foo"]) @composeDirective(name: "@foo")'

CASES: dict[str, tuple[str, ...]] = {
    "INVALID_GRAPHQL": ("type Query { q: Missing }",),
    "DIRECTIVE_DEFINITION_INVALID": (fed(Q + " directive @key(fields: Int!) on OBJECT " + T + "}"),),
    "TYPE_DEFINITION_INVALID": (fed(Q + " type federation__FieldSet { a: Int } " + T + "}"),),
    "UNKNOWN_FEDERATION_LINK_VERSION": (fed(Q, "2.99"),),
    "UNKNOWN_LINK_VERSION": ('extend schema @link(url: "https://specs.apollo.dev/link/v9.0") ' + Q,),
    "INVALID_LINK_IDENTIFIER": ('extend schema @link(url: "https://specs.apollo.dev/federation") ' + Q,),
    "INVALID_LINK_DIRECTIVE_USAGE": (link('@link(url: "https://specs.apollo.dev/federation/v2.1")') + Q,),
    "LINK_IMPORT_NAME_MISMATCH": (
        fed('type Query { a: Int @tag(name: "x") }'),
        f'extend schema @link(url: "{FEDERATION}", import: [{{name: "@tag", as: "@mark"}}]) {MARKED}',
    ),
    "DIRECTIVE_COMPOSITION_ERROR": (link('@composeDirective(name: "@foo")') + Q,),
    "KEY_FIELDS_HAS_ARGS": (fed(Q + ' type T @key(fields: "f") { f(a: Int): Int }'),),
    "KEY_INVALID_FIELDS": (fed(Q + ' type T @key(fields: "missing") { id: ID }'),),
    "KEY_INVALID_FIELDS_TYPE": (fed(Q + " type T @key(fields: 1) { id: ID }"),),
    "KEY_FIELDS_SELECT_INVALID_TYPE": (fed(Q + ' type T @key(fields: "f { a }") { f: I } interface I { a: Int }'),),
    "KEY_DIRECTIVE_IN_FIELDS_ARG": (fed(Q + ' type T @key(fields: "id @skip(if: true)") { id: ID }'),),
    "PROVIDES_FIELDS_HAS_ARGS": (fed(f'type Query {{ t: T @provides(fields: "f") }} {T} f(a: Int): Int @external }}'),),
    "PROVIDES_FIELDS_MISSING_EXTERNAL": (fed(f'type Query {{ t: T @provides(fields: "f") }} {T} f: Int }}'),),
    "PROVIDES_UNSUPPORTED_ON_INTERFACE": (
        fed(f'{Q} interface I {{ t: T @provides(fields: "f") }} {T} f: Int @external }}'),
        fed(f"{T} f: Int }}"),
    ),
    "PROVIDES_INVALID_FIELDS": (fed(f'type Query {{ t: T @provides(fields: "missing") }} {T} }}'),),
    "PROVIDES_INVALID_FIELDS_TYPE": (fed(f"type Query {{ t: T @provides(fields: 1) }} {T} }}"),),
    "PROVIDES_DIRECTIVE_IN_FIELDS_ARG": (
        fed(f'type Query {{ t: T @provides(fields: "f @skip(if: true)") }} {T} f: Int @external }}'),
    ),
    "PROVIDES_ON_NON_OBJECT_FIELD": (fed('type Query { t: Int @provides(fields: "f") }'),),
    "REQUIRES_FIELDS_MISSING_EXTERNAL": (fed(f'{Q} {T} f: Int g: Int @requires(fields: "f") }}'),),
    "REQUIRES_INVALID_FIELDS": (fed(f'{Q} {T} g: Int @requires(fields: "missing") }}'),),
    "REQUIRES_INVALID_FIELDS_TYPE": (fed(f"{Q} {T} g: Int @requires(fields: 1) }}"),),
    "REQUIRES_DIRECTIVE_IN_FIELDS_ARG": (
        fed(f'{Q} {T} f: Int @external g: Int @requires(fields: "f @skip(if: true)") }}'),
    ),
    "KEY_UNSUPPORTED_ON_INTERFACE": (fed(Q + ' interface I @key(fields: "id") { id: ID }', "2.2"),),
    "REQUIRES_UNSUPPORTED_ON_INTERFACE": (fed(f'{Q} interface I {{ f: Int g: Int @requires(fields: "f") }} {T} }}'),),
    "EXTERNAL_UNUSED": (fed(f"{Q} {T} f: Int @external }}"), fed(f"{T} f: Int }}")),
    "EXTERNAL_ON_INTERFACE": (fed(f"{Q} interface I {{ f: Int @external }}"),),
    "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE": (
        fed(f'type Query {{ t: T @external @provides(fields: "f") }} {T} f: Int @external }}'),
    ),
    "TYPE_WITH_ONLY_UNUSED_EXTERNAL": ("type Query { t: T } type T @extends { b: Int @external }", T + "b: Int }"),
    "EXTERNAL_TYPE_MISMATCH": (
        fed(f'{Q} {T} f: Int @external g: Int @requires(fields: "f") }}'),
        fed(f"{T} f: String }}"),
    ),
    "EXTERNAL_ARGUMENT_MISSING": (
        fed(f'{Q} {T} f: Int @external g: Int @requires(fields: "f") }}'),
        fed(f"{T} f(a: Int): Int }}"),
    ),
    "EXTERNAL_ARGUMENT_TYPE_MISMATCH": (
        fed(f'{Q} {T} f(a: String): Int @external g: Int @requires(fields: "f") }}'),
        fed(f"{T} f(a: Int): Int }}"),
    ),
    "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH": (
        fed(f'{Q} {T} f(a: Int = 1): Int @external g: Int @requires(fields: "f") }}'),
        fed(f"{T} f(a: Int = 2): Int }}"),
    ),
    "EXTERNAL_MISSING_ON_BASE": (fed(f'{Q} {T} f: Int @external g: Int @requires(fields: "f") }}'),),
    "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL": (
        fed(f'{Q} {T} f: Int @external @tag(name: "x") g: Int @requires(fields: "f") }}'),
        fed(f"{T} f: Int }}"),
    ),
    "ROOT_QUERY_USED": ("schema { query: Root } type Root { q: Int } type Query { a: Int }",),
    "ROOT_MUTATION_USED": (
        f"schema {{ query: Query mutation: M }} {Q} type M {{ a: Int }} type Mutation {{ b: Int }}",
    ),
    "ROOT_SUBSCRIPTION_USED": (
        f"schema {{ query: Query subscription: S }} {Q} type S {{ a: Int }} type Subscription {{ b: Int }}",
    ),
    "NO_QUERIES": (fed(T + "}"),),
    "TYPE_KIND_MISMATCH": (fed(Q + " type A { a: Int }"), fed("interface A { a: Int }")),
    "FIELD_TYPE_MISMATCH": (fed("type Query { a: Int @shareable }"), fed("type Query { a: String @shareable }")),
    "FIELD_ARGUMENT_TYPE_MISMATCH": (
        fed("type Query { a(x: Int): Int @shareable }"),
        fed("type Query { a(x: String): Int @shareable }"),
    ),
    "FIELD_ARGUMENT_DEFAULT_MISMATCH": (
        fed("type Query { a(x: Int = 1): Int @shareable }"),
        fed("type Query { a(x: Int = 2): Int @shareable }"),
    ),
    "INPUT_FIELD_DEFAULT_MISMATCH": (fed(f"{Q} input A {{ x: Int = 1 }}"), fed("input A { x: Int = 2 }")),
    "INVALID_FIELD_SHARING": (fed("type Query { a: Int }"), fed("type Query { a: Int }")),
    "EXTENSION_WITH_NO_BASE": (f"{Q} extend type A {{ a: Int }}",),
    "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH": (
        fed("type Query { a(x: Int!): Int @shareable }"),
        fed("type Query { a: Int @shareable }"),
    ),
    "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH": (
        fed(f"{Q} input A {{ x: Int! y: Int }}"),
        fed("input A { y: Int }"),
    ),
    "EMPTY_MERGED_INPUT_TYPE": (fed(f"{Q} input A {{ x: Int }}"), fed("input A { y: Int }")),
    "EMPTY_MERGED_ENUM_TYPE": (
        fed("type Query { a(e: E): Int } enum E { X }"),
        fed("type Query { b(e: E): Int } enum E { Y }"),
    ),
    "ENUM_VALUE_MISMATCH": (fed("type Query { a(e: E): E } enum E { X Y }"), fed("type Query { b: E } enum E { Y }")),
    "INTERFACE_FIELD_NO_IMPLEM": (
        fed("type Query { i: I } interface I { a: Int b: Int } type A implements I { a: Int b: Int }"),
        fed("type Query { j: I } interface I { a: Int } type B implements I { a: Int }"),
    ),
    "INTERFACE_KEY_NOT_ON_IMPLEMENTATION": (
        fed(f'{Q} interface I @key(fields: "id") {{ id: ID }} type A implements I {{ id: ID }}'),
    ),
    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE": (
        fed(f'{Q} interface I @key(fields: "id") {{ id: ID }} type A implements I @key(fields: "id") {{ id: ID }}'),
        fed('interface I { id: ID } type B implements I @key(fields: "id") { id: ID }'),
    ),
    "INTERFACE_OBJECT_USAGE_ERROR": (fed(f"{Q} type I @interfaceObject {{ id: ID }}"),),
    "INVALID_SHAREABLE_USAGE": (fed(f"{Q} interface I {{ a: Int @shareable }}"),),
    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES": (
        fed("type Query { u: U @shareable } union U = A type A { a: Int }"),
        fed("type Query { u: U @shareable } union U = B type B { b: Int }"),
    ),
    "SATISFIABILITY_ERROR": (
        fed("type Query { t: T } type T { a: Int @shareable }"),
        fed("type T { a: Int @shareable b: Int }"),
    ),
    "OVERRIDE_FROM_SELF_ERROR": (fed('type Query { a: Int @override(from: "a") }'),),
    "OVERRIDE_SOURCE_HAS_OVERRIDE": (
        fed('type Query { a: Int @override(from: "b") }'),
        fed('type Query { a: Int @override(from: "a") }'),
    ),
    "OVERRIDE_ON_INTERFACE": (fed(f'{Q} interface I {{ a: Int @override(from: "b") }}'), fed("interface I { a: Int }")),
    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE": (
        fed(f'{Q} {T} f: Int @external @override(from: "b") g: Int @requires(fields: "f") }}'),
        fed(f"{T} f: Int }}"),
    ),
    "OVERRIDE_LABEL_INVALID": (
        fed('type Query { a: Int @override(from: "b", label: "1") }'),
        fed("type Query { a: Int }"),
    ),
    "REFERENCED_INACCESSIBLE": (fed("type Query { a: A } type A @inaccessible { a: Int }"),),
    "DEFAULT_VALUE_USES_INACCESSIBLE": (fed("type Query { a(e: E = X): Int } enum E { X @inaccessible Y }"),),
    "IMPLEMENTED_BY_INACCESSIBLE": (
        fed("type Query { i: I } interface I { a: Int } type A implements I { a: Int @inaccessible b: Int }"),
    ),
    "REQUIRED_INACCESSIBLE": (fed("type Query { a(x: Int! @inaccessible): Int }"),),
    "QUERY_ROOT_TYPE_INACCESSIBLE": (fed("type Query @inaccessible { a: Int }"),),
    "ONLY_INACCESSIBLE_CHILDREN": (fed(f"{Q} type A {{ a: Int @inaccessible }}"),),
    "DISALLOWED_INACCESSIBLE": (
        link(COMPOSED) + "directive @foo(a: Int @inaccessible) on FIELD_DEFINITION type Query { a: Int @foo }",
    ),
    "COST_APPLIED_TO_INTERFACE_FIELD": (fed(f"{Q} interface I {{ a: Int @cost(weight: 1) }}"),),
    "LIST_SIZE_APPLIED_TO_NON_LIST": (fed("type Query { a: Int @listSize(assumedSize: 1) }"),),
    "LIST_SIZE_INVALID_ASSUMED_SIZE": (fed("type Query { a: [Int] @listSize(assumedSize: -1) }"),),
    "LIST_SIZE_INVALID_SLICING_ARGUMENT": (fed('type Query { a: [Int] @listSize(slicingArguments: ["x"]) }'),),
    "LIST_SIZE_INVALID_SIZED_FIELD": (
        fed('type Query { a: A @listSize(assumedSize: 1, sizedFields: ["x"]) } type A { a: Int }'),
    ),
    "CONTEXT_NAME_INVALID": (fed(f'{Q} type A @context(name: "a_b") {{ a: Int }}'),),
    "NO_CONTEXT_IN_SELECTION": (fed(f'{Q} {T} f(x: Int @fromContext(field: "a")): Int }}'),),
    "CONTEXT_NOT_SET": (fed(f'{Q} {T} f(x: Int @fromContext(field: "$c {{ a }}")): Int }}'),),
    "CONTEXT_NO_RESOLVABLE_KEY": (
        fed(
            'type Query { p: P } type P @context(name: "c") { a: Int t: T }'
            ' type T { f(x: Int @fromContext(field: "$c { a }")): Int }'
        ),
    ),
    "CONTEXT_INVALID_SELECTION": (
        fed(
            'type Query { p: P } type P @context(name: "c") { a: Int t: T } '
            f'{T} f(x: Int @fromContext(field: "$c {{ missing }}")): Int }}'
        ),
    ),
    "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS": (
        fed(
            'type Query { p: P } type P @context(name: "c") { a: Int t: T } '
            f'{T} f(x: Int @fromContext(field: "$c {{ a }}")): Int @shareable }}'
        ),
        fed(f"{T} f(x: Int!): Int @shareable }}"),
    ),
    "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE": (fed(f"{Q} interface I @authenticated {{ a: Int }}"),),
    "MISSING_TRANSITIVE_AUTH_REQUIREMENTS": (
        fed(f'{Q} {T} f: Int @external g: Int @requires(fields: "f") }}'),
        fed(f"{T} f: Int @authenticated }}"),
    ),
}

ELSEWHERE = {
    "INVALID_SUBGRAPH_NAME": "a name is no part of a schema: see below",
    "UNSUPPORTED_LINKED_FEATURE": "of supergraphs; ours is SUPERGRAPH_INVALID, see below",
    "INVALID_FEDERATION_SUPERGRAPH": "of supergraphs; ours is SUPERGRAPH_INVALID, see below",
    "DOWNSTREAM_SERVICE_ERROR": "of execution; ours are NODE_UNAVAILABLE, NODE_TIMEOUT, NODE_MISBEHAVED",
    "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED": "a limit of theirs: our work grows with the schema, not its paths",
    "UNSUPPORTED_FEATURE": "that implementation declares it and never raises it",
}
"""Codes that no schema of a subgraph can have here, and why."""

WITH_OTHERS = {
    "REQUIRES_UNSUPPORTED_ON_INTERFACE",
    "EXTERNAL_ON_INTERFACE",
    "OVERRIDE_SOURCE_HAS_OVERRIDE",
}
"""Codes whose smallest schemas break another rule too; the reference implementation says the same two."""

KNOWN = [
    "INVALID_GRAPHQL",
    "DIRECTIVE_DEFINITION_INVALID",
    "TYPE_DEFINITION_INVALID",
    "UNSUPPORTED_LINKED_FEATURE",
    "UNKNOWN_FEDERATION_LINK_VERSION",
    "UNKNOWN_LINK_VERSION",
    "KEY_FIELDS_HAS_ARGS",
    "PROVIDES_FIELDS_HAS_ARGS",
    "PROVIDES_FIELDS_MISSING_EXTERNAL",
    "REQUIRES_FIELDS_MISSING_EXTERNAL",
    "KEY_UNSUPPORTED_ON_INTERFACE",
    "PROVIDES_UNSUPPORTED_ON_INTERFACE",
    "REQUIRES_UNSUPPORTED_ON_INTERFACE",
    "EXTERNAL_UNUSED",
    "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
    "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
    "PROVIDES_ON_NON_OBJECT_FIELD",
    "KEY_INVALID_FIELDS_TYPE",
    "PROVIDES_INVALID_FIELDS_TYPE",
    "REQUIRES_INVALID_FIELDS_TYPE",
    "KEY_INVALID_FIELDS",
    "PROVIDES_INVALID_FIELDS",
    "REQUIRES_INVALID_FIELDS",
    "KEY_FIELDS_SELECT_INVALID_TYPE",
    "ROOT_QUERY_USED",
    "ROOT_MUTATION_USED",
    "ROOT_SUBSCRIPTION_USED",
    "INVALID_SUBGRAPH_NAME",
    "NO_QUERIES",
    "INTERFACE_FIELD_NO_IMPLEM",
    "TYPE_KIND_MISMATCH",
    "CONTEXT_NOT_SET",
    "CONTEXT_INVALID_SELECTION",
    "NO_CONTEXT_IN_SELECTION",
    "CONTEXT_NO_RESOLVABLE_KEY",
    "CONTEXT_NAME_INVALID",
    "EXTERNAL_TYPE_MISMATCH",
    "EXTERNAL_ARGUMENT_MISSING",
    "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
    "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
    "EXTERNAL_ON_INTERFACE",
    "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
    "FIELD_TYPE_MISMATCH",
    "FIELD_ARGUMENT_TYPE_MISMATCH",
    "INPUT_FIELD_DEFAULT_MISMATCH",
    "FIELD_ARGUMENT_DEFAULT_MISMATCH",
    "EXTENSION_WITH_NO_BASE",
    "EXTERNAL_MISSING_ON_BASE",
    "INVALID_FIELD_SHARING",
    "INVALID_SHAREABLE_USAGE",
    "INVALID_LINK_DIRECTIVE_USAGE",
    "INVALID_LINK_IDENTIFIER",
    "LINK_IMPORT_NAME_MISMATCH",
    "REFERENCED_INACCESSIBLE",
    "DEFAULT_VALUE_USES_INACCESSIBLE",
    "QUERY_ROOT_TYPE_INACCESSIBLE",
    "REQUIRED_INACCESSIBLE",
    "DISALLOWED_INACCESSIBLE",
    "IMPLEMENTED_BY_INACCESSIBLE",
    "ONLY_INACCESSIBLE_CHILDREN",
    "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
    "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
    "EMPTY_MERGED_INPUT_TYPE",
    "ENUM_VALUE_MISMATCH",
    "EMPTY_MERGED_ENUM_TYPE",
    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
    "SATISFIABILITY_ERROR",
    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
    "OVERRIDE_FROM_SELF_ERROR",
    "OVERRIDE_SOURCE_HAS_OVERRIDE",
    "OVERRIDE_ON_INTERFACE",
    "OVERRIDE_LABEL_INVALID",
    "UNSUPPORTED_FEATURE",
    "INVALID_FEDERATION_SUPERGRAPH",
    "DOWNSTREAM_SERVICE_ERROR",
    "KEY_DIRECTIVE_IN_FIELDS_ARG",
    "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
    "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
    "DIRECTIVE_COMPOSITION_ERROR",
    "INTERFACE_OBJECT_USAGE_ERROR",
    "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
    "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
    "COST_APPLIED_TO_INTERFACE_FIELD",
    "LIST_SIZE_APPLIED_TO_NON_LIST",
    "LIST_SIZE_INVALID_ASSUMED_SIZE",
    "LIST_SIZE_INVALID_SIZED_FIELD",
    "LIST_SIZE_INVALID_SLICING_ARGUMENT",
    "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED",
    "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
    "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
]


def test_every_code_that_is_known_has_a_case() -> None:
    assert set(KNOWN) == CASES.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("code", CASES)
def test_the_smallest_schemas_with_a_fault_are_refused_with_its_code(code: str) -> None:
    found = codes(*CASES[code])
    assert code in found if code in WITH_OTHERS else found == [code]


def test_a_name_that_is_reserved_or_taken_is_refused() -> None:
    for names in (("_",), ("a", "a")):
        with pytest.raises(CompositionError) as refused:
            compose([Subgraph(name, "", fed(Q)) for name in names])
        assert {finding.code for finding in refused.value.findings} == {"INVALID_SUBGRAPH_NAME"}


def test_a_supergraph_that_needs_what_is_not_known_is_refused() -> None:
    sdl = composed(fed(Q)).supergraph.sdl
    needed = '@link(url: "https://x.dev/secret/v1.0", for: SECURITY)'
    with pytest.raises(SupergraphError):
        Supergraph.parse(sdl.replace("schema\n", f"schema\n  {needed}\n", 1))
