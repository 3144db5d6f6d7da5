"""The shapes of the documents as JSON Schema 2020-12; the first is published as policies/policy.schema.json.

A schema says which keys exist, which are required and of what type values are. What a schema cannot say (declared
names, forms, conditions, order of dates) is checked by the readers of the documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_ID: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True}
_LAW: Final[Schema] = {"type": "string", "minLength": 5}
_NAME: Final[Schema] = {"type": "string", "pattern": "^[_A-Za-z][_0-9A-Za-z]*$"}
_DAY: Final[Schema] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_DURATION: Final[Schema] = {
    "type": "string",
    "pattern": "^P(?=[0-9]|T[0-9])([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$",
}


def _closed(properties: Schema, required: tuple[str, ...] = (), **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _map_of(values: Schema, **more: Any) -> Schema:
    return {"type": "object", "additionalProperties": values, **more}


_AGGREGATES: Final = _closed(
    {
        "min_cell": {"type": "integer", "exclusiveMinimum": 0},
        "over": _TEXTS,
        "noise": _closed({"epsilon": {"type": "number", "exclusiveMinimum": 0}}, ("epsilon",)),
        "generalise_k": _closed(
            {"k": {"type": "integer", "minimum": 2}, "quasi_identifiers": _TEXTS}, ("k", "quasi_identifiers")
        ),
    },
    ("over",),
)

_GRANT: Final = _closed(
    {
        "id": _ID,
        "to": _closed({"kind": _TEXTS}, ("kind",)),
        "purpose": _TEXT,
        "basis": _TEXTS,
        "basis9": _TEXTS,
        "law": _LAW,
        "rows": {"type": "string"},
        "consent": _TEXT,
        "see": _map_of({"type": ["string", "object"]}, minProperties=1),
        "aggregates": _AGGREGATES,
        "valid": _closed({"from": _DAY, "until": _DAY}, ("from", "until")),
        "retain": _DURATION,
    },
    ("id", "to", "purpose", "basis", "law", "see", "valid", "retain"),
)

_PROHIBITION: Final = _closed(
    {
        "id": _ID,
        "fields": _TEXTS,
        "rows": {"type": "string"},
        "when": {"type": "string"},
        "unless": {"type": "string"},
        "law": _LAW,
        "hide": {"enum": ["row"]},
    },
    ("id",),
)

_COMBINATION: Final = _closed(
    {
        "id": _ID,
        "fields": {**_TEXTS, "minItems": 2, "uniqueItems": True},
        "to": _closed({"kind": _TEXTS}, ("kind",)),
        "law": _LAW,
    },
    ("id", "fields"),
)

TYPE_DOCUMENT: Final[Schema] = {
    "$schema": _DIALECT,
    "$id": "https://w3id.org/crocevia/policy.schema.json",
    "title": "Privacy policy of one GraphQL type",
    **_closed(
        {
            "policy": _NAME,
            "version": {"type": "integer", "minimum": 1},
            "owner": _TEXT,
            "attributes": _map_of({"enum": ["bool", "int", "str", "set<str>"]}, propertyNames=_NAME),
            "fields": _map_of(
                _closed(
                    {
                        "category": _TEXT,
                        "lookup": {"enum": ["exact"]},
                        "computed_from": _TEXTS,
                        "declassified": _closed({"law": _LAW}, ("law",)),
                    },
                    ("category",),
                ),
                minProperties=1,
                propertyNames=_NAME,
            ),
            "grants": {"type": "array", "items": _GRANT},
            "prohibitions": {"type": "array", "items": _PROHIBITION},
            "never_together": {"type": "array", "items": _COMBINATION},
        },
        ("policy", "version", "owner", "fields", "grants"),
    ),
}

VOCABULARY: Final[Schema] = {
    "$schema": _DIALECT,
    "title": "The closed vocabulary of a federation's policies",
    **_closed(
        {
            "purposes": _map_of(
                _closed({"parent": _TEXT, "iri": _TEXT, "it": _TEXT, "en": _TEXT}, ("it",)),
                minProperties=1,
                propertyNames=_ID,
            ),
            "legal_bases": _map_of(_TEXT, minProperties=1, propertyNames={"pattern": r"^[0-9]+\.[0-9]+(\.[a-z]+)?$"}),
            "categories": _map_of(
                _closed(
                    {
                        "sensitivity": {"enum": ["public", "internal", "personal", "confidential", "special"]},
                        "iri": _TEXT,
                        "art9": {"type": "boolean"},
                        "it": _TEXT,
                        "en": _TEXT,
                    },
                    ("sensitivity",),
                ),
                minProperties=1,
                propertyNames=_ID,
            ),
            "requester": _closed(
                {
                    "kind": _closed({"enum": _TEXTS}, ("enum",)),
                    "basis": _closed({"set": {"const": "legal_bases"}}, ("set",)),
                    "area": _closed({"type": {"const": "string"}}, ("type",)),
                },
                ("kind", "basis", "area"),
            ),
        },
        ("purposes", "legal_bases", "categories", "requester"),
    ),
}

_INSTANT: Final[Schema] = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$",
}

SUITE: Final[Schema] = {
    "$schema": _DIALECT,
    "title": "Expected decisions of one type's policy",
    **_closed(
        {
            "suite": _NAME,
            "now": _INSTANT,
            "requesters": _map_of(
                _closed(
                    {"kind": _TEXT, "basis": {"type": "array", "items": _TEXT}, "area": {"type": "string"}},
                    ("kind", "basis"),
                )
            ),
            "rows": _map_of(_map_of({})),
            "tests": {
                "type": "array",
                "minItems": 1,
                "items": _closed(
                    {
                        "as": _TEXT,
                        "for": _TEXT,
                        "row": _TEXT,
                        "see": _map_of({"type": "string"}),
                        "now": _INSTANT,
                        "consent": {"type": ["boolean", "array"], "items": _TEXT},
                    },
                    ("as", "for", "row", "see"),
                ),
            },
        },
        ("suite", "now", "requesters", "rows", "tests"),
    ),
}

REGISTER: Final[Schema] = {
    "$schema": _DIALECT,
    "title": "What an administration says of itself for its register of processing",
    **_closed(
        {
            "controller": _TEXT,
            "contact": _TEXT,
            "joint_controllers": _TEXTS,
            "representative": _TEXT,
            "dpo": _TEXT,
            "subjects": _TEXT,
            "transfers": _TEXT,
            "security": _TEXTS,
        }
    ),
}

INVARIANTS: Final[Schema] = {
    "$schema": _DIALECT,
    "title": "What must never happen, whatever the grants say",
    "type": "array",
    "items": _closed(
        {
            "id": _ID,
            "never": _closed(
                {
                    "fields": {
                        "type": ["array", "object"],
                        "items": _TEXT,
                        "minItems": 1,
                        "properties": {"art9": {"const": True}, "all": {"const": True}, "category": _TEXT},
                        "additionalProperties": False,
                        "minProperties": 1,
                        "maxProperties": 1,
                    },
                    "form": {"type": ["string", "object"]},
                    "when": {"type": "string"},
                },
                ("fields", "form", "when"),
            ),
        },
        ("id", "never"),
    ),
}
