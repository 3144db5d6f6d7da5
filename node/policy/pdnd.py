"""The risk analysis of the PDND form for public administrations, 3.1 and 3.2, as a draft grant with its ceiling.

Source: the published rules of the form (pagopa/interop-be-monorepo, `risk-analysis/rules/PA/3.1.ts` and `3.2.ts`); ids
and values are kept as they are there. 3.2 asks the questions of 3.1, with the same values and dependencies.
An analysis names no field, so the draft names every field of a bundle that its answers allow, in the most that they
allow; the officer takes away what the purpose does not need. What the answers bound:

| Answer | Bounds |
|---|---|
| `personalDataTypes` | the categories: identifying data, art. 9 data, only if named |
| `purposePursuit` MERE_CORRECTNESS | every field only `verify` |
| `deliveryMethod` | CLEARTEXT: clear; PSEUDOANONYMOUS: identifiers as pseudonyms, no names; AGGREGATE: only counts; \
ANONYMOUS: nothing that identifies, births by year |
| `legalBasis` | `basis`, `basis9`, `consent`, and from its texts `law` |
| `dataQuantity` | the requests per day that the agreement allows |
| `dataRetentionPeriod` | `retain`: hours, days, months or years |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from federation.contract.languages import Language
from node.policy.documents import DEFAULT_MIN_CELL_ART9
from node.policy.errors import PolicyError, nearest
from node.policy.forms import CLEAR, VERIFY, Form, Pseudonym, Redact, Year, write_form
from node.policy.invariants import BEYOND
from node.policy.messages import message
from node.policy.registers import IDENTIFYING, DataType, Delivery, Pursuit, RiskAnalysis
from node.policy.sentences import duration_phrase
from node.policy.vocabulary import Category, Sensitivity

VERSIONS: Final = ("3.1", "3.2")
_QUANTITIES: Final[Mapping[str, int | None]] = {
    "QUANTITY_0_TO_100": 100,
    "QUANTITY_101_TO_500": 500,
    "QUANTITY_500_TO_1000": 1_000,
    "QUANTITY_1001_TO_5000": 5_000,
    "QUANTITY_5001_OVER": None,
}
_BASES: Final[Mapping[str, str]] = {
    "CONSENT": "6.1.a",
    "CONTRACT": "6.1.b",
    "LEGAL_OBLIGATION": "6.1.c",
    "SAFEGUARD": "6.1.d",
    "PUBLIC_INTEREST": "6.1.e",
}
_BASES_ART9: Final[Mapping[str, str]] = {"CONSENT": "9.2.a", "SAFEGUARD": "9.2.c", "PUBLIC_INTEREST": "9.2.g"}
_PUBLIC_INTEREST_TEXTS: Final[Mapping[str, str]] = {
    "RULE_OF_LAW": "ruleOfLawText",
    "ADMINISTRATIVE_ACT": "administrativeActText",
    "PUBLIC_INTEREST_TASK": "publicInterestTaskText",
}
_SHORTEST_LAW: Final = 5
_PERIOD: Final = re.compile(
    r"\b([0-9]{1,5})\s*(or[ae]|hours?|giorn[oi]|days?|mes[ei]|months?|ann[oi]|years?)\b", re.IGNORECASE
)
_UNITS: Final[Mapping[str, str]] = {
    "o": "PT{}H",
    "h": "PT{}H",
    "g": "P{}D",
    "d": "P{}D",
    "m": "P{}M",
    "a": "P{}Y",
    "y": "P{}Y",
}
"""How ISO 8601 writes a period, by the first letter of the unit."""
_COUNTS_ONLY: Final = Redact("solo conteggi")


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a form that bound a grant."""

    data_types: frozenset[DataType | str]
    legal_bases: tuple[str, ...]
    law: str | None
    """The texts that name the law; None where the form has none, and the officer writes it."""
    delivery: Delivery
    pursuit: Pursuit
    daily_requests: int | None
    retain: str | None
    """An ISO 8601 duration; None where the form's free text says none, and the officer writes it."""
    personal: bool

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Read a form, as its users exchange it (`answers`) or as it is stored (`singleAnswers`, `multiAnswers`).

        Raises:
            PolicyError: another version, a missing answer, or a value that the form does not have.
        """
        found = _answers(document)
        personal = _one(found, "usesPersonalData", ("YES", "NO")) == "YES"
        if not personal:
            return cls(frozenset(), (), None, Delivery.CLEAR, Pursuit.NEW_DATA, None, None, personal)
        types = _several(found, "personalDataTypes", _DATA_TYPES)
        bases = _several(found, "legalBasis", _BASES)
        if "GDPR_ART_9" in types and "PUBLIC_INTEREST_TASK" in found.get("legalBasisPublicInterest", ()):
            raise PolicyError(
                message("`legalBasisPublicInterest` PUBLIC_INTEREST_TASK is not offered with GDPR_ART_9 data")
            )
        texts = [text for key in _law_answers(found) for text in found.get(key, ()) if len(text) >= _SHORTEST_LAW]
        quantity = _one(found, "dataQuantity", _QUANTITIES) if "dataQuantity" in found else "QUANTITY_5001_OVER"
        return cls(
            data_types=frozenset(types),
            legal_bases=bases,
            law="; ".join(texts) or None,
            delivery=Delivery(_one(found, "deliveryMethod", tuple(Delivery))),
            pursuit=Pursuit(_one(found, "purposePursuit", tuple(Pursuit))),
            daily_requests=_QUANTITIES[quantity],
            retain=_retention(found),
            personal=personal,
        )

    def allows(self, category: Category) -> bool:
        """Whether the kinds of data that the form names cover a category."""
        if category.sensitivity is Sensitivity.PUBLIC:
            return True
        if category.art9:
            return DataType.SPECIAL in self.data_types
        if category.name in IDENTIFYING:
            return DataType.IDENTIFYING in self.data_types
        return bool(self.data_types)

    def ceiling(self, category: Category) -> Form | None:
        """Return the most that may be delivered of a field of a category; None for nothing."""
        if not self.allows(category):
            return None
        if self.pursuit is Pursuit.CORRECTNESS:
            return VERIFY
        if category.sensitivity is Sensitivity.PUBLIC:
            return CLEAR
        match self.delivery:
            case Delivery.CLEAR:
                return CLEAR
            case Delivery.PSEUDONYMOUS:
                if category.name == "identifier":
                    return Pseudonym()
                return None if category.name in IDENTIFYING else CLEAR
            case Delivery.ANONYMOUS:
                return Year() if category.name == "birth" else None
            case Delivery.AGGREGATE:
                return None


_DATA_TYPES: Final = (*tuple(DataType), "GDPR_ART_8", "GDPR_ART_10", "OTHER")


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft grant of one type, as a type document writes it; None if the answers allow nothing of the type."""

    type_name: str
    grant: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form does not say and a grant needs: for whom, for which purpose of the vocabulary, from when to when."""

    kinds: tuple[str, ...]
    purpose: str
    first: date
    last: date


def draft_grant(
    answers: Answers, asked: Asked, type_name: str, fields: Mapping[str, Category], bases: Iterable[str]
) -> Draft:
    """Return the most that a form allows of the fields of one type.

    Args:
        answers: the form.
        asked: what it does not say.
        type_name: the type.
        fields: the fields that may be asked for, with their categories.
        bases: the legal bases of the vocabulary.

    Raises:
        PolicyError: the form stands on a legal basis that the vocabulary does not have.
    """
    see = {name: form for name, category in fields.items() if (form := answers.ceiling(category)) is not None}
    counted = [name for name, category in fields.items() if answers.allows(category)]
    aggregate = answers.delivery is Delivery.AGGREGATE and answers.pursuit is Pursuit.NEW_DATA and answers.personal
    if aggregate and counted:
        # A grant shows something of at least one field; what it shows here is that there are only counts.
        see = {counted[0]: _COUNTS_ONLY}
    if not see:
        return Draft(type_name, None)
    known = frozenset(bases)
    ordinary = _ordinary(answers, known)
    special = [basis for one in answers.legal_bases if (basis := _BASES_ART9.get(one)) in known]
    art9 = any(fields[name].art9 for name in (counted if aggregate else see))
    return Draft(
        type_name,
        {
            "id": f"draft-{asked.purpose}",
            "to": {"kind": list(asked.kinds)},
            "purpose": asked.purpose,
            "basis": ordinary,
            **({"basis9": special} if art9 and special else {}),
            **({"law": answers.law} if answers.law is not None else {}),
            **({"consent": asked.purpose} if "CONSENT" in answers.legal_bases else {}),
            "see": {name: write_form(form) for name, form in see.items()},
            **({"aggregates": {"min_cell": DEFAULT_MIN_CELL_ART9, "over": counted}} if aggregate else {}),
            "valid": {"from": asked.first.isoformat(), "until": asked.last.isoformat()},
            **({"retain": answers.retain} if answers.retain is not None else {}),
        },
    )


def ceiling_invariants(answers: Answers, asked: Asked, fields: Mapping[str, Category]) -> list[dict[str, Any]]:
    """Return the ceiling as invariants, so that `policy prove` holds later grants to it.

    What the form does not name is never shown; what it lets be verified is verified and nothing else; what it allows in
    another form is never shown clear.
    """
    kinds = ", ".join(f'"{kind}"' for kind in asked.kinds)
    when = f'purpose == "{asked.purpose}" && requester.kind in [{kinds}]'
    ceilings = {name: answers.ceiling(category) for name, category in fields.items()}
    groups = {
        "nothing": ("any", sorted(name for name, form in ceilings.items() if form is None)),
        "only-verify": ({BEYOND: "verify"}, sorted(name for name, form in ceilings.items() if form == VERIFY)),
        "not-clear": ("clear", sorted(name for name, form in ceilings.items() if form not in (None, CLEAR, VERIFY))),
    }
    return [
        {"id": f"pdnd-{asked.purpose}-{name}", "never": {"fields": chosen, "form": form, "when": when}}
        for name, (form, chosen) in groups.items()
        if chosen
    ]


def _ordinary(answers: Answers, known: frozenset[str]) -> list[str]:
    """Return the bases of art. 6; data that is not personal needs none, and the draft names the public interest."""
    bases = [_BASES[one] for one in answers.legal_bases] or [_BASES["PUBLIC_INTEREST"]]
    missing = [basis for basis in bases if basis not in known]
    if missing:
        raise PolicyError(
            message(
                "legal basis `{missing}` of the form is not in the vocabulary{nearest}",
                missing=missing[0],
                nearest=nearest(missing[0], known),
            )
        )
    return bases


def risk_form(analysis: RiskAnalysis, purpose_name: str) -> dict[str, Any]:
    """Return the answers of the form that a policy gives, for one purpose and recipient; the others stay open.

    Args:
        analysis: from `registers.risk_analyses`.
        purpose_name: how the purpose is called.
    """
    by_basis = {basis: answer for answer, basis in _BASES.items()}
    bases = [by_basis[basis] for basis in analysis.legal_bases if basis in by_basis]
    laws = "; ".join(analysis.laws)
    answers: dict[str, list[str]] = {
        "purpose": ["INSTITUTIONAL"],
        "institutionalPurpose": [purpose_name],
        "usesPersonalData": ["YES" if analysis.data_types else "NO"],
        "personalDataTypes": [str(one) for one in analysis.data_types],
        "legalBasis": bases,
        "deliveryMethod": [str(analysis.delivery)],
        "purposePursuit": [str(analysis.pursuit)],
        "dataDownload": ["YES"],
        "dataRetentionPeriod": ["; ".join(duration_phrase(one, Language.ITALIAN) for one in analysis.retentions)],
    }
    if "LEGAL_OBLIGATION" in bases:
        answers["legalObligationReference"] = [laws]
    if "PUBLIC_INTEREST" in bases:
        answers |= {"legalBasisPublicInterest": ["RULE_OF_LAW"], "ruleOfLawText": [laws]}
    return {"version": VERSIONS[0], "answers": answers}


_DECLARED: Final = (
    "knowsDataQuantity",
    "policyProvided",
    "confirmPricipleIntegrityAndDiscretion",
    "doneDpia",
    "isRequestOnBehalfOfThirdParties",
    "declarationConfirmGDPR",
)
"""What only people can answer; the form's own spelling."""
_CHECKED: Final[Mapping[Pursuit, str]] = {
    Pursuit.CORRECTNESS: "checkedExistenceMereCorrectnessInteropCatalogue",
    Pursuit.NEW_DATA: "checkedAllDataNeeded",
}


def open_answers(answers: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Return the questions that the form asks, given these answers, and that no policy answers."""
    if answers["usesPersonalData"] == ["NO"]:
        return ("usesThirdPartyPersonalData", "isRequestOnBehalfOfThirdParties")
    special = ("dataProtectionMeasures",) if "GDPR_ART_10" in answers["personalDataTypes"] else ()
    return (*_DECLARED, *special, *(_CHECKED[Pursuit(one)] for one in answers["purposePursuit"]))


def _law_answers(found: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield the questions for a law that the form asks, given the legal bases."""
    if "LEGAL_OBLIGATION" in found.get("legalBasis", ()):
        yield "legalObligationReference"
    if "PUBLIC_INTEREST" in found.get("legalBasis", ()):
        yield _PUBLIC_INTEREST_TEXTS[_one(found, "legalBasisPublicInterest", _PUBLIC_INTEREST_TEXTS)]


def _answers(document: Any) -> dict[str, tuple[str, ...]]:
    """Return every answer as texts, by the id of its question."""
    if not isinstance(document, dict):
        raise PolicyError(message("expected a PDND risk analysis: a map with `version` and `answers`"))
    form = document.get("riskAnalysisForm", document)
    version = form.get("version") if isinstance(form, dict) else None
    if version not in VERSIONS:
        raise PolicyError(
            message(
                "form `{version}` cannot be read; expected version {names} of the PA form",
                version=version,
                names=", ".join(VERSIONS),
            )
        )
    found: dict[str, tuple[str, ...]] = {}
    pairs = [*_pairs(form.get("answers")), *_stored(form.get("singleAnswers")), *_stored(form.get("multiAnswers"))]
    for key, value in pairs:
        texts = value if isinstance(value, list) else [value]
        if texts != [None] and not all(isinstance(text, str) for text in texts):
            raise PolicyError(message("answer `{key}` is not a list of texts", key=key))
        found[key] = tuple(text for text in texts if text)
    return found


def _pairs(answers: Any) -> list[tuple[str, Any]]:
    if answers is None:
        return []
    if not isinstance(answers, dict):
        raise PolicyError(message("expected `answers` as a map from questions to lists of texts"))
    return list(answers.items())


def _stored(answers: Any) -> list[tuple[str, Any]]:
    rows = answers if isinstance(answers, list) else []
    return [(str(row.get("key")), row.get("values", row.get("value"))) for row in rows if isinstance(row, dict)]


def _several(found: Mapping[str, tuple[str, ...]], key: str, known: Iterable[str]) -> tuple[str, ...]:
    values, admitted = found.get(key, ()), tuple(str(one) for one in known)
    if not values:
        raise PolicyError(message("answer `{key}` is missing; it bounds the grant", key=key))
    for value in values:
        if value not in admitted:
            raise PolicyError(
                message(
                    "answer `{key}` is `{value}`, which the form does not have{nearest}",
                    key=key,
                    value=value,
                    nearest=nearest(value, admitted),
                )
            )
    return values


def _one(found: Mapping[str, tuple[str, ...]], key: str, known: Iterable[str]) -> str:
    values = _several(found, key, known)
    if len(values) != 1:
        raise PolicyError(message("answer `{key}` has {number} values; expected one", key=key, number=len(values)))
    return values[0]


def _retention(found: Mapping[str, tuple[str, ...]]) -> str | None:
    """Read a period such as `3 mesi` from the form's free text; None if it names none, or the data is not kept."""
    for text in found.get("dataRetentionPeriod", ()):
        period = _PERIOD.search(text)
        if period is not None:
            return _UNITS[period[2][0].lower()].format(int(period[1]))
    return None
