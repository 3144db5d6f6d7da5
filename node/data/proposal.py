"""A first mapping for an existing database, with a confidence for each line, for a person to edit.

Names, types, foreign keys, comments and the shapes of some values are looked at. Nothing is certain: every line says
how sure it is and why, and what was not recognised is listed. Values stay in the database; only short codes are written
out, so that somebody can say what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from sqlalchemy import column, literal_column, select, table

from federation.contract.errors import NotFoundError
from federation.contract.identifiers import PERSON
from node.data.catalogue import Catalogue, ColumnFacts, Family, ForeignKey, TableFacts, read_catalogue
from node.data.database import Database
from node.data.register_words import (
    CODE_LISTS,
    CODE_WORDS,
    FIELDS,
    PROTECTED,
    PSEUDONYM,
    SELF_EXPLAINING,
    TYPES,
    has_phrase,
)
from node.data.statements import Statement

_SAMPLE: Final = 500
_MOST_CODES: Final = 12
_LONGEST_CODE: Final = 8
_LONGEST_LIST: Final = 30
_MOST: Final = 0.9  # of the values
_STEM: Final = 4
_OF_A_PERSON: Final = frozenset({"givenName", "familyName", "dateOfBirth"})
"""Columns by which a table holds people, whatever it is called."""
_EMBEDDED: Final = ("Residence", "Address")
_BY_NAME, _BY_VALUES, _AGAINST = 0.6, 0.35, 0.4

SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "tax code": re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-EHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]"),
    "pseudonym": re.compile(r"v1\.[a-z0-9-]+\.[a-z0-9_]+\.[A-Za-z0-9_-]+"),
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "yyyymmdd": re.compile(r"(18|19|20)[0-9]{2}(0[0-9]|1[0-2])([0-2][0-9]|3[01])"),
    "yyyymm": re.compile(r"(18|19|20)[0-9]{2}(0[0-9]|1[0-2])"),
    "iso": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "dd/mm/yyyy": re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}"),
    "iso moment": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}.*"),
    "yyyymmddhhmmss": re.compile(r"(19|20)[0-9]{12}"),
}
_UNSAID: Final = re.compile(r'codes: .*"(.+?)": "\1"')
"""A code list in which a code still stands for itself."""
_DATES: Final = ("yyyymmdd", "yyyymm", "iso", "dd/mm/yyyy")
_YES: Final = frozenset({"s", "si", "sì", "y", "yes", "1", "true", "t"})


@dataclass(frozen=True, slots=True)
class Sampled:
    """What some values of a column look like: the shape most of them have, and the codes if they are few and short."""

    shape: str | None
    codes: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[Any]) -> Sampled:
        """Look at values."""
        texts = [str(value).strip() for value in values if value is not None and str(value).strip()]
        shape = next((n for n, p in SHAPES.items() if texts and _share(texts, p) >= _MOST), None)
        distinct = sorted(set(texts))
        short = all(len(text) <= _LONGEST_CODE for text in distinct)
        few = short and len(distinct) <= _MOST_CODES and len(texts) > len(distinct)
        return cls(shape, tuple(distinct) if few and shape is None else ())


def _share(texts: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(text) is not None for text in texts) / len(texts)


@dataclass(frozen=True, slots=True)
class _Guess:
    """A column for a field, and how sure that is."""

    column: ColumnFacts
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with the type whose rows it seems to hold."""

    facts: TableFacts
    type_name: str
    confidence: float


async def propose(
    database: Database, vocabulary: GraphQLSchema, member: str, url: str, schema: str | None = None
) -> str:
    """Return the text of a `node.yaml` for a database.

    Raises:
        DatabaseUnavailableError: the database does not answer.
        NotFoundError: no table looks like anything that the vocabulary has.
    """
    catalogue = await read_catalogue(database, schema)
    samples: dict[tuple[str, str], Sampled] = {}
    lists: dict[str, Mapping[str, str]] = {}
    for facts in catalogue.tables.values():
        rows = await _first_rows(database, facts, schema)
        samples |= {
            (facts.name, name): Sampled.of([row[at] for row in rows])
            for at, name in enumerate(each.name for each in facts.columns.values())
        }
        lists |= {facts.name: words} if (words := _code_list(facts, rows)) else {}
    return "\n".join(_Proposal(catalogue, samples, lists, vocabulary).lines(member, url, schema)) + "\n"


async def _first_rows(database: Database, facts: TableFacts, schema: str | None) -> Sequence[Sequence[Any]]:
    names = [each.name for each in facts.columns.values()]
    rows: Any = select(*(column(name) for name in names)).select_from(table(facts.name, schema=schema))
    return await database.rows(Statement.of(rows.limit(literal_column(str(_SAMPLE))), database.dialect), {})


def _code_list(facts: TableFacts, rows: Sequence[Sequence[Any]]) -> Mapping[str, str]:
    """Return what codes are called, if a table is nothing but a short list of them: its key, and one text."""
    names = [each.name for each in facts.columns.values()]
    texts = [each.name for each in facts.columns.values() if each.family is Family.TEXT]
    called = [name for name in texts if name not in facts.primary_key]
    if len(names) > 3 or len(facts.primary_key) != 1 or len(called) != 1 or not 0 < len(rows) <= _LONGEST_LIST:  # noqa: PLR2004  # key, text, order
        return {}
    code, word = names.index(facts.primary_key[0]), names.index(called[0])
    found = {str(row[code]).strip(): str(row[word]).strip() for row in rows if row[code] is not None}
    return found if all(len(each) <= _LONGEST_CODE for each in found) else {}


@dataclass(frozen=True, slots=True)
class _Proposal:
    """Writes the file, part by part."""

    catalogue: Catalogue
    samples: Mapping[tuple[str, str], Sampled]
    lists: Mapping[str, Mapping[str, str]]
    vocabulary: GraphQLSchema

    def lines(self, member: str, url: str, schema: str | None) -> Iterator[str]:
        """Yield the file's lines."""
        tables = self._tables()
        if not tables:
            known = ", ".join(sorted(facts.name for facts in self.catalogue.tables.values())) or "none that can be read"
            raise NotFoundError(
                f"no table was recognised ({known}); name a schema, or write the mapping by hand (docs/mapping.md)"
            )
        yield "# Proposed from the database itself: check every line, the less sure ones first."
        yield "# The number is the confidence, from 0 to 1. Then run `crocevia node doctor` on it."
        yield f"member: {member}   # the code under which the federation knows you"
        yield "database:"
        yield f'  url: "{url}"'
        if schema:
            yield f"  schema: {schema}"
        yield "types:"
        for found in tables:
            yield from self._source(found, tables)
        yield from self._roots(tables)
        referred = {key.table for one in tables for key in one.facts.foreign_keys}
        mapped = {one.facts.name for one in tables} | (self.lists.keys() & referred)
        left = [facts.name for facts in self.catalogue.tables.values() if facts.name not in mapped]
        if left:
            yield f"# Tables not recognised: {', '.join(sorted(left))}"

    def _tables(self) -> list[_Table]:
        """Return the most likely table of each type: by its name, else by its columns; nothing twice."""
        scored = sorted(
            (
                _Table(facts, type_name, self._likeness(facts, type_name))
                for facts in self.catalogue.tables.values()
                for type_name in TYPES
                if type_name in self.vocabulary.type_map
            ),
            key=lambda one: (-one.confidence, one.facts.name),
        )
        chosen: dict[str, _Table] = {}
        for one in scored:
            taken = {other.facts.name for other in chosen.values()}
            if one.confidence >= 0.5 and one.type_name not in chosen and one.facts.name not in taken:  # noqa: PLR2004  # even
                chosen[one.type_name] = one
        return sorted(chosen.values(), key=lambda one: (one.type_name != PERSON, one.type_name))

    def _likeness(self, facts: TableFacts, type_name: str) -> float:
        named = any(has_phrase(facts.name, phrase) for phrase in TYPES[type_name])
        guesses = self._guesses(facts, FIELDS.get(type_name, {}))
        if not guesses:
            return 0.0  # of a table of companies that is called `Customers`, nothing could be told
        score = (_BY_NAME if named else 0.0) + min(len(guesses), 5) * 0.07
        if type_name == PERSON and not named and guesses.keys() >= _OF_A_PERSON:
            score += 0.3
        shapes = {self._sample(facts, each).shape for each in facts.columns.values()}
        if type_name == PERSON and "tax code" in shapes:
            score += 0.2
        return min(score, 0.99)

    def _sample(self, facts: TableFacts, found: ColumnFacts) -> Sampled:
        return self.samples[facts.name, found.name]

    # --- one source ---------------------------------------------------------------------------------------------------

    def _source(self, found: _Table, tables: Sequence[_Table]) -> Iterator[str]:
        facts, type_name = found.facts, found.type_name
        guesses = self._guesses(facts, FIELDS.get(type_name, {}))
        taken = {guess.column.name for guess in guesses.values()}
        parts = self._parts(type_name, tables)
        embedded = {name: self._guesses(facts, FIELDS[name], taken) for name in parts}
        embedded = {name: some for name, some in embedded.items() if some}
        if "Address" in embedded and type_name == PERSON:
            embedded = {"Residence": {}, **embedded}  # the way from a person to an address
        yield f"  {type_name}:{_sure(found.confidence, 'name and columns')}"
        yield f"    table: {facts.name}"
        yield from self._key(found)
        yield from self._owner(found, tables)
        yield from self._valid(type_name, guesses)
        yield from self._attributes(facts, type_name)
        if guesses:
            yield "    fields:"
        for field, guess in guesses.items():
            yield self._field(facts, type_name, field, guess)
        relations = list(self._relations(found, tables, embedded))
        if relations:
            yield "    relations:"
            yield from relations
        used = {guess.column.name for some in (guesses, *embedded.values()) for guess in some.values()}
        left = sorted(each.name for each in facts.columns.values() if each.name not in used)
        if left:
            yield f"    # columns not used as fields: {', '.join(left)}"
        for name, some in embedded.items():
            yield from self._embedded(facts, name, some, embedded)

    @staticmethod
    def _valid(type_name: str, guesses: Mapping[str, _Guess]) -> Iterator[str]:
        """Where somebody lives is one row of those of all times, where the table keeps the others."""
        begin, end = guesses.get("since"), guesses.get("until")
        if type_name == "Residence" and begin and end:
            written = f"# valid: {{from: {begin.column.name}, until: {end.column.name}, date: iso}}"
            yield f"    {written}   # if rows of the past are kept"

    @staticmethod
    def _parts(type_name: str, tables: Sequence[_Table]) -> tuple[str, ...]:
        """Return the types that may be part of a row: where somebody lives stands with the person, or in its table."""
        apart = any(one.type_name == "Residence" for one in tables)
        if type_name == "Residence":
            return ("Address",)
        return _EMBEDDED if type_name == PERSON and not apart else ()

    def _embedded(
        self, facts: TableFacts, name: str, guesses: Mapping[str, _Guess], embedded: Mapping[str, object]
    ) -> Iterator[str]:
        yield f"  {name}:   # part of the same row"
        if guesses:
            yield "    fields:"
        for field, guess in guesses.items():
            yield self._field(facts, name, field, guess)
        if name == "Residence" and "Address" in embedded:
            yield "    relations: {address: {to: Address}}"

    def _key(self, found: _Table) -> Iterator[str]:
        facts = found.facts
        person = self._pseudonym(facts)
        kind = self.vocabulary.type_map[found.type_name]
        has_id = isinstance(kind, GraphQLObjectType) and "id" in kind.fields
        if person:
            yield f"    key: {person}{_sure(0.95, 'holds pseudonyms')}"
            yield f"    subject: {person}"
        else:
            if found.type_name == PERSON:
                yield "    # No column holds pseudonyms: see docs/node.md; with one, it is `key` and `subject`."
            columns = {name: self._key_type(facts, name) for name in facts.primary_key}
            field = "id" if has_id else "null"
            if len(columns) == 1:
                [(name, kind_of)] = columns.items()
                yield f"    key: {{field: {field}, column: {name}, type: {kind_of}}}{_sure(0.9, 'unique index')}"
            elif columns:
                written = ", ".join(f"{name}: {kind_of}" for name, kind_of in columns.items())
                yield f"    key: {{field: {field}, columns: {{{written}}}}}{_sure(0.9, 'unique index')}"
            else:
                yield "    # no unique index was found: say which columns are unique, as `key`"
        tax_code = next((each.name for each in facts.columns.values() if self._is_tax_code(facts, each)), None)
        if tax_code and found.type_name == PERSON:
            yield f"    lookups: {{taxCode: {tax_code}}}{_sure(0.9, 'name or values')}"

    def _owner(self, found: _Table, tables: Sequence[_Table]) -> Iterator[str]:
        """A row with a foreign key to people is about that person, once their pseudonym is known."""
        person = next((one.facts for one in tables if one.type_name == PERSON), None)
        key = None if person is None or person is found.facts else _key_to(found.facts, person)
        if person is None or key is None:
            return
        written = f"owner: {{to: {PERSON}, join: {_pairs(zip(key.columns, key.there, strict=True))}}}"
        if self._pseudonym(person):
            yield f"    {written}{_sure(0.9, 'foreign key')}"
        else:
            yield f"    # {written}{_sure(0.9, f'foreign key; once `{PERSON}` has a `subject`')}"

    def _key_type(self, facts: TableFacts, name: str) -> str:
        found = self.catalogue.column(facts, name)
        return "int" if found is not None and found.family is Family.INTEGER else "text"

    def _pseudonym(self, facts: TableFacts) -> str | None:
        for found in facts.columns.values():
            named = any(has_phrase(found.name, phrase) for phrase in PSEUDONYM)
            if self._sample(facts, found).shape == "pseudonym" or (named and found.family is Family.TEXT):
                return found.name
        return None

    def _is_tax_code(self, facts: TableFacts, found: ColumnFacts) -> bool:
        named = any(has_phrase(found.name, phrase) for phrase in FIELDS[PERSON]["taxCode"])
        return named or self._sample(facts, found).shape == "tax code"

    def _attributes(self, facts: TableFacts, type_name: str) -> Iterator[str]:
        lines = [
            f"      protectedPerson: {self._truth(facts, found)}{_sure(_BY_NAME, 'name')}"
            for found in facts.columns.values()
            if type_name == PERSON
            and any(has_phrase(said, phrase) for said in (found.name, found.comment) for phrase in PROTECTED)
        ][:1]
        born = self._guesses(facts, FIELDS[PERSON]).get("dateOfBirth") if type_name == PERSON else None
        if born:
            expression = self._expression(facts, type_name, "dateOfBirth", born.column)
            if "date:" in expression:
                lines.append(f"      age: {{age_of: {expression}}}{_sure(born.confidence, born.why)}")
        if lines:
            yield "    attributes:"
            yield from lines

    # --- fields -------------------------------------------------------------------------------------------------------

    def _guesses(
        self, facts: TableFacts, fields: Mapping[str, tuple[str, ...]], taken: Collection[str] = ()
    ) -> dict[str, _Guess]:
        """Return the best column of each field; a column serves one field, and none of those that are taken."""
        scored = [
            (guess.confidence, field, guess)
            for field, phrases in fields.items()
            for found in facts.columns.values()
            if found.name not in taken and (guess := self._guess(facts, field, phrases, found)) is not None
        ]
        chosen: dict[str, _Guess] = {}
        for _, field, guess in sorted(scored, key=lambda one: (-one[0], one[1], one[2].column.name)):
            if field not in chosen and guess.column.name not in {other.column.name for other in chosen.values()}:
                chosen[field] = guess
        return {field: chosen[field] for field in fields if field in chosen}

    def _guess(self, facts: TableFacts, field: str, phrases: tuple[str, ...], found: ColumnFacts) -> _Guess | None:
        if field not in SELF_EXPLAINING and self._refers_to_rows(facts, found):
            return None
        names = (found.name, _without_table(found.name, facts.name))
        named = any(has_phrase(name, phrase) for name in names for phrase in phrases)
        commented = any(has_phrase(found.comment, phrase) for phrase in phrases)
        shape = self._sample(facts, found).shape
        fitting = _FITTING.get(field)
        fits = fitting is not None and (shape in fitting or found.family in _FAMILIES_OF.get(field, ()))
        if not named and not commented and not (fits and field in _BY_SHAPE_ALONE):
            return None
        confidence = _BY_NAME if named or commented else 0.3
        why = "name" if named else "comment" if commented else "values"
        if fits:
            return _Guess(found, confidence + _BY_VALUES, why if why == "values" else f"{why} and values")
        if fitting is not None and shape is not None:
            return _Guess(found, confidence - _AGAINST, f"{why}, but the values look like {shape}")
        return _Guess(found, confidence, why)

    def _refers_to_rows(self, facts: TableFacts, found: ColumnFacts) -> bool:
        """Say whether a column holds keys of another table that is no list of codes: it says nothing by itself."""
        keys = [each for each in facts.foreign_keys if found.name in each.columns]
        return any(each.table not in self.lists for each in keys)

    def _expression(self, facts: TableFacts, type_name: str, field: str, found: ColumnFacts) -> str:
        """Return how a column is read as a field's scalar."""
        kind = self.vocabulary.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)
        scalar = get_named_type(kind.fields[field].type).name
        sample = self._sample(facts, found)
        match scalar:
            case "Date" | "PartialDate":
                shape = sample.shape if sample.shape in _DATES else "iso" if found.family is not Family.TEXT else None
                return f"{{column: {found.name}, date: {shape}}}" if shape else f"{{column: {found.name}, date: iso}}"
            case "DateTime":
                shape = "yyyymmddhhmmss" if sample.shape == "yyyymmddhhmmss" else "iso"
                return f"{{column: {found.name}, datetime: {shape}}}"
            case "Boolean":
                return self._truth(facts, found)
            case "String" if (listed := self._listed(facts, found)) or _are_codes(field, sample):
                words = _words_in(field, listed) if listed else _words_of(field, sample.codes)
                written = ", ".join(f'"{_quoted(code)}": {word}' for code, word in words.items())
                return f"{{column: {found.name}, codes: {{{written}}}}}"
            case _:
                return found.name

    def _listed(self, facts: TableFacts, found: ColumnFacts) -> Mapping[str, str]:
        """Return what a column's codes are called, if it refers to a table that is nothing but a list of them."""
        key = next((each for each in facts.foreign_keys if tuple(each.columns) == (found.name,)), None)
        return {} if key is None else self.lists.get(key.table, {})

    def _field(self, facts: TableFacts, type_name: str, field: str, guess: _Guess) -> str:
        written = self._expression(facts, type_name, field, guess.column)
        why = f"{guess.why}; say what the codes mean" if _UNSAID.search(written) else guess.why
        return f"      {field}: {written}{_sure(guess.confidence, why)}"

    def _truth(self, facts: TableFacts, found: ColumnFacts) -> str:
        codes = self._sample(facts, found).codes
        if found.family is Family.BOOLEAN or not codes:
            return f'{{column: {found.name}, true_values: ["true", "1"]}}'
        true = [code for code in codes if code.lower() in _YES]
        false = [code for code in codes if code not in true]
        if not true or not false:
            return f'{{column: {found.name}, true_values: ["S", "1", "true"]}}'
        return f"{{column: {found.name}, true_values: {_list(true)}, false_values: {_list(false)}}}"

    # --- lists --------------------------------------------------------------------------------------------------------

    def _roots(self, tables: Sequence[_Table]) -> Iterator[str]:
        """Propose lists, closed: to open one is a decision, and a policy and an agreement must open it as well."""
        query = self.vocabulary.query_type
        assert query is not None
        lines = [
            f"#   {name}: {{of: {one.type_name}{self._openings(one)}}}"
            for name, definition in query.fields.items()
            for one in tables
            if get_named_type(definition.type).name == f"{one.type_name}Connection"
        ]
        if lines:
            yield "# Lists that could be published; take the `#` away from those that should:"
            yield "# roots:"
            yield from lines

    def _openings(self, found: _Table) -> str:
        """Return the filters and orders of a list: fields that are columns with an index, and that the schema knows."""
        guesses = self._guesses(found.facts, FIELDS.get(found.type_name, {}))
        kinds = {kind: self.vocabulary.type_map.get(f"{found.type_name}{kind}") for kind in ("Where", "OrderBy")}
        indexed = [field for field, guess in guesses.items() if found.facts.is_indexed([guess.column.name])]
        written = ""
        for word, kind in (("filter", kinds["Where"]), ("order", kinds["OrderBy"])):
            fields = [field for field in indexed if isinstance(kind, GraphQLInputObjectType) and field in kind.fields]
            written += f", {word}: [{', '.join(fields)}]" if fields else ""
        return written

    # --- relations ----------------------------------------------------------------------------------------------------

    def _relations(self, found: _Table, tables: Sequence[_Table], embedded: Mapping[str, object]) -> Iterator[str]:
        """Follow foreign keys to tables of types to which the vocabulary has a field."""
        if "Residence" in embedded:
            yield "      residence: {to: Residence}"
        if found.type_name == "Residence" and "Address" in embedded:
            yield "      address: {to: Address}"
        kind = self.vocabulary.type_map[found.type_name]
        assert isinstance(kind, GraphQLObjectType)
        for field, definition in kind.fields.items():
            target = get_named_type(definition.type).name
            other = next((one for one in tables if one.type_name == target), None)
            if other is None or other is found:
                continue
            join = self._join(found.facts, other.facts, many=is_list_type(get_nullable_type(definition.type)))
            if join:
                yield f"      {field}: {{to: {target}, {join}}}{_sure(0.9, 'foreign key')}"

    def _join(self, here: TableFacts, there: TableFacts, *, many: bool) -> str | None:
        forward = _key_to(here, there)
        backward = _key_to(there, here)
        if forward and not many:
            return f"join: {_pairs(zip(forward.columns, forward.there, strict=True))}"
        if backward:
            return f"join: {_pairs(zip(backward.there, backward.columns, strict=True))}"
        for between in self.catalogue.tables.values():
            one, other = _key_to(between, here), _key_to(between, there)
            if one and other and between not in (here, there):
                first = _pairs(zip(one.there, one.columns, strict=True))
                then = _pairs(zip(other.columns, other.there, strict=True))
                return f"through: {{table: {between.name}, join: {first}, then: {then}}}"
        return None


def _words_of(field: str, codes: Sequence[str]) -> dict[str, str]:
    """Return what codes mean: the words that every register uses for them, else the codes themselves, to be edited."""
    for known in CODE_WORDS.get(field, ()):
        if set(codes) <= set(known):
            return {code: known[code] for code in codes}
    return {code: f'"{_quoted(code)}"' for code in codes}


def _words_in(field: str, listed: Mapping[str, str]) -> dict[str, str]:
    """Return what codes mean by the register's own list: the vocabulary's word where it is known, else the list's."""
    known = CODE_LISTS.get(field, ())

    def word(called: str) -> str:
        return next((each for pattern, each in known if re.search(pattern, called.lower())), f'"{_quoted(called)}"')

    return {code: word(called) for code, called in listed.items()}


def _are_codes(field: str, sample: Sampled) -> bool:
    return field not in SELF_EXPLAINING and len(sample.codes) > 1 and max(map(len, sample.codes)) <= 3  # noqa: PLR2004  # codes


def _without_table(name: str, table_name: str) -> str:
    """Return a column's name without what only repeats its table's: `case_status` of `support_cases`."""
    first, _, rest = name.lower().partition("_")
    repeats = any(first[:_STEM] == word[:_STEM] for word in table_name.lower().split("_"))
    return rest if rest and len(first) >= _STEM and repeats else name


def _key_to(here: TableFacts, there: TableFacts) -> ForeignKey | None:
    return next((key for key in here.foreign_keys if key.table.lower() == there.name.lower()), None)


def _pairs(pairs: Any) -> str:
    return "{" + ", ".join(f"{here}: {there}" for here, there in pairs) + "}"


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{_quoted(text)}"' for text in texts) + "]"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _sure(confidence: float, why: str) -> str:
    return f"   # {max(confidence, 0.05):.2f} {why}"


_FITTING: Final[Mapping[str, tuple[str, ...]]] = {
    "taxCode": ("tax code",),
    "dateOfBirth": _DATES,
    "email": ("email",),
    "openedOn": _DATES,
    "deadline": _DATES,
    "since": _DATES,
    "until": _DATES,
    "validFrom": _DATES,
    "validUntil": _DATES,
    "recognisedOn": _DATES,
    "startedOn": _DATES,
    "endedOn": _DATES,
    "at": ("iso moment", "yyyymmddhhmmss"),
}
"""The shapes of a field's values, where they have one."""

_FAMILIES_OF: Final[Mapping[str, tuple[Family, ...]]] = {
    **dict.fromkeys((field for field, shapes in _FITTING.items() if shapes is _DATES), (Family.DATE,)),
    "at": (Family.TIMESTAMP,),
}
_BY_SHAPE_ALONE: Final = frozenset({"taxCode", "email"})
"""Values that are so particular that the column's name does not matter."""
