"""The file of an export: CSV, NDJSON, or Parquet through DuckDB; whole or not there, and readable by its owner only.

Rows go to `FILE.part`, which takes the file's name when the last one is in it: whoever finds the file finds all rows.
Parquet is made by DuckDB from the rows as NDJSON, so that no format is ever held in memory.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

import msgspec

from federation.contract.errors import BadInputError
from node.exporting.columns import JSON_KIND, Column

Write: TypeAlias = Callable[[Sequence[Mapping[str, Any]]], None]
"""Takes the objects of one page."""

_OWNERS_ONLY: Final = 0o600
_PARQUET: Final = ".parquet"
_ROWS_TOGETHER: Final = 20_480
_ENDINGS: Final = (".csv", ".ndjson", ".jsonl", _PARQUET)
_DUCKDB_KINDS: Final = {"Int": "BIGINT", "Float": "DOUBLE", "Boolean": "BOOLEAN", JSON_KIND: "JSON"}


def require_writable(path: Path, *, force: bool) -> None:
    """Check a file's name before anything is read.

    Raises:
        BadInputError: the ending is of no known format, its folder is not there, or the file is, without `force`.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise BadInputError(f"`{path.name}` must end in {', '.join(_ENDINGS)}")
    if not path.parent.is_dir():
        raise BadInputError(f"folder `{path.parent}` does not exist")
    if path.exists() and not force:
        raise BadInputError(f"`{path}` exists; name another file, or add --force")
    if path.suffix.lower() == _PARQUET:
        import duckdb  # noqa: F401, PLC0415  # the optional extra `import`, missed before anybody is asked


@contextmanager
def export_file(path: Path, columns: Sequence[Column]) -> Iterator[Write]:
    """Give what writes rows; the file is there, and whole, once the block ends without an error."""
    part = path.with_name(f"{path.name}.part")
    made = path.with_name(f"{path.name}.made")
    try:
        with _private(part) as content:
            yield _csv(content, columns) if path.suffix.lower() == ".csv" else _ndjson(content, columns)
            content.flush()
            os.fsync(content.fileno())
        if path.suffix.lower() == _PARQUET:
            _to_parquet(part, made, columns)
            made.replace(path)
        else:
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        made.unlink(missing_ok=True)


def _private(path: Path) -> TextIO:
    """Open a new file that nobody else may read; a part that a killed run left behind does not come into it."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNERS_ONLY)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _csv(content: TextIO, columns: Sequence[Column]) -> Write:
    writer = csv.writer(content)
    writer.writerow([column.name for column in columns])

    def write(rows: Sequence[Mapping[str, Any]]) -> None:
        writer.writerows([[_cell(column.of(row)) for column in columns] for row in rows])

    return write


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _ndjson(content: TextIO, columns: Sequence[Column]) -> Write:
    def write(rows: Sequence[Mapping[str, Any]]) -> None:
        objects = ({column.name: column.of(row) for column in columns} for row in rows)
        content.writelines(f"{msgspec.json.encode(each).decode()}\n" for each in objects)

    return write


def _to_parquet(rows: Path, path: Path, columns: Sequence[Column]) -> None:
    import duckdb  # noqa: PLC0415  # the optional extra `import`

    kinds = {column.name: _DUCKDB_KINDS.get(column.kind, "VARCHAR") for column in columns}
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNERS_ONLY))
    # More threads, and groups of the usual 122 880 rows, would hold a part of the list in memory.
    with duckdb.connect(config={"threads": 1}) as connection:
        found = connection.read_json(str(rows), columns=kinds, format="newline_delimited")
        found.write_parquet(str(path), compression="zstd", row_group_size=_ROWS_TOGETHER)
