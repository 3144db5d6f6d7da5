"""How a root's objects arrive, one compiled plan for two back-ends: as documents to pass on, or arrays to finish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Text, literal_column

from node.data.arrays import array_writer
from node.data.decisions import Path
from node.data.dialects import Dialect, Sql
from node.data.documents import document_writer
from node.data.parts import Made
from node.data.shapes import Finishing, ObjectShape


@dataclass(frozen=True, slots=True)
class Documents:
    """Two columns: the JSON of an object, and the pseudonym of the person it is about."""

    width: int = 2

    def objects(self, rows: Sequence[Sequence[Any]], at: int, run: Finishing) -> list[Any]:
        """Return the objects of rows in which they stand at a place."""
        run.touch([row[at + 1] for row in rows])
        return [msgspec.Raw(row[at]) for row in rows]


@dataclass(frozen=True, slots=True)
class Arrays:
    """One column: the values of an object, as a JSON array of `shape`."""

    shape: ObjectShape
    width: int = 1

    def objects(self, rows: Sequence[Sequence[Any]], at: int, run: Finishing) -> list[Any]:
        """Return the objects of rows in which they stand at a place."""
        # One text is read faster than a hundred.
        return self.shape.objects(msgspec.json.decode(f"[{','.join([row[at] for row in rows])}]"), run, None)


Arrival: TypeAlias = Documents | Arrays


def arriving(made: Made, dialect: Dialect, denied: Sequence[Path], path: Path) -> tuple[list[Sql], Arrival]:
    """Return the columns with which an object's rows arrive, and how they are read.

    Args:
        made: the object.
        dialect: of the database that makes it.
        denied: the paths at which something of it is denied: below a list in the object, an error for each element
            can only be placed by looking inside.
        path: the response keys of the object.
    """
    looks_inside = any(len(each) > len(path) + 1 for each in denied)
    writer = None if looks_inside else document_writer(made, dialect)
    if writer is None:
        arrays = array_writer(made, dialect)
        return [arrays.inline()], Arrays(arrays.shape)
    subject = literal_column("NULL", Text) if made.subject is None else made.subject
    return [writer.inline(), subject], Documents()
