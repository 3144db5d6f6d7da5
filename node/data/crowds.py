"""`generalise_k`: a row is shown only among so many persons who look alike (policy section 4).

    WITH crowds AS (SELECT looks FROM (SELECT <looks>, person FROM … WHERE <candidate>)
                    GROUP BY looks HAVING count(DISTINCT person) >= k)
    … <how the row looks> IN (SELECT looks FROM crowds)

* Looks are the quasi-identifiers as this requester sees them, masked and null alike, so nothing finer than a crowd is
  delivered; those that it never sees make nobody differ.
* Counted are the rows that the rules show this requester, and no others: rows it may not see change nothing.
* The crowds depend on no row outside, so a database finds them once per statement; and whatever asks for rows (pages,
  totals, groups, filters through relations, entities, look-ups) asks for them with this condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from sqlalchemy import CTE, distinct, false, func, literal_column, select, tuple_

from node.data.comparing import Comparable
from node.data.dialects import Sql
from node.data.mapping import Source
from node.data.masks import Kind
from node.data.rows import Reading, Row

_ONE: Final[Sql] = literal_column("1")
_ZERO: Final[Sql] = literal_column("0")
_EMPTY: Final[Sql] = literal_column("''")


@dataclass(frozen=True, slots=True)
class Crowds:
    """The looks that enough persons share, of one source's candidates."""

    looks: CTE

    @classmethod
    def among(cls, row: Row, looks: Sequence[Sql], candidate: Sql, persons: int) -> Self:
        """Find them.

        Args:
            row: any row of the source.
            looks: how it looks, none of it null; with nothing everybody looks alike.
            candidate: whether the rules show it.
            persons: how many at least.
        """
        subject = row.subject()
        person = row.key() if subject is None else subject
        shown = [each.label(f"l{index}") for index, each in enumerate([_ONE, *looks])]
        seen = select(*shown, person.label("person")).select_from(row.tables)
        candidates = seen.where(*row.counts(), candidate).subquery("seen")
        columns = [each for each in candidates.c if each is not candidates.c.person]
        enough = func.count(distinct(candidates.c.person)) >= persons
        return cls(select(*columns).group_by(*columns).having(enough).cte(f"crowds_of_{row.at.description}"))

    def hold(self, looks: Sequence[Sql]) -> Sql:
        """Return whether a row of the source looks like enough others."""
        return tuple_(_ONE, *looks).in_(select(self.looks))


NOBODY: Final[Sql] = false()
"""What is shown where crowds cannot be counted."""


def can_be_counted(source: Source, reading: Reading) -> bool:
    """Say whether the rows of a source can be asked for one by one.

    Of others a requester reaches only those within rows that it sees, and these are fewer than can be counted.
    """
    return source.key is not None and reading.mapping.entity_source(source.type_name) is source


def look(value: Comparable, which: Sql | None) -> list[Sql]:
    """Return a value so that two are equal where they look equal, null as well; `which` is the form of a keyed mask.

    A keyed mask is applied after the statement, and gives equal values for equal values of one person or of all.
    """
    nothing: Mapping[Kind, Sql] = {Kind.TRUTH: false(), Kind.WHOLE: _ZERO, Kind.NUMBER: _ZERO}
    found = value.ordered
    forms = [] if which is None else [func.coalesce(which, literal_column("-1"))]
    return [found.is_(None), func.coalesce(found, nothing.get(value.kind, _EMPTY)), *forms]
