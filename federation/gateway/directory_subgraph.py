"""The federation's own subgraph, served inside the gateway: it finds a citizen, and collects what members tell of it.

`Query.citizen` names a citizen by the consumer's own pseudonym, or by tax code where a provider's policy lets it look
up exactly (policy R23; docs/adr/0003). Whether nobody knows the citizen or nobody may show one, the answer is null.
`Query.accessReport` asks every node what its ledger holds about a citizen, and says which nodes did not answer.
`Query.changes` asks one member what changed since the signals that the consumer took in.
`Query.myFields` and `Query.whyDenied` ask the agreement's providers which of their rules decide for the consumer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, Protocol

import msgspec
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLResolveInfo,
    GraphQLSkipDirective,
    InlineFragmentNode,
    NameNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    build_schema,
    execute,
    parse,
)
from graphql.execution import ExecutionResult
from graphql.execution.values import get_directive_values

from federation.contract import changes, policy_view
from federation.contract.coverage import operation_of
from federation.contract.errors import BadInputError, CroceviaError, FieldDeniedError
from federation.contract.identifiers import DIRECTORY, INTERNAL_PREFIX, PERSON, Pseudonym
from federation.directory.schema import DIRECTORY_TYPES
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.gateway.finding import Found, Wanted

_SCHEMA = build_schema(DIRECTORY_TYPES)


class Finder(Protocol):
    """Finds a citizen on behalf of one consumer's request."""

    async def by_pseudonym(self, pseudonym: str) -> Found | None:
        """Return the citizen of the consumer's own pseudonym."""
        ...

    async def by_tax_code(self, tax_code: str, wanted: Wanted) -> Found | None:
        """Return the citizen of that tax code, if a provider may say so, and what it lets be told as `id`."""
        ...


class RulesAsker(Protocol):
    """Asks the providers for their rules, on behalf of one consumer's request."""

    async def my_fields(self, type_name: str | None) -> dict[str, Any]:
        """Return a `MyFields` of all providers."""
        ...

    async def why_denied(self, coordinate: str) -> dict[str, Any]:
        """Return a `WhyDenied` of all providers that have the field."""
        ...


class ChangesAsker(Protocol):
    """Asks one member what changed, on behalf of one subscriber's request."""

    async def changes(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return a `Changes` of the member that the arguments name."""
        ...


class Reporter(Protocol):
    """Collects who looked, on behalf of the portal's request."""

    async def report(self, pseudonym: str, before: Mapping[str, int]) -> dict[str, Any]:
        """Return an `AccessReport` about the citizen of the portal's own pseudonym.

        Where `before` names positions, of these members and of entries below them.
        """
        ...


@dataclass(frozen=True, slots=True)
class DirectorySubgraph:
    """Answers fetches addressed to the member `directory`, for one consumer's request."""

    finder: Finder
    reporter: Reporter
    rules: RulesAsker
    changed: ChangesAsker
    consumer: str

    async def fetch(self, request: FetchRequest) -> FetchAnswer:
        """Run the operation; refusals become GraphQL errors with their codes. See `Fetcher`."""
        variables: dict[str, Any] = msgspec.json.decode(request.variables)
        naming = _naming(request.operation)
        if naming is not None and naming.fits(variables):
            return await self._named(naming, variables)
        outcome = execute(
            _SCHEMA,
            _parsed(request.operation),
            root_value={
                "citizen": self._citizen,
                "accessReport": self._report,
                changes.ROOT: self._changes,
                policy_view.MY_FIELDS: self._my_fields,
                policy_view.WHY_DENIED: self._why_denied,
            },
            variable_values=variables,
        )
        result = outcome if isinstance(outcome, ExecutionResult) else await outcome
        errors = [_entry(error.original_error, error.path) for error in result.errors or ()]
        return _answer(result.data, errors)

    async def _named(self, naming: _Naming, variables: Mapping[str, Any]) -> FetchAnswer:
        """Answer the one thing that is asked with every question; an executor would cost more than the look-up."""
        try:
            found = await self._found(variables[naming.variable], naming.wanted)
        except Exception as error:  # noqa: BLE001  # as an executor has it: the field is null and explained
            return _answer({naming.key: None}, [_entry(error, [naming.key])])
        if found is None:
            return _answer({naming.key: None}, [])
        denied = [_entry(_DENIED, [naming.key, key]) for key in naming.wanted.ids] if found.denied else []
        return _answer({naming.key: naming.citizen(found)}, denied)

    async def _citizen(self, info: GraphQLResolveInfo[Any], by: Mapping[str, object]) -> dict[str, Any] | None:
        keys = (key for node in info.field_nodes for key in _ids(node.selection_set, info))
        told = tuple(key for key in dict.fromkeys(keys) if not key.startswith(INTERNAL_PREFIX))
        found = await self._found(by, Wanted(str(info.path.key), told))
        return None if found is None else {"id": partial(_shown, found)}

    async def _found(self, by: Mapping[str, object], wanted: Wanted) -> Found | None:
        given = {key: value for key, value in by.items() if value is not None}
        if len(given) != 1:
            raise BadInputError("`by` takes exactly one of `id` and `taxCode`")
        ((key, text),) = given.items()
        if not isinstance(text, str):
            raise BadInputError(f"`{key}` must be a text")
        if key == "taxCode":
            return await self.finder.by_tax_code(text, wanted)
        return await self.finder.by_pseudonym(self._own(text))

    async def _report(self, _: Any, citizen: str, before: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
        positions = {each["member"]: each["entry"] for each in before or ()}
        return await self.reporter.report(self._own(citizen), positions)

    async def _changes(self, _: Any, **arguments: Any) -> dict[str, Any]:
        return await self.changed.changes(arguments)

    async def _my_fields(self, _: Any, type: str | None = None) -> dict[str, Any]:  # noqa: A002  # as the schema has it
        return await self.rules.my_fields(type)

    async def _why_denied(self, _: Any, coordinate: str) -> dict[str, Any]:
        return await self.rules.why_denied(coordinate)

    def _own(self, text: str) -> str:
        try:
            pseudonym = Pseudonym.parse(text)
        except BadInputError as error:
            raise BadInputError(
                "a citizen is named by the asking member's own pseudonym, `v1.<suite>.<member>.<token>`; "
                "an `id` in another form, such as that of one purpose, names nobody"
            ) from error
        if pseudonym.member == DIRECTORY or pseudonym.member != self.consumer:
            raise BadInputError("a citizen is named by the asking member's own pseudonym")
        return text


@lru_cache(maxsize=1024)
def _parsed(operation: bytes) -> DocumentNode:
    return parse(msgspec.json.decode(operation, type=str))


@dataclass(frozen=True, slots=True)
class _Naming:
    """The operation `{ key: citizen(by: $variable) { … } }` with nothing but keys and typenames below."""

    key: str
    variable: str
    typenames: tuple[str, ...]
    ids: tuple[str, ...]

    def fits(self, variables: Mapping[str, Any]) -> bool:
        """Say whether the variable is of the form that the schema wants; if not, the executor says what is wrong."""
        by = variables.get(self.variable)
        return isinstance(by, dict) and len(by) == 1 and isinstance(by.get("id", by.get("taxCode")), str)

    @property
    def wanted(self) -> Wanted:
        """What is to be told."""
        return Wanted(self.key, tuple(key for key in self.ids if not key.startswith(INTERNAL_PREFIX)))

    def citizen(self, found: Found) -> dict[str, str | None]:
        """Return the citizen as it is asked for."""
        ids = {key: found.key if key.startswith(INTERNAL_PREFIX) else found.told for key in self.ids}
        return {**dict.fromkeys(self.typenames, PERSON), **ids}


@lru_cache(maxsize=1024)
def _naming(operation: bytes) -> _Naming | None:
    """Read an operation as one that names a citizen, None when it is another."""
    definition = operation_of(_parsed(operation), None)
    match definition.selection_set.selections:
        case (
            FieldNode(
                name=NameNode(value="citizen"),
                directives=() | None,
                arguments=(ArgumentNode(value=VariableNode(name=NameNode(value=variable))),),
                selection_set=SelectionSetNode(selections=below),
            ) as field,
        ) if all(_is_plain(node) for node in below):
            fields = [node for node in below if isinstance(node, FieldNode)]
            names = [((node.alias or node.name).value, node.name.value) for node in fields]
            return _Naming(
                (field.alias or field.name).value,
                variable,
                tuple(key for key, name in names if name == "__typename"),
                tuple(key for key, name in names if name == "id"),
            )
        case _:
            return None


def _is_plain(node: SelectionNode) -> bool:
    return isinstance(node, FieldNode) and node.name.value in {"__typename", "id"} and not node.directives


def _ids(below: SelectionSetNode | None, info: GraphQLResolveInfo[Any]) -> Iterator[str]:
    """Yield the response keys of `id`; the planner writes no named fragments."""
    for node in below.selections if below is not None else ():
        skipped = get_directive_values(GraphQLSkipDirective, node, info.variable_values)
        included = get_directive_values(GraphQLIncludeDirective, node, info.variable_values)
        if (skipped and skipped["if"]) or (included and not included["if"]):
            continue
        if isinstance(node, InlineFragmentNode):
            yield from _ids(node.selection_set, info)
        elif isinstance(node, FieldNode) and node.name.value == "id":
            yield (node.alias or node.name).value


def _shown(found: Found, info: GraphQLResolveInfo[Any]) -> str | None:
    """Return the join key, or what the member that found the citizen lets be told."""
    if str(info.path.key).startswith(INTERNAL_PREFIX):
        return found.key
    if found.denied:
        raise _DENIED
    return found.told


_DENIED: Final = FieldDeniedError("the field is denied for this purpose")
_MISFIT: Final = BadInputError("an argument does not fit its type; `by` takes exactly one of `id` and `taxCode`")
"""What an executor says by itself is about arguments: the operation was validated, and is of our own making."""


def _entry(error: Exception | None, path: list[str | int] | None) -> dict[str, Any]:
    if error is None or isinstance(error, GraphQLError):
        return _MISFIT.graphql(path)
    if isinstance(error, CroceviaError):
        return error.graphql(path)
    return {"message": "the directory could not answer", "path": path, "extensions": {"code": "INTERNAL"}}


def _answer(data: Mapping[str, Any] | None, errors: list[dict[str, Any]]) -> FetchAnswer:
    return FetchAnswer(msgspec.json.encode({"data": data, **({"errors": errors} if errors else {})}))
