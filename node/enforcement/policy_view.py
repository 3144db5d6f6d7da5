"""`myFields` and `whyDenied`: a consumer learns which rules decide for it, from the plans that decide (policy R39).

What is told depends on who asks, the purpose, the day and the agreement, never on a citizen. Of rules for other kinds
of administration, of prohibitions and of conditions on rows, no more is told than that they stand in the way: who knows
on which attribute a row depends could tell a protected person by a null (R13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, execute_sync

from federation.contract import policy_view
from federation.contract.coordinates import FieldCoordinate
from federation.contract.coverage import AskedField
from federation.contract.errors import BadInputError, CroceviaError, FieldDeniedError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.languages import Language
from node.data.answer import Answer
from node.enforcement.caller import Caller
from node.enforcement.decide import Decisions
from node.policy.conditions import TRUE, to_text
from node.policy.documents import Grant, TypeDocument
from node.policy.explanation import Clause, Explanation, GrantVerdict, Question, explain
from node.policy.forms import Form
from node.policy.plans import FieldPlan, ResidualGrant, TypePlan
from node.policy.sentences import duration_phrase, form_phrase

_ROOT: Final = "Query"
_ALWAYS: Final = to_text(TRUE)
AGREEMENT: Final = "agreement"
PROHIBITION: Final = "prohibition"

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    AGREEMENT: ("the agreement does not name this field", "l'accordo non nomina questo campo"),
    PROHIBITION: (
        "a prohibition takes it away, whatever is granted",
        "un divieto lo esclude, qualunque cosa sia concessa",
    ),
    Clause.KIND: (
        "no rule shows it to administrations of this kind",
        "nessuna regola lo mostra a enti di questo tipo",
    ),
    Clause.PURPOSE: ("the rule is for another purpose", "la regola vale per un'altra finalità"),
    Clause.VALID: ("the rule is not valid today", "la regola oggi non è valida"),
    Clause.BASIS: (
        "the agreement records none of its legal bases",
        "l'accordo non riporta una delle sue basi giuridiche",
    ),
    Clause.BASIS9: (
        "the agreement records no basis of GDPR art. 9(2) for a special category",
        "l'accordo non riporta una base dell'art. 9(2) GDPR per una categoria particolare",
    ),
    Clause.ROWS: ("it is shown for some citizens only", "è mostrato solo per alcuni cittadini"),
    Clause.CONSENT: ("the citizen must have consented", "il cittadino deve aver dato il consenso"),
}


@dataclass(frozen=True, slots=True)
class PolicyView:
    """Tells one caller of the rules of one node; `schema` is what the node serves."""

    member: str
    caller: Caller
    policy: Decisions
    schema: GraphQLSchema

    def my_fields(self, type_name: str | None) -> dict[str, Any]:
        """Return a `MyFields`: every field that some row may show, type by type.

        Raises:
            BadInputError: this node has no such type.
        """
        types = self.policy.bundle.types
        if type_name is not None and type_name not in types:
            raise BadInputError("`type` is no type of this node that a policy governs")
        wanted = sorted(types) if type_name is None else [type_name]
        return {"fields": [each for name in wanted for each in self._accesses(name)], "gaps": []}

    def why_denied(self, coordinate: str) -> dict[str, Any]:
        """Return a `WhyDenied` with this node's one verdict.

        Raises:
            BadInputError: the text is no coordinate, or no field of this node; nothing is suggested (R20).
        """
        asked = FieldCoordinate.parse(coordinate)
        document = self.policy.bundle.types.get(asked.type_name)
        if document is None or asked.field_name not in document.fields:
            raise BadInputError("`coordinate` is no field of this node that a policy governs")
        return {"verdicts": [self._verdict(document, asked)], "gaps": []}

    def _plan(self, type_name: str) -> TypePlan:
        return self.policy.plan(type_name, self.caller.requested)

    def _accesses(self, type_name: str) -> Iterator[dict[str, Any]]:
        plan = self._plan(type_name)
        if not plan.anything:
            return
        served = getattr(self.schema.type_map.get(type_name), "fields", {})
        for name, decided in plan.fields.items():
            if decided.may_be_seen and name in served:
                yield self._access(plan, FieldCoordinate(type_name, name), decided)

    def _access(self, plan: TypePlan, coordinate: FieldCoordinate, decided: FieldPlan) -> dict[str, Any]:
        first = decided.grants[0]
        conditional = decided.constant is None or not plan.every_row
        return {
            "member": self.member,
            "coordinate": str(coordinate),
            "form": str(first.form.name),
            "conditional": conditional,
            "explanation": _shown(first, conditional=conditional),
            "grants": [_grant(grant) for grant in decided.grants],
            **self._revision(),
        }

    def _verdict(self, document: TypeDocument, asked: FieldCoordinate) -> dict[str, Any]:
        decided = self._plan(asked.type_name).fields[asked.field_name]
        missing = list(self._missing(document, asked, decided))
        code = None if decided.may_be_seen else FieldDeniedError.code
        return {
            "member": self.member,
            "coordinate": str(asked),
            "code": code,
            "missing": missing,
            "explanation": _verdict_in_words(missing, denied=code is not None),
            "contact": document.owner,
            **self._revision(),
        }

    def _missing(self, document: TypeDocument, asked: FieldCoordinate, decided: FieldPlan) -> Iterator[dict[str, Any]]:
        requested = self.caller.requested
        if not requested.provider.covers(asked.type_name, asked.field_name):
            yield _missing_clause(AGREEMENT, [self.caller.agreement.id])
        question = Question(requested.requester, requested.purpose, requested.day)
        found = explain(self.policy.bundle, document, document.fields[asked.field_name], question, None)
        if any(rule.denies_where == _ALWAYS for rule in found.prohibitions):
            yield _missing_clause(PROHIBITION, [])
        yield from _missing_of_grants(document, found)
        if decided.may_be_seen and (decided.constant is None or not self._plan(asked.type_name).every_row):
            yield _missing_of_rows(decided)

    def _revision(self) -> dict[str, Any]:
        version = self.policy.version
        return {"policyRevision": version.revision, "policyDigest": version.digest}


def asks_about_policy(wanted: frozenset[AskedField]) -> bool:
    """Say whether an operation asks about rules.

    Raises:
        BadInputError: it asks about citizens too.
    """
    roots = {each.coordinate.field_name for each in wanted if each.coordinate.type_name == _ROOT}
    if not roots & policy_view.ROOTS:
        return False
    if roots - policy_view.ROOTS:
        raise BadInputError("`myFields` and `whyDenied` stand in an operation of their own at a node")
    return True


def answer_about_policy(document: DocumentNode, asked: GraphQLRequest, view: PolicyView) -> Answer:
    """Answer an operation that asks about rules only; nobody is a subject of it.

    Raises:
        BadInputError: an argument names nothing of this node.
    """
    result = execute_sync(
        view.schema,
        document,
        root_value={
            policy_view.MY_FIELDS: lambda _info, type=None: view.my_fields(type),  # noqa: A006  # the argument's name
            policy_view.WHY_DENIED: lambda _info, coordinate: view.why_denied(coordinate),
        },
        variable_values=dict(asked.variables),
        operation_name=asked.operation_name,
    )
    return Answer(dict(result.data or {}), [_told(error) for error in result.errors or ()], (), frozenset())


def _told(error: GraphQLError) -> dict[str, Any]:
    refused = error.original_error
    if not isinstance(refused, CroceviaError):
        raise BadInputError("arguments do not fit the schema") from error
    return refused.graphql(error.path)


def _grant(grant: ResidualGrant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "form": str(grant.form.name),
        "law": grant.law,
        "basis": list(grant.basis),
        "consent": grant.consent,
        "retain": grant.retain,
        "validUntil": grant.until.isoformat(),
    }


def _shown(grant: ResidualGrant, *, conditional: bool) -> dict[str, str]:
    return {
        "en": _access_in_words(grant.form, grant, Language.ENGLISH, ", for some citizens only" if conditional else ""),
        "it": _access_in_words(
            grant.form, grant, Language.ITALIAN, ", solo per alcuni cittadini" if conditional else ""
        ),
    }


def _access_in_words(form: Form, grant: ResidualGrant, language: Language, condition: str) -> str:
    shown, kept = form_phrase(form, language), duration_phrase(grant.retain, language)
    if language is Language.ITALIAN:
        return f"{shown}{condition}; {grant.law}; da cancellare dopo {kept}"
    return f"{shown}{condition}; {grant.law}; to be erased after {kept}"


def _missing_of_grants(document: TypeDocument, found: Explanation) -> Iterator[dict[str, Any]]:
    """Tell what the nearest rule wants that is for this kind of administration; nothing if one applies."""
    own = [grant for grant in found.grants if Clause.KIND not in grant.failing]
    if not own:
        yield _missing_clause(Clause.KIND, [])
        return
    nearest: GrantVerdict = min(own, key=lambda grant: (len(grant.failing), grant.id))
    [written] = [grant for grant in document.grants if grant.id == nearest.id]
    for clause in nearest.failing:
        yield _missing_clause(clause, _needed(clause, written))


def _needed(clause: Clause, grant: Grant) -> list[str]:
    match clause:
        case Clause.PURPOSE:
            return [grant.purpose]
        case Clause.VALID:
            return [f"{grant.valid.first}/{grant.valid.last}"]
        case Clause.BASIS:
            return list(grant.basis)
        case Clause.BASIS9:
            return list(grant.basis9)
        case Clause.KIND | Clause.ROWS | Clause.CONSENT:
            return []


def _missing_of_rows(decided: FieldPlan) -> dict[str, Any]:
    """Tell of a field that may be seen what it depends on; not on which attribute (R13)."""
    consents = sorted({grant.consent for grant in decided.grants if grant.consent is not None})
    if consents and all(grant.consent is not None for grant in decided.grants):
        return _missing_clause(Clause.CONSENT, consents)
    return _missing_clause(Clause.ROWS, [])


def _missing_clause(clause: str, needed: list[str]) -> dict[str, Any]:
    en, it = _WORDS[clause]
    what = f": {', '.join(needed)}" if needed else ""
    return {"clause": str(clause), "needed": needed, "explanation": {"en": en + what, "it": it + what}}


def _verdict_in_words(missing: list[dict[str, Any]], *, denied: bool) -> dict[str, str]:
    beginning = {"en": "denied", "it": "negato"} if denied else {"en": "not denied", "it": "non negato"}
    return {
        language: "; ".join([word, *(each["explanation"][language] for each in missing)])
        for language, word in beginning.items()
    }
