"""What an object of the answer is made of, before a back-end writes it: values as SQL, nothing about their transport.

One walk (`node.data.objects`) decides and makes this tree; two back-ends write it. `node.data.documents` lets the
database make the object's JSON, which the node passes on; `node.data.arrays` fetches the values and finishes them in
Python, wherever a mask needs a key or a scalar needs a look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from graphql import GraphQLEnumType, GraphQLScalarType
from sqlalchemy.sql.selectable import Subquery

from node.data.custom import CustomCell
from node.data.dialects import Sql
from node.data.masks import Kind
from node.policy.forms import Form


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same value for every object: a type's name, or null for a field that is denied or not mapped."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Value:
    """A value that is complete in SQL, with the masks that it may have been given.

    A text of kind `DAY` is a day, month or year of the calendar.
    """

    key: str
    sql: Sql
    scalar: GraphQLScalarType | GraphQLEnumType
    kind: Kind
    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A value whose mask the row chooses, `forms[which]`, and which needs the node's key if that form does."""

    key: str
    sql: Sql
    which: Sql
    forms: tuple[Form, ...]
    type_name: str
    field: str
    scalar: GraphQLScalarType | GraphQLEnumType


@dataclass(frozen=True, slots=True)
class Custom:
    """A value that the member's code resolves from `needs`, under the form of `cell` that the row chooses, if any."""

    cell: CustomCell
    which: Sql
    needs: tuple[tuple[str, Sql], ...]

    @property
    def key(self) -> str:
        """The response key."""
        return self.cell.key


class Writer(Protocol):
    """How a back-end writes one object as JSON."""

    def columns(self) -> Sequence[Sql]:
        """Return the object's columns, named, for a query that `of` reads."""
        ...

    def of(self, rows: Subquery) -> Sql:
        """Return the JSON of an object whose columns a subquery returned."""
        ...

    def inline(self) -> Sql:
        """Return the JSON of an object of the row at hand."""
        ...


Around: TypeAlias = Callable[[Writer], Sql]
"""From how an object is written to the JSON that stands in its place: the object, null, or a list."""


@dataclass(frozen=True, slots=True)
class Nested:
    """An object, or a list of objects, that a relation leads to."""

    key: str
    made: Made
    around: Around
    is_list: bool


Part: TypeAlias = Fixed | Value | Keyed | Custom | Nested


@dataclass(frozen=True, slots=True)
class Made:
    """An object. `subject` is the pseudonym of the person it is about, where that is not its parent's."""

    parts: tuple[Part, ...]
    subject: Sql | None
