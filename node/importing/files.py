"""Rows of a file with the line on which each stands: CSV, NDJSON, or Parquet through DuckDB; read one by one."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import Generator

from federation.contract.errors import BadInputError

_FETCHED = 10_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row: values by column, or what is wrong with the line as a whole; `line` counts from 1."""

    line: int
    values: Mapping[str, Any]
    fault: str | None = None


def rows_of(path: Path) -> Generator[FileRow]:
    """Yield the rows of a file, in order; its ending says what it is. A Parquet file's lines are its rows.

    Raises:
        BadInputError: the ending is none of `.csv`, `.ndjson`, `.jsonl`, `.parquet`, or the file does not exist.
    """
    if not path.is_file():
        raise BadInputError(f"file `{path}` does not exist")
    match path.suffix.lower():
        case ".csv":
            return _csv(path)
        case ".ndjson" | ".jsonl":
            return _ndjson(path)
        case ".parquet":
            return _parquet(path)
        case _:
            raise BadInputError(f"`{path.name}` must end in .csv, .ndjson, .jsonl or .parquet")


def _csv(path: Path) -> Generator[FileRow]:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as content:
        reader = csv.reader(content)
        try:
            header = next(reader, [])
            line = reader.line_num + 1
            for cells in reader:
                if len(cells) == len(header):
                    yield FileRow(line, dict(zip(header, cells, strict=True)))
                elif cells:
                    yield FileRow(line, {}, f"has {len(cells)} cells, the header has {len(header)}")
                line = reader.line_num + 1
        except csv.Error as error:
            raise BadInputError(f"`{path.name}` cannot be read as CSV at line {reader.line_num}: {error}") from error


def _ndjson(path: Path) -> Generator[FileRow]:
    with path.open(encoding="utf-8", errors="replace") as content:
        for line, text in enumerate(content, start=1):
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                yield FileRow(line, {}, "is not JSON")
                continue
            yield FileRow(line, found) if isinstance(found, dict) else FileRow(line, {}, "is not a JSON object")


def _parquet(path: Path) -> Generator[FileRow]:
    import duckdb  # noqa: PLC0415  # the optional extra `import`

    with duckdb.connect(config={"threads": 1}) as connection:  # each thread would hold groups of rows of its own
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description or ()]
        line = 0
        while fetched := found.fetchmany(_FETCHED):
            for cells in fetched:
                line += 1
                yield FileRow(line, dict(zip(names, cells, strict=True)))
