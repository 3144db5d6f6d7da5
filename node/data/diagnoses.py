"""What an examination of a mapping finds: a line of node.yaml, a stable code, and a sentence with the way out.

| Code | Says |
|---|---|
| TABLE_MISSING, COLUMN_MISSING | the mapping names something that the database does not have |
| TYPE_MISFIT | a column's type does not fit what the mapping does with it |
| KEY_NOT_UNIQUE, KEY_IS_NULL | rows cannot be told apart by their key |
| SUBJECT_MISSING | people have no pseudonym, and the register's own keys must not travel |
| VALUES_UNREADABLE | some values are not of the format, code list or words that the mapping says |
| INDEX_MISSING | a key, join, look-up, filter or order would read the whole table |
| RIGHTS_TOO_WIDE | the database role could change the table |
| CHECK_TIMED_OUT | a check took longer than `statement_timeout` |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error makes answers fail; a warning makes them slow, poorer, or the database less safe."""

    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """What the doctor finds."""

    TABLE_MISSING = "TABLE_MISSING"
    COLUMN_MISSING = "COLUMN_MISSING"
    TYPE_MISFIT = "TYPE_MISFIT"
    KEY_NOT_UNIQUE = "KEY_NOT_UNIQUE"
    KEY_IS_NULL = "KEY_IS_NULL"
    SUBJECT_MISSING = "SUBJECT_MISSING"
    VALUES_UNREADABLE = "VALUES_UNREADABLE"
    INDEX_MISSING = "INDEX_MISSING"
    RIGHTS_TOO_WIDE = "RIGHTS_TOO_WIDE"
    CHECK_TIMED_OUT = "CHECK_TIMED_OUT"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, at a line of the mapping."""

    line: int
    code: Code
    severity: Severity
    message: str

    def text(self, file: str) -> str:
        """Return the finding on one line."""
        return f"{file}:{self.line}: {self.severity}: {self.message} [{self.code}]"


def error(line: int, code: Code, message: str) -> Finding:
    """Return what makes answers fail."""
    return Finding(line, code, Severity.ERROR, message)


def warning(line: int, code: Code, message: str) -> Finding:
    """Return what makes answers slow or poorer, or the database less safe."""
    return Finding(line, code, Severity.WARNING, message)
