"""The languages in which people are spoken to: names are given in both, a sentence is said in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """A language, by its code (ISO 639-1)."""

    ITALIAN = "it"
    ENGLISH = "en"


LANGUAGE_HELP: Final = "Language of the sentences; else that of LC_ALL, LC_MESSAGES or LANG; else Italian."
"""What every command says of its option `--lang`."""


def preferred_language(environment: Mapping[str, str]) -> Language:
    """Return the language that a shell's environment asks for; Italian if it asks for none of ours.

    Source: POSIX.1-2017 section 8.2, order of precedence of the locale's variables.
    """
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return next((each for each in Language if locale.startswith(each)), Language.ITALIAN)
