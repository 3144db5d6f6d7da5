"""The federation's own subgraph, served inside the gateway: it finds a citizen and answers with a key (docs/adr/0003).

It owns `Query.citizen`. A consumer names a citizen by its own pseudonym, or by tax code where a provider's policy lets
it look up exactly (policy R23). Whether nobody knows the citizen or nobody may show the citizen, the answer is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from graphql import DocumentNode, build_schema, execute, parse
from graphql.execution import ExecutionResult

from federation.contract.errors import BadInputError
from federation.contract.identifiers import DIRECTORY, Pseudonym
from federation.execution.ports import FetchAnswer, FetchRequest

DIRECTORY_SDL = '''extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])

type Query {
  """
  One citizen, named by the consumer's own pseudonym or, where a policy allows the look-up, by tax code.
  it: Un cittadino, indicato con lo pseudonimo dell'ente o, dove una policy lo consente, con il codice fiscale.
  """
  citizen(by: CitizenKey!): Citizen
}

"""
How a citizen is named; exactly one field.
it: Come si indica un cittadino; un solo campo.
"""
input CitizenKey @oneOf {
  id: ID
  taxCode: TaxCode
}

"""
Italian tax code (codice fiscale).
it: Codice fiscale.
"""
scalar TaxCode

type Citizen @key(fields: "id", resolvable: false) {
  id: ID
}
'''

_SCHEMA = build_schema(
    "type Query { citizen(by: CitizenKey!): Citizen } input CitizenKey { id: ID taxCode: TaxCode } "
    "scalar TaxCode type Citizen { id: ID }"
)


class Finder(Protocol):
    """Finds a citizen on behalf of one consumer's request."""

    async def by_pseudonym(self, pseudonym: str) -> str | None:
        """Return the directory's pseudonym for the consumer's own."""
        ...

    async def by_tax_code(self, tax_code: str) -> str | None:
        """Return the directory's pseudonym for the citizen of that tax code, if a provider may say so."""
        ...


@dataclass(frozen=True, slots=True)
class DirectorySubgraph:
    """Answers fetches addressed to the member `directory`."""

    finder: Finder
    consumer: str

    async def answer(self, request: FetchRequest) -> FetchAnswer:
        """Run the operation; errors raised by the finder become GraphQL errors with their codes."""
        outcome = execute(
            _SCHEMA,
            _parsed(msgspec.json.decode(request.operation, type=str)),
            root_value={"citizen": self._citizen},
            variable_values=msgspec.json.decode(request.variables),
        )
        result = outcome if isinstance(outcome, ExecutionResult) else await outcome
        errors = [
            error.original_error.graphql(error.path)
            if isinstance(error.original_error, BadInputError)
            else {"message": "the citizen could not be looked up", "extensions": {"code": "INTERNAL"}}
            for error in result.errors or ()
        ]
        return FetchAnswer(msgspec.json.encode({"data": result.data, **({"errors": errors} if errors else {})}))

    async def _citizen(self, _: Any, by: Mapping[str, str | None]) -> dict[str, str] | None:
        given = {key: value for key, value in by.items() if value is not None}
        if len(given) != 1:
            raise BadInputError("`by` takes exactly one of `id` and `taxCode`")
        if tax_code := given.get("taxCode"):
            found = await self.finder.by_tax_code(tax_code)
        else:
            found = await self._by_pseudonym(given.get("id", ""))
        return None if found is None else {"id": found}

    async def _by_pseudonym(self, text: str) -> str | None:
        pseudonym = Pseudonym.parse(text)
        if pseudonym.member == DIRECTORY or pseudonym.member != self.consumer:
            raise BadInputError("`by.id` takes the asking member's own pseudonym of the citizen")
        return await self.finder.by_pseudonym(text)


@lru_cache(maxsize=1024)
def _parsed(operation: str) -> DocumentNode:
    return parse(operation)
