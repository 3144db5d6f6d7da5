"""A first mapping for an existing database, with a confidence for each line, for a person to edit.

Names, types, foreign keys, comments and the shapes of some values are looked at. Nothing is certain: every line says
how sure it is and why, and what was not recognised is listed. Values stay in the database; only short codes are written
out, so that somebody can say what they mean.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
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

from federation.contract.errors import NotFoundError
from federation.contract.identifiers import PERSON
from node.data.catalogue import (
    MOMENT_OF_ANY_ZONE,
    Catalogue,
    ColumnFacts,
    Family,
    ForeignKey,
    TableFacts,
    read_catalogue,
    schemas_of,
)
from node.data.database import Database
from node.data.register_words import (
    CODE_LISTS,
    CODE_WORDS,
    CODED,
    FIELDS,
    FREE_TEXTS,
    OF_NOBODY,
    PROTECTED,
    PSEUDONYM,
    SELF_EXPLAINING,
    TYPES,
    begins_with,
    has_phrase,
    likeness,
    words_of,
)
from node.data.samples import Sampled, Samples, read_samples

_STEM: Final = 4
_OF_A_PERSON: Final = frozenset({"givenName", "familyName", "dateOfBirth", "taxCode"})
"""Columns by which a table holds people, whatever it is called."""
_SURE_OF_A_PERSON: Final = _OF_A_PERSON - {"givenName"}
"""One of these a table of people has: a given name by itself is the `name` of anything."""
_EMBEDDED: Final = ("Residence", "Address")
_CONTACTS: Final = "ContactPoint"
_BY_NAME, _BY_COMMENT, _BY_VALUES, _AGAINST = 0.6, 0.5, 0.35, 0.4  # of a comment, only how it begins
_FOR_A_VIEW: Final = 0.1
"""Off what a view is likely to be: it has no key, and shows what a table holds."""
_MOST_LISTED: Final = 20
_DEEPEST: Final = 2
_IN_MANY: Final = 3
"""Tables that begin with one word, which says nothing of any of them then."""

_UNSAID: Final = re.compile(r'codes: .*"(.+?)": "\1"')
"""A code list in which a code still stands for itself."""
_DATES: Final = ("yyyymmdd", "yyyymm", "iso", "dd/mm/yyyy")
_YES: Final = frozenset({"s", "si", "sì", "y", "yes", "1", "true", "t"})


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
    found = _Proposal(catalogue, await read_samples(database, catalogue, schema), vocabulary)
    tables = found.tables()
    if not tables:
        raise NotFoundError(_nothing(catalogue, schema, await schemas_of(database)))
    return "\n".join(found.lines(tables, member, url, schema)) + "\n"


def _nothing(catalogue: Catalogue, schema: str | None, schemas: Sequence[str]) -> str:
    known = _listed([facts.name for facts in catalogue.wholes()]) or "none that can be read"
    others = _listed([name for name in schemas if name != schema])
    way = f"name another schema with --schema (there are {others})" if others else "name a schema"
    return f"no table was recognised ({known}); {way}, or write the mapping by hand (docs/mapping.md)"


@dataclass(frozen=True, slots=True)
class _Proposal:
    """Writes the file, part by part."""

    catalogue: Catalogue
    samples: Samples
    vocabulary: GraphQLSchema
    known: dict[tuple[str, str], dict[str, _Guess]] = dataclasses.field(default_factory=dict)
    """The guesses of a table for a type, which are asked for again and again."""

    def lines(self, tables: Sequence[_Table], member: str, url: str, schema: str | None) -> Iterator[str]:
        """Yield the file's lines."""
        yield "# Proposed from the database itself: check every line, the less sure ones first."
        yield "# The number is the confidence, from 0 to 1. Then run `crocevia node doctor` on it."
        yield f"member: {member}   # the code under which the federation knows you"
        yield "database:"
        yield f'  url: "{_quoted(url)}"'
        if schema:
            yield f"  schema: {_name(schema)}"
        yield "types:"
        for found in tables:
            yield from self._source(found, tables)
        yield from self._contacts_beside(tables)
        yield from self._roots(tables)
        referred = {key.table for one in tables for key in one.facts.foreign_keys}
        mapped = {one.facts.name for one in tables} | (self.samples.lists.keys() & referred)
        left = [facts.name for facts in self.catalogue.wholes() if facts.name not in mapped]
        if left:
            yield f"# Tables not recognised: {_said(left)}"
        if self.samples.unread:
            yield f"# Rows that could not be read, so that only names were looked at: {_said(self.samples.unread)}"

    def tables(self) -> list[_Table]:
        """Return the most likely table of each type: by its name, else by its columns; nothing twice."""
        modules = _modules(self.catalogue)
        referring = Counter(key.table for facts in self.catalogue.wholes() for key in facts.foreign_keys)
        scored = sorted(
            (
                _Table(facts, type_name, self._likeness(facts, type_name, modules))
                for facts in self.catalogue.wholes()
                for type_name in TYPES
                if type_name in self.vocabulary.type_map
            ),
            key=lambda one: (-one.confidence, -referring[one.facts.name], one.facts.name),
        )
        chosen: dict[str, _Table] = {}
        for one in scored:
            taken = {other.facts.name for other in chosen.values()}
            if one.confidence >= 0.5 and one.type_name not in chosen and one.facts.name not in taken:  # noqa: PLR2004  # even
                chosen[one.type_name] = one
        return sorted(chosen.values(), key=lambda one: (one.type_name != PERSON, one.type_name))

    def _likeness(self, facts: TableFacts, type_name: str, modules: Collection[str]) -> float:
        guesses = self._guesses(facts, type_name)
        if type_name == "Residence":
            guesses = {**self._guesses(facts, "Address"), **guesses}
        if not guesses:
            return 0.0  # of a table of companies that is called `Customers`, nothing could be told
        named = likeness(facts.name, type_name, modules)
        score = _BY_NAME * named + min(len(guesses), 5) * 0.07
        if type_name == PERSON:
            reached = self._guesses(facts, _CONTACTS).keys() & {"email", "telephone"}
            if not (guesses.keys() & _SURE_OF_A_PERSON or (named and "givenName" in guesses and reached)):
                return 0.0
            score += 0.07 * len(reached)
            score += 0.3 if not named and len(guesses) >= 3 and guesses.keys() & _OF_A_PERSON else 0.0  # noqa: PLR2004  # several
            shapes = {self._sample(facts, each).shape for each in facts.columns.values()}
            score += 0.2 if "tax code" in shapes else 0.0
        return min(score, 0.99) - (_FOR_A_VIEW if facts.is_view else 0.0)

    def _sample(self, facts: TableFacts, found: ColumnFacts) -> Sampled:
        return self.samples.of(facts, found)

    # --- one source ---------------------------------------------------------------------------------------------------

    def _source(self, found: _Table, tables: Sequence[_Table]) -> Iterator[str]:
        facts, type_name = found.facts, found.type_name
        guesses = self._guesses(facts, type_name)
        taken = {guess.column.name for guess in guesses.values()}
        parts = self._parts(type_name, tables)
        embedded = {name: self._guesses(facts, name, taken) for name in parts}
        embedded = {name: some for name, some in embedded.items() if some}
        if "Address" in embedded and type_name == PERSON:
            embedded = {"Residence": {}, **embedded}  # the way from a person to an address
        yield f"  {type_name}:{_sure(found.confidence, 'name and columns')}"
        yield f"    table: {_name(facts.name)}"
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
        contacts = [self._guesses(facts, _CONTACTS)] if type_name == PERSON and self._contacts_join(tables) else []
        used = {guess.column.name for some in (guesses, *embedded.values(), *contacts) for guess in some.values()}
        left = sorted(each.name for each in facts.columns.values() if each.name not in used)
        if left:
            yield f"    # columns not used as fields: {_said(left)}"
        for name, some in embedded.items():
            yield from self._embedded(facts, name, some, embedded)

    def _contacts_beside(self, tables: Sequence[_Table]) -> Iterator[str]:
        """How to reach people, where that stands in the table of people: the same table, joined with itself."""
        join = self._contacts_join(tables)
        if join is None:
            return
        facts = next(one.facts for one in tables if one.type_name == PERSON)
        yield f"  {_CONTACTS}:   # the same table, joined by its key"
        yield f"    table: {_name(facts.name)}"
        yield self._key_of(facts, "null")
        yield f"    # owner: {{to: {PERSON}, {join}}}{_sure(0.9, f'once `{PERSON}` has a `subject`')}"
        yield "    fields:"
        for word, guess in self._guesses(facts, _CONTACTS).items():
            yield self._field(facts, _CONTACTS, word, guess)

    def _contacts_join(self, tables: Sequence[_Table]) -> str | None:
        person = next((one.facts for one in tables if one.type_name == PERSON), None)
        if person is None or any(one.type_name == _CONTACTS for one in tables) or not person.primary_key:
            return None
        if not self._guesses(person, _CONTACTS).keys() & {"email", "telephone"}:
            return None
        return f"join: {_pairs((name, name) for name in person.primary_key)}"

    @staticmethod
    def _valid(type_name: str, guesses: Mapping[str, _Guess]) -> Iterator[str]:
        """Where somebody lives is one row of those of all times, where the table keeps the others."""
        begin, end = guesses.get("since"), guesses.get("until")
        if type_name == "Residence" and begin and end:
            written = f"# valid: {{from: {_name(begin.column.name)}, until: {_name(end.column.name)}, date: iso}}"
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
            yield f"    key: {_name(person)}{_sure(0.95, 'holds pseudonyms')}"
            yield f"    subject: {_name(person)}"
        else:
            if found.type_name == PERSON:
                yield "    # No column holds pseudonyms: see docs/node.md; with one, it is `key` and `subject`."
            yield self._key_of(facts, "id" if has_id else "null")
        tax_code = next((each.name for each in facts.columns.values() if self._is_tax_code(facts, each)), None)
        if tax_code and found.type_name == PERSON:
            yield f"    lookups: {{taxCode: {_name(tax_code)}}}{_sure(0.9, 'name or values')}"

    def _key_of(self, facts: TableFacts, field: str) -> str:
        kinds = {name: self._key_type(facts, name) for name in facts.primary_key}
        if not kinds:
            return "    # no unique index was found: say which columns are unique, as `key`"
        odd = [name for name, kind in kinds.items() if kind is None]
        why = f"unique index, but map a view that has {_said(odd)} as text" if odd else "unique index"
        written = {_name(name): kind or "text" for name, kind in kinds.items()}
        if len(written) == 1:
            [(name, kind)] = written.items()
            return f"    key: {{field: {field}, column: {name}, type: {kind}}}{_sure(0.4 if odd else 0.9, why)}"
        columns = ", ".join(f"{name}: {kind}" for name, kind in written.items())
        return f"    key: {{field: {field}, columns: {{{columns}}}}}{_sure(0.4 if odd else 0.9, why)}"

    def _owner(self, found: _Table, tables: Sequence[_Table]) -> Iterator[str]:
        """A row with a foreign key to people is about that person, once their pseudonym is known."""
        person = next((one.facts for one in tables if one.type_name == PERSON), None)
        key = None if person is None or person is found.facts else _key_to(found.facts, person)
        if person is None or key is None or found.type_name in OF_NOBODY:
            return
        written = f"owner: {{to: {PERSON}, join: {_pairs(zip(key.columns, key.there, strict=True))}}}"
        if self._pseudonym(person):
            yield f"    {written}{_sure(0.9, 'foreign key')}"
        else:
            yield f"    # {written}{_sure(0.9, f'foreign key; once `{PERSON}` has a `subject`')}"

    def _key_type(self, facts: TableFacts, name: str) -> str | None:
        """Return how a key's column is compared; None if its type is neither a text nor a whole number."""
        found = self.catalogue.column(facts, name)
        family = Family.TEXT if found is None or not found.type else found.family
        return {Family.INTEGER: "int", Family.TEXT: "text"}.get(family)

    def _pseudonym(self, facts: TableFacts) -> str | None:
        for found in facts.columns.values():
            named = has_phrase(found.name, PSEUDONYM)
            if self._sample(facts, found).shape == "pseudonym" or (named and found.family is Family.TEXT):
                return found.name
        return None

    def _is_tax_code(self, facts: TableFacts, found: ColumnFacts) -> bool:
        named = has_phrase(found.name, FIELDS[PERSON]["taxCode"]) and found.family is Family.TEXT
        return named or self._sample(facts, found).shape == "tax code"

    def _attributes(self, facts: TableFacts, type_name: str) -> Iterator[str]:
        lines = [
            f"      protectedPerson: {self._truth(facts, found)}{_sure(_BY_NAME, 'name')}"
            for found in facts.columns.values()
            if type_name == PERSON and any(has_phrase(said, PROTECTED) for said in (found.name, found.comment))
        ][:1]
        born = self._guesses(facts, PERSON).get("dateOfBirth") if type_name == PERSON else None
        if born:
            expression = self._expression(facts, type_name, "dateOfBirth", born.column)
            if "date:" in expression:
                lines.append(f"      age: {{age_of: {expression}}}{_sure(born.confidence, born.why)}")
        if lines:
            yield "    attributes:"
            yield from lines

    # --- fields -------------------------------------------------------------------------------------------------------

    def _guesses(self, facts: TableFacts, type_name: str, taken: Collection[str] = ()) -> dict[str, _Guess]:
        """Return the best column of each field; a column serves one field, and none of those that are taken."""
        known = self.known.get((facts.name, type_name))
        if known is not None and not taken:
            return known
        scored = [
            (guess.confidence, field, guess)
            for field, phrases in FIELDS.get(type_name, {}).items()
            for found in facts.columns.values()
            if found.name not in taken and (guess := self._guess(facts, type_name, field, phrases, found)) is not None
        ]
        chosen: dict[str, _Guess] = {}
        for _, field, guess in sorted(scored, key=lambda one: (-one[0], one[1], one[2].column.name)):
            if field not in chosen and guess.column.name not in {other.column.name for other in chosen.values()}:
                chosen[field] = guess
        if type_name == PERSON and "givenName" in chosen and "familyName" not in chosen:
            chosen["givenName"] = _Guess(chosen["givenName"].column, 0.3, "name, which may be the whole name")
        ordered = {field: chosen[field] for field in FIELDS.get(type_name, {}) if field in chosen}
        if not taken:
            self.known[facts.name, type_name] = ordered
        return ordered

    def _guess(
        self, facts: TableFacts, type_name: str, field: str, phrases: tuple[str, ...], found: ColumnFacts
    ) -> _Guess | None:
        if self._refers_to_rows(facts, found) and (field not in SELF_EXPLAINING or found.family is Family.INTEGER):
            return None
        scalar = self._scalar(type_name, field)
        if found.type and found.family not in _TAKES.get(scalar, _TEXTS):
            return None
        if (field in FREE_TEXTS or scalar == "Decimal") and CODED.match(words_of(found.name)):
            return None
        if field in FREE_TEXTS and found.type and found.family is not Family.TEXT:
            return None
        named = any(has_phrase(name, phrases) for name in (found.name, _without_table(found.name, facts.name)))
        commented = bool(found.comment) and begins_with(found.comment, phrases)
        shape = self._sample(facts, found).shape
        fitting = _FITTING.get(field)
        fits = fitting is not None and (shape in fitting or found.family in _FAMILIES_OF.get(field, ()))
        if not named and not commented and not (fits and field in _BY_SHAPE_ALONE):
            return None
        said = named or has_phrase(found.comment, phrases)
        confidence = _BY_NAME if said else _BY_COMMENT if commented else 0.3
        why = "name" if named else "comment" if commented else "values"
        if scalar in {"Date", "PartialDate"} and found.type == MOMENT_OF_ANY_ZONE:
            return _Guess(found, confidence - _AGAINST, f"{why}, but it is a moment: map a view that has the day")
        if fits:
            return _Guess(found, confidence + _BY_VALUES, why if why == "values" else f"{why} and values")
        if fitting is not None and shape is not None:
            return _Guess(found, confidence - _AGAINST, f"{why}, but the values look like {shape}")
        return _Guess(found, confidence, why)

    def _scalar(self, type_name: str, field: str) -> str:
        kind = self.vocabulary.type_map[type_name]
        assert isinstance(kind, GraphQLObjectType)
        name: str = get_named_type(kind.fields[field].type).name
        return name

    def _refers_to_rows(self, facts: TableFacts, found: ColumnFacts) -> bool:
        """Say whether a column holds keys of another table that is no list of codes: it says nothing by itself."""
        keys = [each for each in facts.foreign_keys if found.name in each.columns]
        return any(each.table not in self.samples.lists for each in keys)

    def _expression(self, facts: TableFacts, type_name: str, field: str, found: ColumnFacts) -> str:
        """Return how a column is read as a field's scalar."""
        sample, name = self._sample(facts, found), _name(found.name)
        match self._scalar(type_name, field):
            case "Date" | "PartialDate":
                shape = sample.shape if sample.shape in _DATES else "iso" if found.family is not Family.TEXT else None
                return f"{{column: {name}, date: {shape}}}" if shape else f"{{column: {name}, date: iso}}"
            case "DateTime":
                shape = "yyyymmddhhmmss" if sample.shape == "yyyymmddhhmmss" else "iso"
                return f"{{column: {name}, datetime: {shape}}}"
            case "Boolean":
                return self._truth(facts, found)
            case "String" if (listed := self._listed(facts, found)) or _are_codes(field, sample):
                words = _words_in(field, listed) if listed else _words_of(field, sample.codes)
                written = ", ".join(f'"{_quoted(code)}": {word}' for code, word in words.items())
                return f"{{column: {name}, codes: {{{written}}}}}"
            case _:
                return name

    def _listed(self, facts: TableFacts, found: ColumnFacts) -> Mapping[str, str]:
        """Return what a column's codes are called, if it refers to a table that is nothing but a list of them."""
        key = next((each for each in facts.foreign_keys if tuple(each.columns) == (found.name,)), None)
        return {} if key is None else self.samples.lists.get(key.table, {})

    def _field(self, facts: TableFacts, type_name: str, field: str, guess: _Guess) -> str:
        written = self._expression(facts, type_name, field, guess.column)
        why = f"{guess.why}; say what the codes mean" if _UNSAID.search(written) else guess.why
        return f"      {field}: {written}{_sure(guess.confidence, why)}"

    def _truth(self, facts: TableFacts, found: ColumnFacts) -> str:
        codes = self._sample(facts, found).codes
        if found.family is Family.BOOLEAN or not codes:
            return f'{{column: {_name(found.name)}, true_values: ["true", "1"]}}'
        true = [code for code in codes if code.lower() in _YES]
        false = [code for code in codes if code not in true]
        if not true or not false:
            return f'{{column: {_name(found.name)}, true_values: ["S", "1", "true"]}}'
        return f"{{column: {_name(found.name)}, true_values: {_list(true)}, false_values: {_list(false)}}}"

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
        guesses = self._guesses(found.facts, found.type_name)
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
        contacts = self._contacts_join(tables) if found.type_name == PERSON else None
        if contacts:
            yield f"      contactPoints: {{to: {_CONTACTS}, {contacts}}}"
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
                return f"through: {{table: {_name(between.name)}, join: {first}, then: {then}}}"
        return None


def _words_of(field: str, codes: Sequence[str]) -> dict[str, str]:
    """Return what codes mean: the words that every register uses for them, else the codes themselves, to be edited."""
    known = _known_words(field, codes)
    return dict(known) if known else {code: f'"{_quoted(code)}"' for code in codes}


def _known_words(field: str, codes: Sequence[str]) -> Mapping[str, str]:
    """Return a list of codes that is the same everywhere, whole, if these are some of it."""
    return next((known for known in CODE_WORDS.get(field, ()) if codes and set(codes) <= set(known)), {})


def _words_in(field: str, listed: Mapping[str, str]) -> dict[str, str]:
    """Return what codes mean by the register's own list: the vocabulary's word where it is known, else the list's."""
    known = CODE_LISTS.get(field, ())

    def word(called: str) -> str:
        return next((each for pattern, each in known if re.search(pattern, called.lower())), f'"{_quoted(called)}"')

    return {code: word(called) for code, called in listed.items()}


def _are_codes(field: str, sample: Sampled) -> bool:
    if field in SELF_EXPLAINING or not sample.codes or max(map(len, sample.codes)) > 3:  # noqa: PLR2004  # codes
        return False
    return len(sample.codes) > 1 or bool(_known_words(field, sample.codes))


def _without_table(name: str, table_name: str) -> str:
    """Return a column's name without what only repeats its table's: `case_status` of `support_cases`."""
    first, _, rest = name.lower().partition("_")
    repeats = any(first[:_STEM] == word[:_STEM] for word in table_name.lower().split("_"))
    return rest if rest and len(first) >= _STEM and repeats else name


def _key_to(here: TableFacts, there: TableFacts) -> ForeignKey | None:
    return next((key for key in here.foreign_keys if key.table.lower() == there.name.lower()), None)


def _pairs(pairs: Any) -> str:
    return "{" + ", ".join(f"{_name(here)}: {_name(there)}" for here, there in pairs) + "}"


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{_quoted(text)}"' for text in texts) + "]"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _name(text: str) -> str:
    """Return a name of the database as YAML reads it again: quoted, unless it is a plain word."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) and text.lower() not in _YAML_WORDS
    return text if plain else json.dumps(text)


def _said(names: Sequence[str]) -> str:
    """Return names for a comment, which is one line whatever they hold."""
    return ", ".join(sorted(_name(name) for name in names))


def _listed(names: Sequence[str]) -> str:
    """Return some names for a message."""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(_name(name) for name in names[:_MOST_LISTED]) + more


def _modules(catalogue: Catalogue) -> frozenset[str]:
    """Return the words with which so many tables begin that they are names of programs or of their parts."""
    tables = catalogue.wholes()
    words = (words_of(facts.name).split("_")[:-1] for facts in tables)
    begins = Counter(word for some in words for word in some[:_DEEPEST])
    return frozenset(word for word, count in begins.items() if count >= max(_IN_MANY, len(tables) / 10))


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
    **dict.fromkeys((field for field, shapes in _FITTING.items() if shapes is _DATES), (Family.DATE, Family.TIMESTAMP)),
    "at": (Family.TIMESTAMP,),
}
_TEXTS: Final = frozenset((Family.TEXT, Family.ENUMERATION, Family.INTEGER, Family.NUMBER))
_DAYS: Final = frozenset((Family.TEXT, Family.INTEGER, Family.DATE, Family.TIMESTAMP))
_NUMBERS: Final = frozenset((Family.TEXT, Family.INTEGER, Family.NUMBER))
_TAKES: Final[Mapping[str, frozenset[Family]]] = {
    "Boolean": _TEXTS | {Family.BOOLEAN},
    "Date": _DAYS,
    "PartialDate": _DAYS,
    "DateTime": _DAYS,
    "Email": frozenset((Family.TEXT,)),
    "Int": _NUMBERS,
    "TaxCode": frozenset((Family.TEXT,)),
    "Decimal": _NUMBERS,
}
"""The families of columns that a field may stand in, by its scalar: no picture and no array is anybody's name."""
_YAML_WORDS: Final = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_BY_SHAPE_ALONE: Final = frozenset({"taxCode", "email"})
"""Values that are so particular that the column's name does not matter."""
