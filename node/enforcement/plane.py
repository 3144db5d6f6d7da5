"""The node's data behind one door: an operation and its decisions go in, an answer comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLSchema

from federation.contract.graphql_request import GraphQLRequest
from node.data.answer import Answer
from node.data.cursors import CursorSealer
from node.data.database import Database
from node.data.operation import Asker, Prepared, compile_operation
from node.data.shapes import MaskKeys
from node.data.statements import Statement
from node.enforcement.decide import RequestPlans
from node.subgraph.schema import NodeSchema

_SMALLEST = Statement("SELECT 1", {}, None)


@dataclass(frozen=True, slots=True)
class DataPlane:
    """A member's schema, mapping and database, and the node's keys for masks and cursors."""

    served: NodeSchema
    prepared: Prepared
    database: Database
    mask_keys: MaskKeys
    cursors: CursorSealer

    @property
    def schema(self) -> GraphQLSchema:
        """What operations are written and validated on."""
        return self.served.schema

    @property
    def entity_keys(self) -> Mapping[str, frozenset[str]]:
        """The key fields of each entity type."""
        return self.served.entity_keys

    async def require_database(self) -> None:
        """Ask the database the smallest question there is.

        Raises:
            DatabaseUnavailableError: it does not answer.
        """
        await self.database.rows(_SMALLEST, {})

    async def answer(self, document: DocumentNode, asked: GraphQLRequest, consumer: str, plans: RequestPlans) -> Answer:
        """Compile the operation under the plans to one statement per root, and run it.

        Raises:
            BadInputError: a variable, argument, page size or cursor does not fit.
            PurposeError: the policy does not know the purpose (policy R4).
            DatabaseUnavailableError: the member's database does not answer.
        """
        compiled = compile_operation(
            self.schema,
            document,
            asked.operation_name,
            asked.variables,
            self.prepared,
            plans,
            self.served.published_sdl,
        )
        return await compiled.run(self.database, Asker(consumer, self.mask_keys, self.cursors))
