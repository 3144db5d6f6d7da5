"""The languages in which people are spoken to: names are given in both, a sentence is said in one of them."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """A language, by its code (ISO 639-1)."""

    ITALIAN = "it"
    ENGLISH = "en"
