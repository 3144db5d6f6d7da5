"""The data plane of one member: what its node asks for data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, Self

from graphql import DocumentNode, FieldNode, GraphQLSchema, execute_sync

from federation.contract.coverage import operation_of
from federation.contract.errors import BadInputError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import PERSON
from node.data.answer import Answer
from node.data.custom import ServedCustom
from node.data.database import Database, open_database
from node.data.mapping import Mapping as NodeMapping
from node.data.objects import PlanOf
from node.data.operation import Asker, CompiledOperation, Prepared, compile_operation
from node.data.selection import coerced_variables
from node.data.variables import RunVariables
from node.policy.plans import TypePlan

_MOST_KNOWN: Final = 1_000
_INTROSPECTION: Final = frozenset({"__schema", "__type"})


class MemberSchema(Protocol):
    """What the plane needs to know about the node's schema."""

    @property
    def schema(self) -> GraphQLSchema:
        """The schema against which operations are validated."""
        ...

    @property
    def entity_keys(self) -> Mapping[str, frozenset[str]]:
        """The key fields of each entity type."""
        ...

    @property
    def custom(self) -> ServedCustom:
        """What the member's own code resolves."""
        ...


@dataclass(frozen=True, slots=True)
class DataPlane:
    """Answers validated operations from the member's database, under a policy's plans.

    `shown` gives the schema that a requester is shown, `printed` its SDL (policy R20).
    """

    schema: GraphQLSchema
    entity_keys: Mapping[str, frozenset[str]]
    prepared: Prepared
    database: Database = field(repr=False)
    shown: Callable[[PlanOf], GraphQLSchema] = field(repr=False)
    printed: Callable[[PlanOf], str] = field(repr=False)
    _known: dict[tuple[str, str | None, str, int, int], tuple[TypePlan, CompiledOperation]] = field(
        init=False, repr=False, default_factory=dict
    )
    _of_runs: dict[tuple[str, str | None], RunVariables] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def open(
        cls,
        member_schema: MemberSchema,
        mapping: NodeMapping,
        base: Path,
        shown: Callable[[PlanOf], GraphQLSchema],
        printed: Callable[[PlanOf], str],
    ) -> Self:
        """Open the member's database. `base` is the folder of node.yaml.

        Raises:
            DatabaseUnavailableError: it cannot be opened.
        """
        database = open_database(mapping.database, base)
        prepared = Prepared.of(mapping, database.dialect, member_schema.custom)
        return cls(member_schema.schema, member_schema.entity_keys, prepared, database, shown, printed)

    async def close(self) -> None:
        """Give up the database, and what the member's own code keeps open."""
        await self.prepared.custom.close()
        await self.database.close()

    async def answer(self, document: DocumentNode, asked: GraphQLRequest, plans: PlanOf, asker: Asker) -> Answer:
        """Answer an operation that fits `schema`.

        Args:
            document: the parsed operation, validated.
            asked: its name and variables.
            plans: what the request may see.
            asker: for whom it runs.

        Raises:
            BadInputError: a variable, argument, page size or cursor does not fit.
            DatabaseUnavailableError: the database does not answer.
        """
        if _asks_about_schema(document, asked.operation_name):
            return self._introspected(document, asked, plans)
        compiled = self._compiled(document, asked, plans, asker.longest_list)
        operation = operation_of(document, asked.operation_name)
        return await compiled.run(self.database, asker, coerced_variables(self.schema, operation, asked.variables))

    def _compiled(
        self, document: DocumentNode, asked: GraphQLRequest, plans: PlanOf, longest_list: int
    ) -> CompiledOperation:
        """Return an operation compiled under these plans, from an earlier question if the statement is the same.

        INVARIANT: plans are the same for the same requester, purpose, day, agreement and bundle, and only then one
        object (policy R35); the key keeps it alive, so that its identity is never used again.
        """
        plan = plans(PERSON)
        query = (asked.query or "", asked.operation_name)
        key = (*query, self._of_run(document, query).shape(asked.variables), id(plan), longest_list)
        found = self._known.get(key)
        if found is not None:
            return found[1]
        sdl = self.printed(plans) if _asks(document, asked.operation_name, {"_service"}) else ""
        made = compile_operation(
            self.schema, document, asked.operation_name, asked.variables, self.prepared, plans, sdl, longest_list
        )
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = (plan, made)
        return made

    def _of_run(self, document: DocumentNode, query: tuple[str, str | None]) -> RunVariables:
        """Return which variables of an operation are those of a run."""
        found = self._of_runs.get(query)
        if found is None:
            if len(self._of_runs) >= _MOST_KNOWN:
                self._of_runs.clear()
            found = self._of_runs[query] = RunVariables.of(document, operation_of(document, query[1]))
        return found

    def _introspected(self, document: DocumentNode, asked: GraphQLRequest, plans: PlanOf) -> Answer:
        result = execute_sync(
            self.shown(plans), document, variable_values=dict(asked.variables), operation_name=asked.operation_name
        )
        if result.errors or result.data is None:
            raise BadInputError("introspection stands in an operation of its own")
        data: dict[str, Any] = dict(result.data)
        return Answer(data, [], (), frozenset())


def _asks(document: DocumentNode, operation_name: str | None, names: set[str] | frozenset[str]) -> bool:
    selections = operation_of(document, operation_name).selection_set.selections
    return any(isinstance(node, FieldNode) and node.name.value in names for node in selections)


def _asks_about_schema(document: DocumentNode, operation_name: str | None) -> bool:
    return _asks(document, operation_name, _INTROSPECTION)
