"""An import from beginning to end, or from where an earlier one was interrupted."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from federation.contract.errors import BadInputError
from node.data.catalogue import TableFacts
from node.importing.files import FileRow, rows_of
from node.importing.fitting import Fitting, UnfitError
from node.importing.reports import read_report, write_report
from node.importing.target import Refused, Target

BATCH = 10_000
Rows = Sequence[tuple[int, tuple[Any, ...]]]
"""Rows of the table with their lines in the file."""
Tell = Callable[[Rows, str], None]
"""Tells others that rows are in the table, by an import of that name."""
OpenTelling = Callable[[tuple[str, ...]], AbstractContextManager[Tell]]


@dataclass(slots=True)
class Imported:
    """What came of it; `resumed` is the line after which this run began."""

    added: int = 0
    refused: int = 0
    resumed: int = 0


def run_import(
    path: Path,
    table: TableFacts,
    open_target: Callable[[tuple[str, ...]], Target],
    report: Path,
    progress: Callable[[int], None],
    open_telling: OpenTelling | None = None,
    *,
    typed: bool,
) -> Imported:
    """Import a file.

    Args:
        path: the file; where it was imported in part before, the rest.
        table: what the database says about the table.
        open_target: opens the table with these columns.
        report: gets a line for each row left out: its line in the file, and the reason. Its head names this import.
        progress: is told how many rows were dealt with.
        open_telling: opens, for these columns, what is told of the rows that are in the table, in batches; of the same
            ones again after an interruption.
        typed: whether the database wants Python's own types.

    Raises:
        BadInputError: the file cannot be read, or its columns are not the table's, or the report of a run
            whose rows are still to be told of is missing, or there is another file in its place.
        DatabaseUnavailableError: the database cannot be written.
    """
    with closing(rows_of(path)) as rows:
        first = next((row for row in rows if row.fault is None), None)
    if first is None:
        raise BadInputError(f"`{path.name}` holds no row that can be read")
    fitting = Fitting.of(table, first.values, typed=typed)
    columns = tuple(column.name for column in fitting.columns)
    done = Imported()
    name = str(path.resolve())
    with (
        nullcontext() if open_telling is None else open_telling(columns) as tell,
        closing(open_target(columns)) as target,
    ):
        reached = target.reached(name)
        done.resumed = reached.line
        if tell and reached.told < reached.line and not report.exists():
            raise BadInputError(
                f"rows up to line {reached.line} are still to be told of, and the report of those left out, "
                f"`{report.name}`, is missing: name the report of the run before with --report"
            )
        head = ["line", f"reason, by import {reached.run}"]
        # What comes after the line that was reached belongs to a batch that did not come to its end.
        kept = [row for row in read_report(report, head) if int(row[0]) <= done.resumed]
        write_report(report, head, kept)
        with report.open("a", encoding="utf-8", newline="") as written:
            if tell and reached.told < reached.line:
                refused = {int(row[0]) for row in kept}
                with closing(rows_of(path)) as rows:
                    owed = (row for row in rows if reached.told < row.line <= reached.line and row.line not in refused)
                    for batch in _batches(owed):
                        tell(_fitting(batch, fitting)[0], reached.run)
                target.told(name, reached.line)
            with closing(rows_of(path)) as rows:
                for batch in _batches(row for row in rows if row.line > done.resumed):
                    added = _add(batch, fitting, target, name, written, done)
                    if tell:  # else they are owed to a later run that tells
                        tell(added, reached.run)
                        target.told(name, batch[-1].line)
                    progress(len(batch))
    return done


def _add(batch: list[FileRow], fitting: Fitting, target: Target, name: str, written: TextIO, done: Imported) -> Rows:
    """Add a batch, and return the rows that are in the table now."""
    good, bad = _fitting(batch, fitting)
    left_out: set[int] = set()

    def told(refused: Refused) -> None:
        left_out.update(number for number, _ in refused)
        csv.writer(written).writerows(sorted([*bad, *((good[number][0], reason) for number, reason in refused)]))
        written.flush()

    done.added += target.add([values for _, values in good], name, batch[-1].line, told)
    done.refused += len(bad) + len(left_out)
    return [row for number, row in enumerate(good) if number not in left_out]


def _fitting(batch: list[FileRow], fitting: Fitting) -> tuple[list[tuple[int, tuple[Any, ...]]], list[tuple[int, str]]]:
    """Return the rows that fit the table with their lines, and the reasons of the others."""
    good: list[tuple[int, tuple[Any, ...]]] = []
    bad: list[tuple[int, str]] = []
    for row in batch:
        try:
            good.append((row.line, fitting.fit(row)))
        except UnfitError as unfit:
            bad.append((row.line, str(unfit)))
    return good, bad


def _batches(rows: Iterator[FileRow]) -> Iterator[list[FileRow]]:
    batch: list[FileRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
