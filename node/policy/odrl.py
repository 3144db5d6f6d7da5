"""Policies as ODRL with DPV terms, and ODRL agreements as draft grants (policy section 12).

Export: one `odrl:Agreement` per grant. Import makes a draft, which an officer completes and two officers sign: ODRL
has no masks and no rows of its own, so those travel as terms of ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from node.policy.conditions import TRUE, to_text
from node.policy.errors import PolicyError, nearest
from node.policy.forms import Clear, write_form
from node.policy.messages import message

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.documents import Aggregates, Grant, Prohibition, TypeDocument
    from node.policy.vocabulary import Vocabulary

_CONTEXT: Final = [
    "http://www.w3.org/ns/odrl.jsonld",
    {"dpv": "https://w3id.org/dpv#", "crocevia": "https://w3id.org/crocevia/policy#"},
]
_FIELD: Final = "https://w3id.org/crocevia/field/"
_KIND: Final = "https://w3id.org/crocevia/kind/"
_PURPOSE: Final = "https://w3id.org/crocevia/purpose/"


def to_odrl(bundle: Bundle, assigner: str) -> dict[str, Any]:
    """Return a JSON-LD document with one agreement per grant.

    Args:
        bundle: the policy.
        assigner: an IRI of the administration whose policy it is.
    """
    agreements = [
        _agreement(bundle, document, grant, assigner)
        for _, document in sorted(bundle.types.items())
        for grant in document.grants
    ]
    return {"@context": _CONTEXT, "@graph": agreements}


def _agreement(bundle: Bundle, document: TypeDocument, grant: Grant, assigner: str) -> dict[str, Any]:
    vocabulary = bundle.vocabulary
    constraints = [
        {"leftOperand": "purpose", "operator": "isA", "rightOperand": {"@id": f"{_PURPOSE}{grant.purpose}"}},
        {"leftOperand": "dateTime", "operator": "gteq", "rightOperand": {"@value": grant.valid.first.isoformat()}},
        {"leftOperand": "dateTime", "operator": "lteq", "rightOperand": {"@value": grant.valid.last.isoformat()}},
    ]
    permissions = [
        {
            "action": "read",
            "target": f"{_FIELD}{document.name}.{name}",
            "constraint": constraints,
            "duty": [{"action": "delete", "constraint": [_after(grant)]}],
            **({} if isinstance(form, Clear) else {"crocevia:mask": write_form(form)}),
        }
        for name, form in grant.see.items()
    ]
    prohibitions = [
        _prohibition(document, rule, name) for rule in document.prohibitions for name in grant.see if rule.takes(name)
    ]
    return {
        "@type": "Agreement",
        "uid": f"https://w3id.org/crocevia/grant/{document.name}/{grant.id}",
        "assigner": assigner,
        "assignee": [f"{_KIND}{kind}" for kind in grant.kinds],
        "permission": permissions,
        **({"prohibition": prohibitions, "conflict": "prohibit"} if prohibitions else {}),
        "dpv:hasLegalBasis": [{"@id": vocabulary.legal_bases[basis]} for basis in (*grant.basis, *grant.basis9)],
        "crocevia:law": grant.law,
        **({"crocevia:rows": to_text(grant.rows)} if grant.rows != TRUE else {}),
        **({"crocevia:consent": f"{_PURPOSE}{grant.consent}"} if grant.consent else {}),
        **({"crocevia:aggregates": _written(grant.aggregates)} if grant.aggregates else {}),
    }


def _written(counts: Aggregates) -> dict[str, Any]:
    """Return what a grant demands of numbers as a type document writes it."""
    alike = counts.alike
    return {
        "min_cell": counts.min_cell,
        "over": list(counts.over),
        **({"noise": {"epsilon": counts.epsilon}} if counts.epsilon is not None else {}),
        **({"generalise_k": {"k": alike.persons, "quasi_identifiers": list(alike.over)}} if alike is not None else {}),
    }


def _prohibition(document: TypeDocument, rule: Prohibition, name: str) -> dict[str, Any]:
    """ODRL has no row conditions: where a prohibition denies is a term of ours, and whoever ignores it denies more."""
    where = rule.denies_where
    return {
        "action": "read",
        "target": f"{_FIELD}{document.name}.{name}",
        "crocevia:rule": rule.id,
        **({} if where == TRUE else {"crocevia:where": to_text(where)}),
    }


def _after(grant: Grant) -> dict[str, Any]:
    return {"leftOperand": "elapsedTime", "operator": "eq", "rightOperand": {"@value": grant.retain}}


def draft_grants(document: Any, vocabulary: Vocabulary) -> dict[str, list[dict[str, Any]]]:
    """Return draft grants by type, as a type document writes them, from a document of ODRL agreements.

    Raises:
        PolicyError: an agreement lacks what a grant needs, or names what the vocabulary does not have.
    """
    if not isinstance(document, dict):
        raise PolicyError(message("expected a JSON-LD document with ODRL agreements"))
    graph = document.get("@graph", [document])
    drafts: dict[str, list[dict[str, Any]]] = {}
    for position, agreement in enumerate(graph if isinstance(graph, list) else []):
        if isinstance(agreement, dict) and agreement.get("@type") == "Agreement":
            where = message("agreement {number}", number=position + 1)
            for type_name, draft in _drafts_of(agreement, where, vocabulary).items():
                drafts.setdefault(type_name, []).append(draft)
    if not drafts:
        raise PolicyError(message("the document holds no ODRL agreement"))
    return drafts


def _drafts_of(agreement: dict[str, Any], where: str, vocabulary: Vocabulary) -> dict[str, dict[str, Any]]:
    by_iri = {iri: basis for basis, iri in vocabulary.legal_bases.items()}
    bases = [by_iri.get(_iri(one)) for one in _list(agreement.get("dpv:hasLegalBasis"))]
    if not bases or None in bases:
        raise PolicyError(message("{where} has no legal basis of the vocabulary", where=where))
    kinds = [_local(one, _KIND, vocabulary.kinds, where) for one in _list(agreement.get("assignee"))]
    drafts: dict[str, dict[str, Any]] = {}
    for permission in _maps(agreement.get("permission")):
        type_name, _, field = str(permission.get("target", "")).removeprefix(_FIELD).partition(".")
        if not field:
            raise PolicyError(message("{where} has a permission without a field as its target", where=where))
        found = _constraints(permission)
        if not {"purpose", "from", "until"} <= found.keys():
            raise PolicyError(message("{where} has a permission without purpose and dates", where=where))
        draft = drafts.setdefault(
            type_name,
            {
                "id": _id(str(agreement.get("uid", where))),
                "to": {"kind": kinds},
                "purpose": _local(found["purpose"], _PURPOSE, vocabulary.purposes, where),
                "basis": [basis for basis in bases if basis not in vocabulary.special_bases],
                "see": {},
                "valid": {"from": found["from"], "until": found["until"]},
            },
        )
        # What the agreement does not say is left out, so that `policy check` asks the officer for it.
        if "crocevia:law" in agreement:
            draft["law"] = agreement["crocevia:law"]
        if (retain := _retention(permission)) is not None:
            draft["retain"] = retain
        if "crocevia:consent" in agreement:
            draft["consent"] = _local(agreement["crocevia:consent"], _PURPOSE, vocabulary.purposes, where)
        special = [basis for basis in bases if basis in vocabulary.special_bases]
        if special:
            draft["basis9"] = special
        if "crocevia:rows" in agreement:
            draft["rows"] = agreement["crocevia:rows"]
        if "crocevia:aggregates" in agreement:
            draft["aggregates"] = agreement["crocevia:aggregates"]
        draft["see"][field] = permission.get("crocevia:mask", "clear")
    return drafts


def _constraints(permission: dict[str, Any]) -> dict[str, str]:
    keys = {("purpose", "isA"): "purpose", ("dateTime", "gteq"): "from", ("dateTime", "lteq"): "until"}
    found = {}
    for one in _maps(permission.get("constraint")):
        key = keys.get((_iri(one.get("leftOperand")), _iri(one.get("operator"))))
        if key:
            found[key] = _iri(one.get("rightOperand"))
    return found


def _retention(permission: dict[str, Any]) -> str | None:
    for duty in _maps(permission.get("duty")):
        for one in _maps(duty.get("constraint")):
            if one.get("leftOperand") == "elapsedTime":
                return _iri(one.get("rightOperand"))
    return None


def _maps(value: Any) -> list[dict[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _iri(value: Any) -> str:
    return str(value.get("@id", value.get("@value", ""))) if isinstance(value, dict) else str(value)


def _local(value: Any, base: str, known: Any, where: str) -> str:
    name = _iri(value).removeprefix(base)
    if name not in known:
        raise PolicyError(
            message(
                "{where}: `{name}` is not in the vocabulary{nearest}",
                where=where,
                name=name,
                nearest=nearest(name, known),
            )
        )
    return name


def _id(uid: str) -> str:
    return "draft-" + re.sub(r"[^a-z0-9]+", "-", uid.rpartition("/")[2].lower()).strip("-")
