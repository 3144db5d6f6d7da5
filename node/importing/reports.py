"""The report of what was left out: a CSV file whose head says whose it is, so that no other file is taken for it."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from federation.contract.errors import BadInputError


def require_own(path: Path, head: Sequence[str]) -> None:
    """Refuse a file that is there and is another than this report: it would be overwritten, or taken for it.

    Raises:
        BadInputError: the file does not begin with this head.
    """
    if path.exists() and _head(path) != list(head):
        raise BadInputError(
            f"`{path}` is there and is not the report of this run: name another file with --report, or take it away"
        )


def read_report(path: Path, head: Sequence[str]) -> list[list[str]]:
    """Return the rows of a report; none if it is not there.

    Raises:
        BadInputError: the file is another.
    """
    require_own(path, head)
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as content:
        return [row for row in csv.reader(content) if len(row) == len(head)][1:]


def write_report(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a report anew: whole, or as it was, whatever happens meanwhile."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as content:
        csv.writer(content).writerows([head, *rows])
        content.flush()
        os.fsync(content.fileno())
    part.replace(path)


def _head(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", newline="") as content:
            return next(csv.reader(content), [])
    except (UnicodeDecodeError, csv.Error, IsADirectoryError):
        return []
