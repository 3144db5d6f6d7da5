"""What a check says about a bundle: a place, a stable code and a sentence that names the way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from typing_extensions import override


class Severity(StrEnum):
    """An error keeps a bundle from being used; a warning is for the officer to read."""

    ERROR = "error"
    WARNING = "warning"


class FindingCode(StrEnum):
    """Every way in which a bundle can be wrong; the names are stable and documented in docs/policy-language.md."""

    ENCODING_INVALID = "ENCODING_INVALID"
    YAML_INVALID = "YAML_INVALID"
    YAML_DUPLICATE_KEY = "YAML_DUPLICATE_KEY"
    YAML_ANCHOR = "YAML_ANCHOR"
    YAML_TAG = "YAML_TAG"
    FILE_UNKNOWN = "FILE_UNKNOWN"
    FILE_MISSING = "FILE_MISSING"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    KEY_MISSING = "KEY_MISSING"
    VALUE_INVALID = "VALUE_INVALID"
    NAME_UNKNOWN = "NAME_UNKNOWN"
    ID_DUPLICATE = "ID_DUPLICATE"
    CONDITION_INVALID = "CONDITION_INVALID"
    FORM_INVALID = "FORM_INVALID"
    FORM_TYPE_MISMATCH = "FORM_TYPE_MISMATCH"
    FORMS_INCOMPARABLE = "FORMS_INCOMPARABLE"
    COMPUTED_SHOWS_MORE = "COMPUTED_SHOWS_MORE"
    CROWD_UNCOUNTABLE = "CROWD_UNCOUNTABLE"
    WINDOW_REVERSED = "WINDOW_REVERSED"
    PURPOSE_CYCLE = "PURPOSE_CYCLE"
    TYPE_UNKNOWN = "TYPE_UNKNOWN"
    FIELD_UNKNOWN = "FIELD_UNKNOWN"
    FIELD_UNCOVERED = "FIELD_UNCOVERED"
    FIELD_NOT_NULLABLE = "FIELD_NOT_NULLABLE"
    ART9_BASIS_MISSING = "ART9_BASIS_MISSING"
    CELL_SMALL = "CELL_SMALL"
    PREDICATE_REVEALS = "PREDICATE_REVEALS"
    COMBINATION_GRANTED = "COMBINATION_GRANTED"
    FINDINGS_OMITTED = "FINDINGS_OMITTED"


MOST_FINDINGS: Final = 1_000
"""Of more in one bundle the first are told: nobody reads more, and a broken file must not keep a node busy."""

WARNINGS: Final = frozenset(
    {
        FindingCode.ART9_BASIS_MISSING,
        FindingCode.CELL_SMALL,
        FindingCode.PREDICATE_REVEALS,
        FindingCode.COMBINATION_GRANTED,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something is written: lines and columns count from 1; line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    @override
    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, or worth reading, at one place."""

    place: Place
    code: FindingCode
    message: str

    @property
    def severity(self) -> Severity:
        """Whether the bundle can be used all the same."""
        return Severity.WARNING if self.code in WARNINGS else Severity.ERROR

    @override
    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.code}]"
