"""The mapping: which tables and columns of a member's own database stand behind which types and fields.

A mapping is data, `node.yaml`; `Mapping.parse` reads it strictly and gives values that cannot be wrong in themselves.
Whether they fit the vocabulary is checked where the schema is built (`node.subgraph`), and whether they fit the live
database by `node.data.doctor`. The format is described in docs/mapping.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from federation.contract.errors import BadInputError
from federation.contract.identifiers import capacity_code
from node.data.expressions import (
    Age,
    Coalesce,
    Coded,
    Column,
    Concat,
    Constant,
    DateFormat,
    Day,
    Expression,
    Joined,
    JsonAt,
    Moment,
    MomentFormat,
    OwnerAttribute,
    PlainType,
    Trimmed,
    Truth,
    Typed,
    ValueSet,
)
from node.data.own_vocabulary import GRAPHQL_NAME, OwnWord, read_own_words
from node.data.written import MappingError, Written, read_written
from node.policy.errors import nearest

_OFFSET: Final = re.compile(r"Z|[+-](0[0-9]|1[0-4]):[0-5][0-9]")
_JSON_PATH: Final = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]{1,4}\])+")
_JSON_STEP: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]")
_MODULE: Final = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")
_TIMEOUT: Final = 5
_HERE: Final = Path()
_OPTIONAL: Final = ("code_lists", "consent", "custom", "directory", "roots", "vocabulary", "writes", "node")

Join = tuple[tuple[str, str], ...]
"""Pairs of a column here and the column there that must be equal."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the data is. `statement_timeout` is in seconds; `schema` is PostgreSQL's."""

    url: str
    schema: str | None
    statement_timeout: int

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL; else it is SQLite."""
        return self.url.startswith("postgresql")


@dataclass(frozen=True, slots=True)
class Key:
    """The columns that are unique in a source; `field` is the GraphQL key field they make, if it has one."""

    field: str | None
    columns: tuple[str, ...]
    types: tuple[PlainType, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class RowTest:
    """A condition on a raw column that rows must meet to exist for the federation; None stands for null."""

    column: str
    values: tuple[str | int | bool | None, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Validity:
    """Valid-time columns: a row counts on days from `start` until `end`, both included; null is open."""

    start: Day
    end: Day


@dataclass(frozen=True, slots=True)
class Owner:
    """The person a row is about: another source and how to get there."""

    source: str
    join: Join


@dataclass(frozen=True, slots=True)
class Through:
    """A table between two others, for many-to-many relations."""

    table: str
    then: Join


@dataclass(frozen=True, slots=True)
class OrderKey:
    """A GraphQL field to order by."""

    field: str
    descending: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `openedOn` or `-openedOn`."""
        return cls(text.removeprefix("-"), text.startswith("-"))


@dataclass(frozen=True, slots=True)
class Relation:
    """A field that leads to another source. With neither join nor through, the target is part of the same row."""

    to: str
    join: Join
    through: Through | None
    order: tuple[OrderKey, ...]
    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of one type come from. Without a table it is part of the row it is reached from."""

    name: str
    type_name: str
    table: str | None
    key: Key | None
    subject: str | None
    owner: Owner | None
    only: tuple[RowTest, ...]
    valid: Validity | None
    present: tuple[str, ...]
    lookups: MappingOf[str, str]
    attributes: MappingOf[str, Expression]
    fields: MappingOf[str, Expression]
    relations: MappingOf[str, Relation]
    line: int = field(compare=False)
    lines: MappingOf[str, int] = field(compare=False)


@dataclass(frozen=True, slots=True)
class ConsentTable:
    """Where consents are recorded. A null consumer stands for every consumer; days are inclusive."""

    of: str
    table: str
    join: Join
    purpose: Expression
    consumer: str | None
    given: Day
    withdrawn: Day | None
    expires: Day | None


@dataclass(frozen=True, slots=True)
class HeldFiles:
    """On whom the federation's directory is told that the member holds a file: the persons of a source, as what.

    Without `since` a file was always there, without `until` it is open; days are inclusive.
    """

    of: str
    capacity: str
    since: Day | None
    until: Day | None


@dataclass(frozen=True, slots=True)
class Root:
    """A published list of a type, and what it may be filtered, ordered and grouped by, and measured.

    A filter may lead over relations: `residence.municipality`.
    """

    name: str
    source: str
    filterable: tuple[str, ...]
    orderable: tuple[str, ...]
    groupable: tuple[str, ...]
    measurable: tuple[str, ...]
    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class CustomModule:
    """Where the member's own code declares custom fields: `module:attribute`."""

    module: str
    attribute: str
    line: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Everything that `node.yaml` says about data."""

    member: str
    database: DatabaseSettings
    sources: MappingOf[str, Source]
    consent: ConsentTable | None
    directory: HeldFiles | None
    """None: no rows are published, and no question about a citizen is sent here unless `broadcast`."""
    broadcast: bool
    """Questions about everybody are sent here, and who is not known is answered like one of whom nothing is told."""
    roots: MappingOf[str, Root]
    writes: MappingOf[str, int]
    """The mutations that the member takes, with the line that names each."""
    own: MappingOf[str, OwnWord]
    """What the shared vocabulary does not have, by name."""
    custom: CustomModule | None
    file: str
    folder: Path = field(compare=False)

    def wrong(self, line: int, problem: str) -> MappingError:
        """Return an error at a line of the file."""
        return MappingError(f"{self.file}:{line}: {problem}")

    @classmethod
    def parse(cls, text: str, file: str = "node.yaml", folder: Path = _HERE) -> Self:
        """Read a mapping; `folder` is where the files that it names are looked for.

        Raises:
            MappingError: names the file, the line, the offending word and the nearest right one.
        """
        written = read_written(file, text)
        keys = written.keys(("member", "database", "types"), _OPTIONAL)
        lists = (
            {name: entry.words() for name, entry in keys["code_lists"].entries().items()}
            if "code_lists" in keys
            else {}
        )
        reader = _Reader(lists)
        sources = {name: reader.source(name, entry) for name, entry in keys["types"].entries().items()}
        _check_references(sources, keys["types"])
        consent = reader.consent(keys["consent"], sources) if "consent" in keys else None
        directory, broadcast = reader.directory(keys["directory"], sources) if "directory" in keys else (None, False)
        roots = {n: _root(n, entry, sources) for n, entry in keys["roots"].entries().items()} if "roots" in keys else {}
        writes = {each.text(): each.line for each in keys["writes"].items()} if "writes" in keys else {}
        custom = _custom(keys["custom"]) if "custom" in keys else None
        own = read_own_words(keys["vocabulary"]) if "vocabulary" in keys else {}
        database = _database(keys["database"])
        return cls(
            member=keys["member"].text(),
            database=database,
            sources=sources,
            consent=consent,
            directory=directory,
            broadcast=broadcast,
            roots=roots,
            writes=writes,
            own=own,
            custom=custom,
            file=file,
            folder=folder,
        )

    def entity_source(self, type_name: str) -> Source | None:
        """Return the source that answers `_entities` for a type: the one with a key field, its namesake first."""
        candidates = [
            s for s in self.sources.values() if s.type_name == type_name and s.key and s.key.field and s.table
        ]
        return next((s for s in candidates if s.name == type_name), candidates[0] if candidates else None)

    def sources_of(self, type_name: str) -> tuple[Source, ...]:
        """Return every source of a type."""
        return tuple(source for source in self.sources.values() if source.type_name == type_name)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of a mapping that may name a code list."""

    lists: MappingOf[str, tuple[tuple[str, str], ...]]

    def source(self, name: str, written: Written) -> Source:
        keys = written.keys(
            (),
            (
                "type",
                "table",
                "key",
                "subject",
                "owner",
                "only",
                "valid",
                "present",
                "lookups",
                "attributes",
                "fields",
                "relations",
            ),
        )
        empty: MappingOf[str, Written] = {}
        fields = keys["fields"].entries() if "fields" in keys else empty
        relations = keys["relations"].entries() if "relations" in keys else empty
        attributes = keys["attributes"].entries() if "attributes" in keys else empty
        for word in set(fields) & set(relations):
            raise relations[word].wrong("is a field and a relation; keep one of them")
        source = Source(
            name=name,
            type_name=_graphql_name(keys["type"], keys["type"].text())
            if "type" in keys
            else _graphql_name(written, name),
            table=keys["table"].text() if "table" in keys else None,
            key=_key(keys["key"]) if "key" in keys else None,
            subject=keys["subject"].text() if "subject" in keys else None,
            owner=_owner(keys["owner"]) if "owner" in keys else None,
            only=tuple(_row_test(item) for item in keys["only"].items()) if "only" in keys else (),
            valid=_validity(keys["valid"]) if "valid" in keys else None,
            present=keys["present"].texts() if "present" in keys else (),
            lookups=dict(keys["lookups"].words()) if "lookups" in keys else {},
            attributes={word: self.attribute(entry) for word, entry in attributes.items()},
            fields={_graphql_name(entry, word): self.expression(entry) for word, entry in fields.items()},
            relations={_graphql_name(entry, word): _relation(entry) for word, entry in relations.items()},
            line=written.line,
            lines={word: entry.line for part in (fields, relations, attributes) for word, entry in part.items()},
        )
        _check_source(source, written)
        return source

    def attribute(self, written: Written) -> Expression:
        """Read an attribute: an expression, an age, the owner's attribute or a set."""
        if not written.is_text() and not written.is_list():
            entries = written.entries()
            if "owner" in entries:
                return OwnerAttribute(written.keys(("owner",))["owner"].text())
            if "age_of" in entries:
                of = self.expression(written.keys(("age_of",))["age_of"])
                if not isinstance(of, Day):
                    raise written.wrong("needs a `date:` in `age_of`, so that the years can be counted")
                return Age(of)
            if "set" in entries:
                keys = written.keys(("set", "table", "join"))
                return ValueSet(keys["table"].text(), _join(keys["join"]), keys["set"].text())
        found = self.expression(written, attribute=True)
        return Typed(found, PlainType.STR) if isinstance(found, Column) else found

    def expression(self, written: Written, *, attribute: bool = False) -> Expression:
        """Read an expression: a column name, or a base with its transformations."""
        if written.is_text():
            return Column(written.text())
        bases = ("column", "constant", "text", "concat", "joined", "coalesce")
        steps = (
            "separator",
            "trim",
            "json",
            "codes",
            "otherwise",
            "date",
            "datetime",
            "offset",
            "true_values",
            "false_values",
        )
        keys = written.keys((), (*bases, *steps, *(("type",) if attribute else ())))
        chosen = [base for base in bases if base in keys]
        if len(chosen) != 1:
            raise written.wrong("needs exactly one of `column`, `constant`, `concat`, `joined`, `coalesce`")
        finals = [step for step in ("codes", "date", "datetime", "true_values", "type") if step in keys]
        if len(finals) > 1:
            raise written.wrong(f"needs one of `{finals[0]}` and `{finals[1]}`, not both")
        for step, needed in (
            ("otherwise", "codes"),
            ("offset", "datetime"),
            ("false_values", "true_values"),
            ("separator", "joined"),
        ):
            if step in keys and needed not in keys:
                raise keys[step].wrong(f"stands only beside `{needed}`")
        value = self._base(chosen[0], keys)
        if "trim" in keys:
            if keys["trim"].scalar() is not True:
                raise keys["trim"].wrong("is `true` or is left out")
            value = Trimmed(value)
        if "json" in keys:
            value = JsonAt(value, _json_path(keys["json"]))
        return self._final(finals[0], value, keys) if finals else value

    def _base(self, base: str, keys: MappingOf[str, Written]) -> Expression:
        written = keys[base]
        match base:
            case "column":
                return Column(written.text())
            case "constant" | "text":
                return Constant(written.scalar())
            case "concat":
                return Concat(self._parts(written))
            case "joined":
                separator = keys["separator"].tree if "separator" in keys else None
                text = getattr(separator, "value", " ") if separator is not None else " "
                return Joined(self._parts(written), str(text))
            case _:
                return Coalesce(self._parts(written))

    def _parts(self, written: Written) -> tuple[Expression, ...]:
        parts = tuple(self.expression(item) for item in written.items())
        if not parts:
            raise written.wrong("needs at least one part")
        return parts

    def _final(self, step: str, value: Expression, keys: MappingOf[str, Written]) -> Expression:
        written = keys[step]
        match step:
            case "codes":
                otherwise = keys["otherwise"].text() if "otherwise" in keys else None
                return Coded(value, self._codes(written), otherwise)
            case "date":
                return Day(value, DateFormat(written.choice([str(known) for known in DateFormat])))
            case "datetime":
                return Moment(
                    value, MomentFormat(written.choice([str(known) for known in MomentFormat])), _offset(keys)
                )
            case "true_values":
                return Truth(value, written.texts(), keys["false_values"].texts() if "false_values" in keys else ())
            case _:
                return Typed(value, PlainType(written.choice([str(known) for known in PlainType])))

    def _codes(self, written: Written) -> tuple[tuple[str, str], ...]:
        if not written.is_text():
            return written.words()
        return self.lists[written.choice(self.lists)]

    def consent(self, written: Written, sources: MappingOf[str, Source]) -> ConsentTable:
        keys = written.keys(("of", "table", "join", "purpose", "given"), ("consumer", "withdrawn", "expires"))
        return ConsentTable(
            of=keys["of"].choice(sources),
            table=keys["table"].text(),
            join=_join(keys["join"]),
            purpose=self.expression(keys["purpose"]),
            consumer=keys["consumer"].text() if "consumer" in keys else None,
            given=self._day(keys["given"]),
            withdrawn=self._day(keys["withdrawn"]) if "withdrawn" in keys else None,
            expires=self._day(keys["expires"]) if "expires" in keys else None,
        )

    def directory(self, written: Written, sources: MappingOf[str, Source]) -> tuple[HeldFiles | None, bool]:
        """Read what the directory is told: on whom files are held, or that everybody is to be asked about."""
        if "broadcast" not in written.entries():
            return self.held_files(written, sources), False
        [flag] = written.keys(("broadcast",), ()).values()
        if flag.scalar() is not True:
            raise flag.wrong("is `true`, or `of` and `capacity` say on whom files are held")
        return None, True

    def held_files(self, written: Written, sources: MappingOf[str, Source]) -> HeldFiles:
        keys = written.keys(("of", "capacity"), ("since", "until"))
        source = sources[keys["of"].choice(sources)]
        if source.table is None or source.subject is None:
            raise keys["of"].wrong(f"names `{source.name}`, which needs a `table` and a `subject`")
        try:
            capacity_code(keys["capacity"].text())
        except BadInputError as error:
            raise keys["capacity"].wrong("needs lower-case letters, digits and `-`, such as `resident`") from error
        since, until = (self._day(keys[word]) if word in keys else None for word in ("since", "until"))
        return HeldFiles(source.name, keys["capacity"].text(), since, until)

    def _day(self, written: Written) -> Day:
        found = self.expression(written)
        if isinstance(found, Column):
            return Day(found, DateFormat.ISO)
        if not isinstance(found, Day):
            raise written.wrong("needs a column with a `date:` format")
        return found


def _database(written: Written) -> DatabaseSettings:
    keys = written.keys(("url",), ("schema", "statement_timeout"))
    url = keys["url"].text()
    if urlsplit(url).scheme not in {"sqlite", "postgresql"}:
        raise keys["url"].wrong("needs an address that begins with `sqlite:///` or `postgresql://`")
    return DatabaseSettings(
        url=url,
        schema=keys["schema"].text() if "schema" in keys else None,
        statement_timeout=keys["statement_timeout"].number() if "statement_timeout" in keys else _TIMEOUT,
    )


def _custom(written: Written) -> CustomModule:
    found = _MODULE.fullmatch(written.text())
    if found is None:
        raise written.wrong("needs a module and an attribute of it, such as `vehicles:FIELDS`")
    return CustomModule(found[1], found[2], written.line)


def _graphql_name(written: Written, text: str) -> str:
    if not GRAPHQL_NAME.fullmatch(text):
        raise written.wrong(f"needs a GraphQL name, got `{text}`")
    return text


def _key(written: Written) -> Key:
    if written.is_text():
        return Key("id", (written.text(),), (PlainType.STR,), "-")
    keys = written.keys((), ("field", "column", "type", "columns", "separator"))
    name: str | None = "id"
    if "field" in keys:
        name = None if keys["field"].is_null() else keys["field"].text()
    if ("column" in keys) == ("columns" in keys):
        raise written.wrong("needs either `column` or `columns`")
    separator = keys["separator"].text() if "separator" in keys else "-"
    if "column" in keys:
        return Key(name, (keys["column"].text(),), (_key_type(keys.get("type")),), separator)
    columns = keys["columns"].entries()
    if not columns:
        raise keys["columns"].wrong("needs at least one column")
    return Key(name, tuple(columns), tuple(_key_type(entry) for entry in columns.values()), separator)


def _key_type(written: Written | None) -> PlainType:
    if written is None:
        return PlainType.STR
    return PlainType.INT if written.choice(("text", "int")) == "int" else PlainType.STR


def _owner(written: Written) -> Owner:
    keys = written.keys(("to", "join"))
    return Owner(keys["to"].text(), _join(keys["join"]))


def _join(written: Written) -> Join:
    pairs = written.words()
    if not pairs:
        raise written.wrong("needs at least one pair `{column here: column there}`")
    return pairs


def _row_test(written: Written) -> RowTest:
    keys = written.keys(("column",), ("is", "is_not", "in", "not_in"))
    chosen = [word for word in ("is", "is_not", "in", "not_in") if word in keys]
    if len(chosen) != 1:
        raise written.wrong("needs exactly one of `is`, `is_not`, `in`, `not_in`")
    value = keys[chosen[0]]
    values = value.items() if chosen[0] in {"in", "not_in"} else (value,)
    read = tuple(None if item.is_null() else item.scalar() for item in values)
    if not read:
        raise value.wrong("needs at least one value")
    return RowTest(keys["column"].text(), read, chosen[0] in {"is_not", "not_in"})


def _validity(written: Written) -> Validity:
    keys = written.keys(("from", "until"), ("date",))
    known = [str(known) for known in DateFormat]
    written_as = DateFormat(keys["date"].choice(known)) if "date" in keys else DateFormat.ISO
    return Validity(Day(Column(keys["from"].text()), written_as), Day(Column(keys["until"].text()), written_as))


def _relation(written: Written) -> Relation:
    keys = written.keys(("to",), ("join", "through", "order"))
    if "join" in keys and "through" in keys:
        raise written.wrong("needs `join` or `through`, not both")
    through = None
    join: Join = _join(keys["join"]) if "join" in keys else ()
    if "through" in keys:
        between = keys["through"].keys(("table", "join", "then"))
        join = _join(between["join"])
        through = Through(between["table"].text(), _join(between["then"]))
    order = tuple(OrderKey.parse(text) for text in keys["order"].texts()) if "order" in keys else ()
    return Relation(keys["to"].text(), join, through, order, written.line)


def _root(name: str, written: Written, sources: MappingOf[str, Source]) -> Root:
    keys = written.keys(("of",), ("filter", "order", "groups", "measures"))
    source = sources[keys["of"].choice(sources)]
    if source.key is None or source.table is None:
        raise keys["of"].wrong(f"names `{source.name}`, which needs a `table` and a `key` to be listed")
    words = {part: keys[part].texts() if part in keys else () for part in ("filter", "order", "groups", "measures")}
    for part, named in words.items():
        for word in named:
            _check_opened(word, source, sources, keys[part], over_relations=part == "filter")
    return Root(
        name=_graphql_name(written, name),
        source=source.name,
        filterable=words["filter"],
        orderable=words["order"],
        groupable=words["groups"],
        measurable=words["measures"],
        line=written.line,
    )


def _check_opened(
    word: str, source: Source, sources: MappingOf[str, Source], written: Written, *, over_relations: bool
) -> None:
    """Insist that a field which a list opens is mapped; a filter's may be one of a row that relations lead to."""
    *relations, name = word.split(".") if over_relations else (word,)
    at = source
    for relation in relations:
        if relation not in at.relations:
            raise written.wrong(f"names `{word}`, but `{at.name}` has no relation {nearest(relation, at.relations)}")
        at = sources[at.relations[relation].to]
    if name not in at.fields and (at.key is None or at.key.field != name):
        way = "only what it maps under `fields` can be filtered, ordered and counted by"
        raise written.wrong(f"names `{word}`, which `{at.name}` does not map{nearest(name, at.fields)}; {way}")


def _json_path(written: Written) -> tuple[str | int, ...]:
    text = written.text()
    if not _JSON_PATH.fullmatch(text):
        raise written.wrong("needs a path such as `$.contacts[0].email`")
    return tuple(name or int(index) for name, index in _JSON_STEP.findall(text))


def _offset(keys: MappingOf[str, Written]) -> str:
    text = keys["offset"].text() if "offset" in keys else "Z"
    if not _OFFSET.fullmatch(text):
        raise keys["offset"].wrong('needs `Z` or an offset such as "+01:00"')
    return text


def _check_source(source: Source, written: Written) -> None:
    if source.table is None:
        for word, value in (
            ("key", source.key),
            ("owner", source.owner),
            ("subject", source.subject),
            ("valid", source.valid),
        ):
            if value is not None:
                raise written.wrong(f"has `{word}` and no `table`; name the table, or remove `{word}`")
        if source.only:
            raise written.wrong("has `only` and no `table`; name the table, or use `present`")
    if source.key and source.key.field in source.fields:
        raise written.wrong(f"maps `{source.key.field}` as its key and as a field; keep the key")
    if source.owner and source.subject:
        raise written.wrong("has `owner` and `subject`; keep the one that leads to the person")


def _check_references(sources: MappingOf[str, Source], written: Written) -> None:
    entries = written.entries()
    for source in sources.values():
        place = entries[source.name]
        if source.owner:
            _check_owner(source, sources, place)
        for word, relation in source.relations.items():
            target = sources.get(relation.to)
            if target is None:
                problem = f"leads to `{relation.to}`, which is not under `types`{nearest(relation.to, sources)}"
                raise MappingError(f"{place.tree.place.file}:{relation.line}: `{place.name}.{word}` {problem}")
            if (target.table is None) != (not relation.join):
                problem = "leads to a source with a table and needs a `join`" if target.table else "needs no `join`"
                raise MappingError(f"{place.tree.place.file}:{relation.line}: `{place.name}.{word}` {problem}")
    for name in sources:
        _refuse_embedding_cycle(name, sources, entries)


def _check_owner(source: Source, sources: MappingOf[str, Source], place: Written) -> None:
    assert source.owner is not None
    owner = sources.get(source.owner.source)
    if owner is None:
        known = [name for name, candidate in sources.items() if candidate.subject]
        raise place.wrong(
            f"has the owner `{source.owner.source}`, which is not under `types`{nearest(source.owner.source, known)}"
        )
    if owner.subject is None or owner.table is None:
        raise place.wrong(f"has the owner `{owner.name}`, which needs a `table` and a `subject`")
    for word, attribute in source.attributes.items():
        if isinstance(attribute, OwnerAttribute) and attribute.name not in owner.attributes:
            raise place.wrong(
                f"has the attribute `{word}`, and `{owner.name}` has no attribute `{attribute.name}`"
                f"{nearest(attribute.name, owner.attributes)}"
            )


def _refuse_embedding_cycle(name: str, sources: MappingOf[str, Source], entries: MappingOf[str, Written]) -> None:
    """A source without a table that contains itself would never end."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for target in _embedded(sources[waiting.pop()], sources):
            if target == name and sources[name].table is None:
                raise entries[name].wrong("contains itself; give it a table and a `join`")
            if target not in seen:
                seen.add(target)
                waiting.append(target)


def _embedded(source: Source, sources: MappingOf[str, Source]) -> Iterator[str]:
    return (relation.to for relation in source.relations.values() if sources[relation.to].table is None)
