"""Any federation, joined without tokens, signatures or policies: operation text in, response out.

(1) the text is looked up, or parsed within limits, validated and planned; (2) variables are coerced; (3) the plan runs.
What needs privacy is in `pipeline.py`; this is the engine for everybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import msgspec
from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
    Visitor,
    get_variable_values,
    validate,
    visit,
)

from federation.composition.supergraph import Supergraph
from federation.contract.errors import BadInputError, CroceviaError, FieldDeniedError, ValidationError
from federation.contract.graphql_request import GraphQLRequest, Limits, parse_document
from federation.execution.compiled import CompiledPlan
from federation.execution.deferred import Payload, execute_incrementally
from federation.execution.execute import execute
from federation.execution.ports import NOTHING_PASSED, Fetcher, PassedOn, Subscriber
from federation.execution.report import Messages
from federation.execution.resilient import ResilientFetcher
from federation.execution.respond import Response
from federation.execution.run import Outside
from federation.execution.subscribe import subscribe
from federation.gateway.documents import TrustedDocuments
from federation.gateway.open_access import NO_CLAIMS, AccessRules, Believed, Claims
from federation.gateway.open_cache import TwoGenerations
from federation.gateway.passing import Passing
from federation.planning.estimate import Estimate
from federation.planning.plan import OperationKind
from federation.planning.planner import Planner, PlannerOptions

MOST_VALIDATION_ERRORS = 10
USUAL_LIST = 100
"""How long a list is taken to be of which the supergraph says nothing."""


@dataclass(frozen=True, slots=True)
class OpenSettings:
    """Limits on documents, seconds per request, operations kept planned, active `@override` labels, what is trusted.

    `believed` says who tells what a client may; None leaves access directives to the subgraphs. An operation may be
    estimated to `cost` so much, anything if None.
    """

    limits: Limits = field(default_factory=Limits)
    seconds: float = 10.0
    plans: int = 1_000
    labels: frozenset[str] = frozenset()
    documents: TrustedDocuments = field(default_factory=TrustedDocuments)
    passing: Passing = field(default_factory=Passing)
    believed: Believed | None = field(default_factory=Believed)
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that is ready to run."""

    kind: OperationKind
    plan: CompiledPlan
    variables: tuple[VariableDefinitionNode, ...]
    deferred: bool
    estimate: Estimate | None = None


class Delivery(Enum):
    """Whether deferred fragments may come later."""

    AT_ONCE = "at once"
    IN_PARTS = "in parts"


class InvalidDocumentError(ValidationError):
    """The document does not fit the schema; `entries` are the GraphQL errors."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        """Keep what the validator found."""
        super().__init__("the document does not fit the schema")
        self.entries = [
            {
                "message": error.message,
                "locations": [{"line": at.line, "column": at.column} for at in error.locations or ()],
                "extensions": {"code": self.code},
            }
            for error in errors
        ]


class OpenGraph:
    """A supergraph with a planner, a plan cache and a way to its members."""

    def __init__(
        self, supergraph: Supergraph, fetcher: Fetcher, settings: OpenSettings, source: Subscriber | None = None
    ) -> None:
        """Read the query graph once; `source` opens subscriptions, which are refused without it."""
        self.settings = settings
        self._api = supergraph.api_schema
        self._schema = _with_defer(self._api)
        self._supergraph = supergraph
        self._planner = Planner(supergraph, PlannerOptions(labels=settings.labels))
        self._outside = Outside(fetcher, messages=Messages.RELAY)
        self._source = source
        self.access = AccessRules() if settings.believed is None else AccessRules.of(supergraph)
        self._plans: TwoGenerations[tuple[str, str | None, bool, Claims], Prepared] = TwoGenerations(settings.plans)

    def heeding(self, resilient: ResilientFetcher) -> None:
        """Tell the breakers which answers were discarded, and retry within their budget."""
        self._outside = msgspec.structs.replace(self._outside, on_answer=resilient.discredit, retries=resilient.retries)

    def prepare(self, request: GraphQLRequest, delivery: Delivery, claims: Claims = NO_CLAIMS) -> Prepared:
        """Return the request's operation, planned for one way of delivery and for what the client may.

        Raises:
            BadInputError: no document, syntax, limits, validation, or the operation name fits none.
            FieldDeniedError: a subscription to a field that asks for more than the client may.
            PersistedDocumentError: the document is not one that is run here.
        """
        query = self.settings.documents.document(request)
        claims = self.access.relevant(claims) if claims else claims
        key = (query, request.operation_name, delivery is Delivery.IN_PARTS, claims)
        prepared = self._plans.get(key)
        if prepared is None:
            prepared = self._plan(query, request.operation_name, delivery, claims)
            self._plans.put(key, prepared)
        return prepared

    async def run(
        self, prepared: Prepared, variables: Mapping[str, Any], passed: PassedOn = NOTHING_PASSED
    ) -> Response:
        """Run a planned operation; members receive the headers in `passed`.

        Raises:
            BadInputError: the variables do not fit their definitions, or the operation may cost too much.
        """
        coerced = self.coerce(prepared, variables)
        return await execute(prepared.plan, coerced, self._passing(passed), self._deadline())

    def run_in_parts(
        self, prepared: Prepared, variables: Mapping[str, Any], passed: PassedOn = NOTHING_PASSED
    ) -> AsyncIterator[Payload]:
        """Run a planned operation and yield its deferred fragments as they become ready. Raises as `run` does."""
        coerced = self.coerce(prepared, variables)
        return execute_incrementally(prepared.plan, coerced, self._passing(passed), self._deadline())

    def subscribe(
        self, prepared: Prepared, variables: Mapping[str, Any], passed: PassedOn = NOTHING_PASSED
    ) -> AsyncIterator[Response]:
        """Open a subscription and yield a response for every event.

        Raises:
            BadInputError: as `run`, or there is nobody who opens subscriptions.
        """
        if self._source is None:
            raise BadInputError("subscriptions are not offered here")
        coerced = self.coerce(prepared, variables)
        return subscribe(prepared.plan, coerced, self._passing(passed), self._source, self.settings.seconds)

    def _passing(self, passed: PassedOn) -> Outside:
        return self._outside if passed is NOTHING_PASSED else msgspec.structs.replace(self._outside, passed=passed)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.settings.seconds

    def coerce(self, prepared: Prepared, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the variables with defaults filled in (GraphQL section 6.1.2). Raises as `run` does."""
        coerced: Mapping[str, Any] = {}
        if prepared.variables:
            found = get_variable_values(
                self._schema, prepared.variables, dict(variables), max_errors=MOST_VALIDATION_ERRORS
            )
            if isinstance(found, list):
                raise BadInputError("; ".join(error.message for error in found))
            coerced = found.coerced
        if prepared.estimate is not None and self.settings.cost is not None:
            prepared.estimate.require(self.settings.cost, coerced)
        return coerced

    def _plan(self, query: str, operation_name: str | None, delivery: Delivery, claims: Claims) -> Prepared:
        document = parse_document(query, self.settings.limits)
        errors = validate(self._schema, document, max_errors=MOST_VALIDATION_ERRORS)
        if errors:
            raise InvalidDocumentError(errors)
        operation = _operation(document, operation_name)
        if delivery is Delivery.AT_ONCE:
            document = visit(document, _WithoutDefer())
        options = replace(self._planner.options, denied=self.access.denied(claims))
        plan = self._planner.plan(document, operation_name, options)
        if plan.kind is OperationKind.SUBSCRIPTION and not plan.fetches:
            raise FieldDeniedError("the subscription asks for more than this client may")
        return Prepared(
            plan.kind,
            CompiledPlan(plan, self._api),
            tuple(operation.variable_definitions or ()),
            bool(plan.deferred),
            None if self.settings.cost is None else Estimate.of(plan, self._supergraph, {}, USUAL_LIST),
        )


class _WithoutDefer(Visitor):
    """Takes `@defer` out of a document, for clients that want one response."""

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value == GraphQLDeferDirective.name else None


def _with_defer(schema: GraphQLSchema) -> GraphQLSchema:
    """Return the API schema with the directive that this gateway understands."""
    if schema.get_directive(GraphQLDeferDirective.name) is not None:
        return schema
    parts: dict[str, Any] = {**schema.to_kwargs(), "directives": (*schema.directives, GraphQLDeferDirective)}
    return GraphQLSchema(**{**parts, "assume_valid": True})


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation that the request means (GraphQL section 6.1)."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None and len(operations) == 1:
        return operations[0]
    for node in operations:
        if name is not None and node.name is not None and node.name.value == name:
            return node
    raise BadInputError("`operationName` fits no operation of the document" if name else "expected `operationName`")


def error_entries(error: CroceviaError) -> list[dict[str, Any]]:
    """Return the GraphQL error entries of a refusal."""
    return error.entries if isinstance(error, InvalidDocumentError) else [error.graphql()]
