"""What the law asks to be kept, from the policy: the register of processing and the risk analysis (policy section 12).

* Register: GDPR art. 30(1), one entry per grant. What no policy says, above all who the controller is, is declared
  once in `register.yaml` beside the bundle; what is not declared is a gap that the register shows.
* Risk analysis: the PDND form for public administrations, one per purpose, as input of a DPIA: what kinds of data, on
  what legal basis, delivered how, with which measures. A jurist must check both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from federation.contract.languages import Language
from node.policy.bundle import REGISTER_FILE
from node.policy.conditions import FALSE, TRUE, Consent
from node.policy.errors import BundleError
from node.policy.forms import Clear, Form, Hash, Pseudonym, Token, Verify, form_text
from node.policy.messages import Message, message, said
from node.policy.reader import entry, leaf, leaves, text_of
from node.policy.residuals import residual
from node.policy.schemas import REGISTER
from node.policy.sentences import condition_phrase, duration_phrase, kind_phrase
from node.policy.shape import check_shape
from node.policy.vocabulary import KIND, PURPOSE, Sensitivity
from node.policy.yaml_tree import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from node.policy.bundle import Bundle
    from node.policy.documents import Grant, Prohibition, TypeDocument
    from node.policy.yaml_tree import Tree


@dataclass(frozen=True, slots=True)
class Declared:
    """What an administration says of itself for its register; None or empty where it says nothing."""

    controller: str | None = None
    contact: str | None = None
    joint_controllers: tuple[str, ...] = ()
    representative: str | None = None
    dpo: str | None = None
    subjects: str | None = None
    transfers: str | None = None
    security: tuple[str, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Read register.yaml.

        Raises:
            BundleError: with everything that is wrong in it.
        """
        tree, findings = read_yaml(REGISTER_FILE, content)
        if tree is not None:
            findings = (*findings, *check_shape(tree, REGISTER))
        if findings:
            raise BundleError(findings)
        return cls(
            controller=_text(tree, "controller"),
            contact=_text(tree, "contact"),
            joint_controllers=_texts(tree, "joint_controllers"),
            representative=_text(tree, "representative"),
            dpo=_text(tree, "dpo"),
            subjects=_text(tree, "subjects"),
            transfers=_text(tree, "transfers"),
            security=_texts(tree, "security"),
        )


def _text(tree: Tree | None, key: str) -> str | None:
    return text_of(leaf(tree, key)) or None


def _texts(tree: Tree | None, key: str) -> tuple[str, ...]:
    return tuple(text_of(one) for one in leaves(entry(tree, key)))


_NODE_MEASURES: Final = (
    message("access decided per field by this policy, which two officers signed"),
    message("requests signed by the member that asks, over mutually authenticated TLS"),
    message("every answer recorded, without values, in a tamper-evident ledger"),
)
"""What every node does, whatever its policy."""


@dataclass(frozen=True, slots=True)
class ProcessingEntry:
    """One entry of the register of processing; the letters are those of GDPR art. 30(1)."""

    controller: str  # (a)
    contact: str
    joint_controllers: str
    representative: str
    dpo: str
    purpose: str  # (b)
    purpose_name: str
    subjects: str  # (c)
    data: str
    special_categories: bool
    recipients: str  # (d)
    transfers: str  # (e)
    erasure: str  # (f)
    security: tuple[str, ...]  # (g)
    legal_basis: str
    law: str
    rows: str
    valid: str
    rule: str
    gaps: tuple[str, ...]
    """The keys of register.yaml that art. 30(1) asks for and nobody declared."""


def register_of_processing(
    bundle: Bundle, declared: Declared = Declared(), language: Language = Language.ITALIAN
) -> tuple[ProcessingEntry, ...]:
    """Return one entry per grant, ordered by purpose."""
    found = [
        _entry(bundle, document, grant, declared, language)
        for _, document in sorted(bundle.types.items())
        for grant in document.grants
    ]
    return tuple(sorted(found, key=lambda entry: (entry.purpose, entry.rule)))


def _entry(
    bundle: Bundle, document: TypeDocument, grant: Grant, declared: Declared, language: Language
) -> ProcessingEntry:
    purpose = bundle.vocabulary.purposes[grant.purpose]
    special = any(document.fields[name].category.art9 for name in grant.see)
    none = said(message("none declared"), language)
    security = [said(one, language) for one in (*measures(document, grant), *_NODE_MEASURES)]
    return ProcessingEntry(
        controller=declared.controller or _gap("controller", language),
        contact=declared.contact or document.owner,
        joint_controllers=", ".join(declared.joint_controllers) or none,
        representative=declared.representative or none,
        dpo=declared.dpo or _gap("dpo", language),
        purpose=grant.purpose,
        purpose_name=purpose.italian if language is Language.ITALIAN else purpose.english,
        subjects=declared.subjects or said(message("citizens"), language),
        data=_data(document, grant, language),
        special_categories=special,
        recipients=", ".join(kind_phrase(kind, language) for kind in grant.kinds),
        transfers=declared.transfers or _gap("transfers", language),
        erasure=duration_phrase(grant.retain, language),
        security=(*security, *(declared.security or (_gap("security", language),))),
        legal_basis=", ".join((*grant.basis, *(grant.basis9 if special else ()))),
        law=grant.law,
        rows="" if grant.rows == TRUE else condition_phrase(grant.rows, language),
        valid=f"{grant.valid.first}..{grant.valid.last}",
        rule=f"{document.name}/{grant.id}",
        gaps=tuple(key for key in ("controller", "dpo", "transfers", "security") if not getattr(declared, key)),
    )


def _gap(key: str, language: Language) -> str:
    return said(message("TO BE DECLARED (`{key}` in {file})", key=key, file=REGISTER_FILE), language)


def _may_deny(rule: Prohibition, grant: Grant) -> bool:
    """Say whether a prohibition takes something away from what a grant shows, to any of its kinds, for its purpose."""
    if not any(map(rule.takes, grant.see)):
        return False
    situations: list[dict[str, object]] = [{KIND: kind, PURPOSE: grant.purpose} for kind in grant.kinds]
    return any(residual(rule.denies_where, known, Consent(grant.purpose)) != FALSE for known in situations)


def measures(document: TypeDocument, grant: Grant) -> tuple[Message, ...]:
    """Return what a policy does, beyond choosing fields, to protect the persons of whom a grant tells."""
    counts = grant.aggregates
    masked = [f"{name}: {form_text(form)}" for name, form in grant.see.items() if not isinstance(form, Clear)]
    denied = [rule.id for rule in document.prohibitions if _may_deny(rule, grant)]
    apart = [rule.id for rule in document.never_together if any(map(rule.is_for, grant.kinds))]
    found = (
        message("forms that show less than the value: {forms}", forms=", ".join(masked)) if masked else None,
        message("only the rows that the condition names") if grant.rows != TRUE else None,
        message("only with the subject's consent") if grant.consent is not None else None,
        message("prohibitions: {rules}", rules=", ".join(denied)) if denied else None,
        message("fields never known together: {rules}", rules=", ".join(apart)) if apart else None,
        message("counts of groups of {least} or more", least=counts.min_cell) if counts and counts.over else None,
        message("only rows of which {persons} or more persons look alike", persons=grant.alike.persons)
        if grant.alike
        else None,
    )
    return tuple(one for one in found if one is not None)


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
    measures: tuple[Message, ...]
    open_questions: tuple[Message, ...]


IDENTIFYING: Final = frozenset({"identifier", "name", "contact"})
_OPEN: Final = (
    message("necessity and proportionality (art. 35(7)(b))"),
    message("risks to the rights and freedoms of the subjects (art. 35(7)(c))"),
    message("organisational measures beside those of the policy (art. 35(7)(d))"),
    message("advice of the DPO (art. 35(2)); views of the subjects (art. 35(9))"),
    message("whether an impact assessment was carried out, and the authority consulted (art. 36)"),
    message("whether data is asked for on behalf of third parties"),
    message("how many requests per day"),
)


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
            sorted(
                {
                    f"{document.name}/{rule.id}"
                    for document, grant in found
                    for rule in document.prohibitions
                    if _may_deny(rule, grant)
                }
            )
        ),
        measures=tuple(dict.fromkeys(one for document, grant in found for one in measures(document, grant))),
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
