"""An operation compiled under the decisions about it: one SQL statement per root selection and entity type."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias

import msgspec
from graphql import DocumentNode, GraphQLSchema
from sqlalchemy import Text, bindparam, select, tuple_
from sqlalchemy.sql.selectable import Select

from federation.contract.coverage import operation_of
from federation.contract.errors import FieldDeniedError
from federation.contract.identifiers import PERSON
from federation.contract.members import LONGEST_LIST
from node.data.answer import Answer
from node.data.connections import Connection, compile_connection
from node.data.cursors import CursorSealer
from node.data.custom import NO_CUSTOM, CustomCell, CustomEntity, ServedCustom
from node.data.custom_asking import UNAVAILABLE, answer_questions
from node.data.database import Database
from node.data.decisions import Disclosures, Path, occurrences
from node.data.dialects import Dialect, Sql, at_most
from node.data.entities import GIVEN_KEYS, Batch, Nobody, ResolvedBatch, asked_entity, split_key
from node.data.fetched import Arrival, arriving
from node.data.groups_audit import AdmitsEveryQuestion, GroupsAudit
from node.data.keyed import Keyed, MaskKeys
from node.data.mapping import Key, Source
from node.data.mapping import Mapping as NodeMapping
from node.data.objects import Objects, PlanOf
from node.data.rows import NO_CONSENTS, Reading, Row, tables_of
from node.data.selection import TYPENAME, Selected, selected_roots
from node.data.shapes import Finishing
from node.data.statements import Statement
from node.data.variables import RunVariables
from node.policy.conditions import FALSE

DENIED: Final = FieldDeniedError("the field is denied for this purpose")
"""The same words for every denied field (policy R12)."""

_LOOKED_UP: Final = "looked_up"


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom an operation runs: the consumer's code, the node's keys for masks and cursors, who audits its counts.

    `longest_list` is how many elements a list may have, as the agreement says; `consents` is JSON of consents that were
    said elsewhere than in the register: `[pseudonym, purpose, "given" or "withdrawn", day]` each.
    """

    consumer: str
    mask_keys: MaskKeys
    cursors: CursorSealer
    audit: GroupsAudit = field(default_factory=AdmitsEveryQuestion)
    longest_list: int = LONGEST_LIST
    consents: str = NO_CONSENTS


@dataclass(frozen=True, slots=True)
class _Running:
    """What roots need of one run."""

    database: Database
    asker: Asker
    variables: Mapping[str, Any]
    finishing: Finishing


@dataclass(frozen=True, slots=True)
class _Lookup:
    """`citizen(by:)`: one person by an exact key; nobody if there are several."""

    statement: Statement
    source: Source
    by: Mapping[str, str]
    variable: str | None
    arrival: Arrival

    async def value(self, running: _Running) -> Any:
        [(name, value)] = (self.by if self.variable is None else running.variables[self.variable]).items()
        values = _looked_up(self.source, name, value)
        if values is None:
            return None
        rows = await running.database.rows(self.statement, {**running.finishing.parameters, **values})
        if len(rows) != 1:
            return None
        return self.arrival.objects(rows, 1, running.finishing)[0]


@dataclass(frozen=True, slots=True)
class _Entities:
    """`_entities`: one statement or question per type; the order is kept, and what is unknown or hidden is null."""

    representations: tuple[Any, ...]
    variable: str | None
    batches: Mapping[str, Batch | ResolvedBatch]

    def asked(self, variables: Mapping[str, Any]) -> list[tuple[str, str | None]]:
        """Return type and key of every representation."""
        given = self.representations if self.variable is None else variables[self.variable]
        return [asked_entity(each) for each in given]

    async def value(self, running: _Running) -> list[Any]:
        asked = self.asked(running.variables)
        found: dict[str, Mapping[str | None, Any]] = {}
        for name, batch in self.batches.items():
            wanted = dict.fromkeys([key for kind, key in asked if kind == name and key is not None])
            found[name] = await batch.by_key(wanted, running.database, running.finishing) if wanted else {}
        return [found[kind].get(key) if kind in found else None for kind, key in asked]

    def errors(self, key: str, value: Sequence[Any], running: _Running) -> list[dict[str, Any]]:
        """Return one error for every denied field of every entity, and for every entity that could not be had."""
        unavailable = running.finishing.unavailable
        if not unavailable and not any(batch.denied for batch in self.batches.values()):
            return []
        errors: list[dict[str, Any]] = []
        for index, asked in enumerate(self.asked(running.variables)):
            if asked in unavailable:
                errors.append(UNAVAILABLE.graphql([key, index]))
            elif batch := self.batches.get(asked[0]):
                places = (at for path in batch.denied for at in occurrences(value[index], path[1:], [key, index]))
                errors += map(DENIED.graphql, places)
        return errors


@dataclass(frozen=True, slots=True)
class _List:
    """A published connection."""

    connection: Connection

    async def value(self, running: _Running) -> dict[str, Any]:
        return await self.connection.value(
            running.database, running.asker.cursors, running.variables, running.finishing
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """A root whose value needs no database; `denied` says that it is null because it is denied."""

    known: Any
    denied: bool

    async def value(self, _running: _Running) -> Any:
        return self.known


_Root: TypeAlias = _Lookup | _Entities | _List | _Known


@dataclass(frozen=True, slots=True)
class CompiledOperation:
    """An operation ready to run, for one requester, purpose, day and policy."""

    roots: Mapping[str, _Root]
    purpose: str
    disclosures: Disclosures

    async def run(self, database: Database, asker: Asker, variables: Mapping[str, Any]) -> Answer:
        """Run the statements and put the answer together. `variables` are the coerced ones of this run.

        Raises:
            DatabaseUnavailableError: the database does not answer.
                BadInputError: a cursor is not of its list.
        """
        run = Finishing(Keyed(asker.consumer, self.purpose, asker.mask_keys), asker.audit, asker.consents)
        running = _Running(database, asker, variables, run)
        data: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        for key, root in self.roots.items():
            data[key] = await root.value(running)
            match root:
                case _Entities():
                    errors += root.errors(key, data[key], running)
                case _Known(denied=True):
                    errors.append(DENIED.graphql([key]))
                case _:
                    continue
        denied = (*self.disclosures.denied, *run.refused)
        unavailable = await answer_questions(run.questions, run.keyed, run.subjects, data) if run.questions else []
        errors += [DENIED.graphql(place) for path in denied for place in occurrences(data, path, [])]
        errors += unavailable
        return Answer(data, errors, self.disclosures.all(), frozenset(one for one in run.subjects if one is not None))


def compile_operation(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    plane: Prepared,
    plans: PlanOf,
    sdl: str = "",
    longest_list: int = LONGEST_LIST,
) -> CompiledOperation:
    """Compile an operation under the plans of one request, for all runs whose variables have the same shape.

    Args:
        schema: the node's schema, against which the document was validated.
        document: the parsed operation.
        operation_name: which operation of the document.
        variables: as the request gave them.
        plane: the mapping, prepared for a database.
        plans: what the request may see, by type.
        sdl: what `_service { sdl }` shows this requester.
        longest_list: how many elements a list may have.

    Raises:
        BadInputError: a variable, argument or page size does not fit.
    """
    today = plans(PERSON).day
    reading = Reading(plane.mapping, plane.dialect, today, plane.tables)
    disclosures = Disclosures()
    of_run = RunVariables.of(document, operation_of(document, operation_name))
    compiler = _Compiler(Objects(schema, reading, plans, disclosures, longest_list, plane.custom), sdl, of_run)
    roots = {
        each.response_key: compiler.root(each) for each in selected_roots(schema, document, operation_name, variables)
    }
    return CompiledOperation(roots, plans(PERSON).purpose, disclosures)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mapping, ready to be compiled for one database system; and what the member's own code adds to it."""

    mapping: NodeMapping
    dialect: Dialect
    tables: dict[str, Any] = field(repr=False)
    custom: ServedCustom = NO_CUSTOM

    @classmethod
    def of(cls, mapping: NodeMapping, dialect: Dialect, custom: ServedCustom = NO_CUSTOM) -> Self:
        """Name the tables that the mapping reads."""
        return cls(mapping, dialect, tables_of(mapping), custom)


@dataclass(frozen=True, slots=True)
class _Compiler:
    objects: Objects
    sdl: str
    of_run: RunVariables

    def root(self, selected: Selected) -> _Root:
        """Compile one root selection."""
        self.objects.of_many(1)
        match selected.field:
            case "__typename":
                return _Known("Query", denied=False)
            case "_service":
                return _Known(
                    {each.response_key: self._of_service(each) for each in selected.below or ()}, denied=False
                )
            case "_entities":
                return self._entities(selected)
            case "citizen":
                return self._lookup(selected)
            case name:
                return self._list(name, selected)

    def _of_service(self, each: Selected) -> str:
        return "_Service" if each.field == TYPENAME else self.sdl

    def _lookup(self, selected: Selected) -> _Root:
        [(by, value)] = selected.arguments["by"].items()
        source = self.objects.reading.mapping.entity_source(PERSON)
        assert source is not None  # the schema has this root only then
        plan = self.objects.plans(PERSON)
        is_key = source.key is not None and source.key.field == by
        if not is_key and (by not in plan.exact_lookups or by not in source.lookups):
            # The only way to select by an identifier that one may not list is the policy's own word (R23).
            self.objects.disclosures.refused(PERSON, by, None)
            return _Known(None, denied=True)
        row = Row.of(self.objects.reading, source)
        statement, arrival, _ = self._select(
            row, selected.below or (), (selected.response_key,), self._matching(row, by)
        )
        if plan.visible == FALSE:
            return _Known(None, denied=False)
        variable = self.of_run.names.get((selected.response_key, "by"))
        return _Lookup(
            Statement.of(statement.limit(at_most(2)), self.objects.reading.dialect),
            source,
            {by: value},
            variable,
            arrival,
        )

    def _matching(self, row: Row, by: str) -> Sql:
        if row.source.key and row.source.key.field == by:
            return self._has_key(row)
        return row.column(row.source.lookups[by]) == bindparam(_LOOKED_UP, None, type_=Text)

    def _entities(self, selected: Selected) -> _Root:
        batches: dict[str, Batch | ResolvedBatch] = {}
        for name, below in selected.on.items():
            source, entity = self.objects.reading.mapping.entity_source(name), self.objects.custom.entities.get(name)
            if below and source is not None and source.key is not None:
                batches[name] = self._batch(source, source.key, below, (selected.response_key,))
            elif below and entity is not None:
                cell, denied = self._resolved(entity, below, (selected.response_key,))
                if self.objects.plans(name).visible != FALSE:  # of objects that nobody may see none is asked for
                    batches[name] = ResolvedBatch(cell, denied)
        variable = self.of_run.names.get((selected.response_key, "representations"))
        return _Entities(tuple(selected.arguments["representations"]), variable, batches)

    def _batch(self, source: Source, key: Key, selected: Sequence[Selected], path: Path) -> Batch:
        row = Row.of(self.objects.reading, source)
        statement, arrival, denied = self._select(row, selected, path, self._has_key(row))
        self._left_to_entities(denied)
        hides = self.objects.reading.mapping.broadcast and source.type_name == PERSON
        nobody = _nobody(selected, {each[-1] for each in denied if len(each) == len(path) + 1}) if hides else None
        return Batch(Statement.of(statement, self.objects.reading.dialect), key, arrival, denied, nobody)

    def _resolved(
        self, entity: CustomEntity, selected: Sequence[Selected], path: Path
    ) -> tuple[CustomCell, tuple[Path, ...]]:
        before = len(self.objects.disclosures.denied)
        cell = self.objects.entity(entity, selected, path)
        denied = tuple(self.objects.disclosures.denied[before:])
        self._left_to_entities(denied)
        return cell, denied

    def _left_to_entities(self, denied: Sequence[Path]) -> None:
        """Where something is denied of an entity depends on which of them are there: `_Entities.errors` says it."""
        if denied:
            del self.objects.disclosures.denied[-len(denied) :]

    def _select(
        self, row: Row, selected: Sequence[Selected], path: Path, matching: Sql
    ) -> tuple[Select[Any], Arrival, tuple[Path, ...]]:
        """Return the query for the visible rows of a source that match: key and object; and what of it is denied."""
        before = len(self.objects.disclosures.denied)
        made = self.objects.object(row, selected, path, None)
        denied = tuple(self.objects.disclosures.denied[before:])
        columns, arrival = arriving(made, self.objects.reading.dialect, denied, path)
        visible = self.objects.visible(row)
        found = select(row.key(), *columns).select_from(row.tables).where(*row.counts(), visible, matching)
        return found, arrival, denied

    def _has_key(self, row: Row) -> Sql:
        key = row.source.key
        assert key is not None
        given = self.objects.reading.dialect.given_keys(GIVEN_KEYS, len(key.columns), key.types)
        columns = [row.column(name) for name in key.columns]
        return columns[0].in_(given) if len(columns) == 1 else tuple_(*columns).in_(given)

    def _list(self, name: str, selected: Selected) -> _Root:
        root = self.objects.reading.mapping.roots[name]
        try:
            after = self.of_run.names.get((selected.response_key, "after"))
            return _List(compile_connection(self.objects, root, selected, (selected.response_key,), after))
        except FieldDeniedError:
            return _Known(None, denied=True)


def _nobody(selected: Sequence[Selected], denied: Collection[str]) -> Nobody:
    lists = frozenset(each.response_key for each in selected if each.is_list)
    return Nobody(tuple(selected), lists - frozenset(denied))


def _looked_up(source: Source, by: str, value: str) -> dict[str, Any] | None:
    """Return the parameters of a look-up; None if the key can be nobody's."""
    if source.key is None or source.key.field != by:
        return {_LOOKED_UP: value}
    parts = split_key(value, source.key)
    return None if parts is None else {GIVEN_KEYS: msgspec.json.encode([parts]).decode()}
