"""From the text of a question to a plan, once for each text and agreement.

The API schema decides what can be asked at all; the agreement decides what is planned. A known field that the agreement
leaves out is asked of nobody and answered null with `FIELD_DENIED`; introspection does not show it (policy R12, R20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
    validate,
)

from federation.composition.supergraph import Supergraph
from federation.contract.coverage import asked_fields, operation_digest, operation_of
from federation.contract.errors import BadInputError, ValidationError
from federation.contract.graphql_request import (
    GraphQLRequest,
    message_without_values,
    parse_document,
    variable_values,
)
from federation.contract.identifiers import INTERNAL_PREFIX, PERSON
from federation.contract.members import LONGEST_LIST, Agreement
from federation.execution.compiled import CompiledPlan
from federation.gateway.open_cache import TwoGenerations
from federation.gateway.settings import GatewayLimits
from federation.gateway.visible_schema import covered_by, denied_coordinates, on_every_type, visible_schema
from federation.planning.estimate import Estimate
from federation.planning.plan import OperationKind
from federation.planning.planner import Planner, PlannerOptions

_MUTATION = "Mutation"
_MOST_ERRORS = 10
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """An operation ready to run. `members` are those that its plan fetches from; `digest` names its text."""

    plan: CompiledPlan
    members: frozenset[str]
    definitions: tuple[VariableDefinitionNode, ...]
    digest: str
    estimate: Estimate
    writes: DocumentNode | None = None
    """The document, where it is a mutation: whom it is about stands in its arguments."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one agreement opens: the schema it is shown, and what the planner leaves out."""

    shown: GraphQLSchema
    options: PlannerOptions


@dataclass(slots=True)
class Questions:
    """Plans questions on one supergraph; another supergraph begins with another `Questions`."""

    supergraph: Supergraph
    limits: GatewayLimits
    _planner: Planner = field(init=False)
    _opened: dict[Agreement, _Opened] = field(init=False, default_factory=dict)
    _known: TwoGenerations[tuple[str, str | None, Agreement], Question] = field(init=False)

    def __post_init__(self) -> None:
        self._planner = Planner(self.supergraph, PlannerOptions(internal_prefix=INTERNAL_PREFIX))
        self._known = TwoGenerations(_KEPT)

    def question(self, request: GraphQLRequest, agreement: Agreement) -> Question:
        """Return the question that a request asks under an agreement.

        Raises:
            DocumentError, QueryTooComplexError: the text does not parse, or passes a limit.
            ValidationError: the text does not fit the API schema; nothing is suggested.
        """
        key = (request.text, request.operation_name, agreement)
        found = self._known.get(key)
        if found is None:
            found = self._prepared(request.text, request.operation_name, agreement)
            self._known.put(key, found)
        return found

    def coerced(self, question: Question, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the variables with defaults filled in (GraphQL section 6.1.2).

        Raises:
            BadInputError: one does not fit its type; values are not repeated.
        """
        if not question.definitions:
            return {}
        coerced: Mapping[str, Any] = variable_values(
            self.supergraph.api_schema, question.definitions, variables
        ).coerced
        return coerced

    def require_affordable(self, question: Question, variables: Mapping[str, Any]) -> None:
        """Refuse what may cost more than the limit, before anybody is asked; `variables` are coerced.

        Raises:
            QueryTooComplexError: says how much it may be.
        """
        question.estimate.require(self.limits.cost, variables)

    def written_about(self, question: Question, request: GraphQLRequest) -> str | None:
        """Return the citizen whom a mutation names by the consumer's own pseudonym; None for a question.

        Raises:
            BadInputError: it names several, or a variable does not fit.
        """
        if question.writes is None:
            return None
        asked = asked_fields(self.supergraph.api_schema, question.writes, request.operation_name, request.variables)
        named = {
            msgspec.json.decode(field.arguments)["input"]["citizen"]
            for field in asked
            if field.coordinate.type_name == _MUTATION
        }
        if len(named) != 1:
            raise BadInputError("one operation writes about one citizen; send one operation for each")
        return str(named.pop())

    def shown(self, agreement: Agreement) -> GraphQLSchema:
        """Return the schema that introspection shows under an agreement."""
        return self._open(agreement).shown

    def _prepared(self, query: str, operation_name: str | None, agreement: Agreement) -> Question:
        document = parse_document(query, self.limits)
        operation = operation_of(document, operation_name)
        errors = validate(self.supergraph.api_schema, document, max_errors=_MOST_ERRORS, hide_suggestions=True)
        if errors:
            raise ValidationError(_place(errors[0]), errors=[_place(error) for error in errors])
        _require_question_or_write(operation)
        opened = self._open(agreement)
        plan = self._planner.plan(document, operation_name, opened.options)
        return Question(
            CompiledPlan(plan, self.supergraph.api_schema, routed=frozenset({PERSON}), shown=opened.shown),
            frozenset(fetch.member for fetch in plan.fetches),
            tuple(operation.variable_definitions or ()),
            operation_digest(query, operation_name),
            Estimate.of(
                plan,
                self.supergraph,
                {provider.member: provider.longest_list for provider in agreement.providers},
                LONGEST_LIST,
            ),
            document if operation.operation.value == OperationKind.MUTATION else None,
        )

    def _open(self, agreement: Agreement) -> _Opened:
        found = self._opened.get(agreement)
        if found is None:
            covers = on_every_type(self.supergraph.api_schema, covered_by(agreement, self.supergraph.types))
            found = self._opened[agreement] = _Opened(
                visible_schema(self.supergraph.api_sdl, covers),
                PlannerOptions(
                    internal_prefix=INTERNAL_PREFIX, denied=denied_coordinates(self.supergraph.api_schema, covers)
                ),
            )
        return found


def _require_question_or_write(operation: OperationDefinitionNode) -> None:
    if operation.operation.value not in {OperationKind.QUERY, OperationKind.MUTATION}:
        raise BadInputError(f"{operation.operation.value} operations are not answered by this gateway")


def _place(error: GraphQLError) -> str:
    """Say what is wrong and where."""
    message = message_without_values(error)
    at = error.locations[0] if error.locations else None
    return f"line {at.line}, column {at.column}: {message}" if at else message
