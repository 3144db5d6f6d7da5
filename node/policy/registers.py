"""What the law asks to be kept, from the policy: the register of processing and the risk analysis (policy section 12).

* Register: GDPR art. 30(1), one entry per grant: purposes, subjects and data, recipients, transfers, erasure.
* Risk analysis: the PDND form for public administrations, one per purpose, as input of a DPIA: what kinds of data, on
  what legal basis, delivered how. A jurist must check both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from node.policy.conditions import TRUE
from node.policy.forms import Clear, Form, Hash, Pseudonym, Token, Verify, form_text
from node.policy.sentences import Language, condition_phrase, duration_phrase
from node.policy.vocabulary import Sensitivity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from node.policy.bundle import Bundle
    from node.policy.documents import Grant, TypeDocument

SUBJECTS: Final = "cittadini / citizens"
TRANSFERS: Final = "nessuno / none"


@dataclass(frozen=True, slots=True)
class ProcessingEntry:
    """One entry of the register of processing; the letters are those of GDPR art. 30(1)."""

    controller: str  # (a)
    purpose: str  # (b)
    purpose_name: str
    subjects: str  # (c)
    data: str  # (c)
    special_categories: bool
    recipients: str  # (d)
    transfers: str  # (e)
    erasure: str  # (f)
    legal_basis: str
    law: str
    rows: str
    valid: str
    rule: str


def register_of_processing(bundle: Bundle, language: Language = Language.ITALIAN) -> tuple[ProcessingEntry, ...]:
    """Return one entry per grant, ordered by purpose."""
    found = [
        _entry(bundle, document, grant, language)
        for _, document in sorted(bundle.types.items())
        for grant in document.grants
    ]
    return tuple(sorted(found, key=lambda entry: (entry.purpose, entry.rule)))


def _entry(bundle: Bundle, document: TypeDocument, grant: Grant, language: Language) -> ProcessingEntry:
    purpose = bundle.vocabulary.purposes[grant.purpose]
    special = any(document.fields[name].category.art9 for name in grant.see)
    return ProcessingEntry(
        controller=document.owner,
        purpose=grant.purpose,
        purpose_name=purpose.italian if language is Language.ITALIAN else purpose.english,
        subjects=SUBJECTS,
        data=_data(document, grant, language),
        special_categories=special,
        recipients=", ".join(grant.kinds),
        transfers=TRANSFERS,
        erasure=duration_phrase(grant.retain, language),
        legal_basis=", ".join((*grant.basis, *(grant.basis9 if special else ()))),
        law=grant.law,
        rows="" if grant.rows == TRUE else condition_phrase(grant.rows, language),
        valid=f"{grant.valid.first}..{grant.valid.last}",
        rule=f"{document.name}/{grant.id}",
    )


def _data(document: TypeDocument, grant: Grant, language: Language) -> str:
    """Group the fields of a grant by category: `Nascita: dateOfBirth (year)`."""
    groups: dict[str, list[str]] = {}
    for name, form in grant.see.items():
        category = document.fields[name].category
        label = category.italian if language is Language.ITALIAN else category.english
        groups.setdefault(label, []).append(name if isinstance(form, Clear) else f"{name} ({form_text(form)})")
    return "; ".join(f"{label}: {', '.join(names)}" for label, names in groups.items())


class DataType(StrEnum):
    """Kinds of personal data of the PDND form."""

    NOT_IDENTIFYING = "WITH_NON_IDENTIFYING_DATA"
    IDENTIFYING = "WITH_IDENTIFYING_DATA"
    SPECIAL = "GDPR_ART_9"


class Delivery(StrEnum):
    """How data is delivered, least revealing last: clear only if pseudonymous cannot do, that only if counts cannot."""

    CLEAR = "CLEARTEXT"
    PSEUDONYMOUS = "PSEUDOANONYMOUS"
    ANONYMOUS = "ANONYMOUS"
    AGGREGATE = "AGGREGATE"


class Pursuit(StrEnum):
    """What the purpose does with the data: only checks what it has, or learns something new."""

    CORRECTNESS = "MERE_CORRECTNESS"
    NEW_DATA = "NEW_PERSONAL_DATA"


@dataclass(frozen=True, slots=True)
class RiskAnalysis:
    """The answers to the PDND form that a policy gives, for one purpose and one kind of recipient."""

    purpose: str
    recipients: str
    data_types: tuple[DataType, ...]
    legal_bases: tuple[str, ...]
    laws: tuple[str, ...]
    delivery: Delivery
    pursuit: Pursuit
    fields: tuple[str, ...]
    retentions: tuple[str, ...]
    consent: bool
    prohibitions: tuple[str, ...]
    open_questions: tuple[str, ...]


IDENTIFYING: Final = frozenset({"identifier", "name", "contact"})
_OPEN: Final = ("DPIA carried out", "prior consultation", "on behalf of third parties", "requests per day")


def risk_analyses(bundle: Bundle) -> tuple[RiskAnalysis, ...]:
    """Return one analysis per purpose and kind of recipient; what only people can answer is listed as open."""
    groups: dict[tuple[str, str], list[tuple[TypeDocument, Grant]]] = {}
    for _, document in sorted(bundle.types.items()):
        for grant in document.grants:
            for kind in grant.kinds:
                groups.setdefault((grant.purpose, kind), []).append((document, grant))
    return tuple(_analysis(purpose, kind, found) for (purpose, kind), found in sorted(groups.items()))


def _analysis(purpose: str, kind: str, found: list[tuple[TypeDocument, Grant]]) -> RiskAnalysis:
    cells = [(document, name, form) for document, grant in found for name, form in grant.see.items()]
    special = any(document.fields[name].category.art9 for document, name, _ in cells)
    bases = {basis for _, grant in found for basis in (*grant.basis, *(grant.basis9 if special else ()))}
    return RiskAnalysis(
        purpose=purpose,
        recipients=kind,
        data_types=_data_types(cells),
        legal_bases=tuple(sorted(bases)),
        laws=tuple(sorted({grant.law for _, grant in found})),
        delivery=_delivery(cells, counted=all(grant.aggregates is not None for _, grant in found)),
        pursuit=_pursuit(form for _, _, form in cells),
        fields=tuple(f"{document.name}.{name}: {form_text(form)}" for document, name, form in cells),
        retentions=tuple(sorted({grant.retain for _, grant in found})),
        consent=any(grant.consent is not None for _, grant in found),
        prohibitions=tuple(
            sorted({f"{document.name}/{rule.id}" for document, _ in found for rule in document.prohibitions})
        ),
        open_questions=_OPEN,
    )


def _data_types(cells: list[tuple[TypeDocument, str, Form]]) -> tuple[DataType, ...]:
    types: set[DataType] = set()
    for document, name, form in cells:
        category = document.fields[name].category
        if category.art9:
            types.add(DataType.SPECIAL)
        elif category.name in IDENTIFYING and isinstance(form, Clear):
            types.add(DataType.IDENTIFYING)
        elif category.sensitivity > Sensitivity.PUBLIC:
            types.add(DataType.NOT_IDENTIFYING)
    return tuple(sorted(types))


def _delivery(cells: list[tuple[TypeDocument, str, Form]], *, counted: bool) -> Delivery:
    """Say the most revealing way in which anything is delivered; `counted` says that every grant also allows counts."""
    identifying = [form for document, name, form in cells if document.fields[name].category.name in IDENTIFYING]
    if any(isinstance(form, Clear) for form in identifying):
        return Delivery.CLEAR
    if any(isinstance(form, (Pseudonym, Token, Hash)) for form in identifying):
        return Delivery.PSEUDONYMOUS
    return Delivery.AGGREGATE if counted else Delivery.ANONYMOUS


def _pursuit(forms: Iterable[Form]) -> Pursuit:
    return Pursuit.CORRECTNESS if all(isinstance(form, Verify) for form in forms) else Pursuit.NEW_DATA
