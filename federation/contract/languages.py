"""The languages in which people are spoken to: names are given in both, a sentence is said in one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from federation.contract.errors import BadInputError


class Language(StrEnum):
    """A language, by its code (ISO 639-1)."""

    ITALIAN = "it"
    ENGLISH = "en"


LANGUAGE_HELP: Final = "Language of the sentences; else that of LC_ALL, LC_MESSAGES or LANG; else Italian."
"""What every command says of its option `--lang`."""
_OPTION: Final = "--lang"
LANGUAGE_VARIABLE: Final = "CROCEVIA_LANG"
"""Says what `--lang` said to whatever a command starts; no variable of the locale, which other programs read."""
_VARIABLES: Final = (LANGUAGE_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG")


def preferred_language(environment: Mapping[str, str]) -> Language:
    """Return the language that a shell's environment asks for; Italian if it asks for none of ours."""
    return asked_language(environment) or Language.ITALIAN


def asked_language(environment: Mapping[str, str]) -> Language | None:
    """Return the language that an environment asks for, if it is one of ours.

    Source: POSIX.1-2017 section 8.2, order of precedence of the locale's variables.
    """
    locale = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    return next((each for each in Language if locale.startswith(each)), None)


def language_apart(arguments: Sequence[str]) -> tuple[list[str], Language | None]:
    """Take `--lang` and its language out of a command line, wherever they stand before `--`; the last one counts.

    Raises:
        BadInputError: another word follows.
    """
    others: list[str] = []
    language = None
    rest = list(arguments)
    while rest and rest[0] != "--":
        option, joined, value = rest[0].partition("=")
        word = value if joined else "".join(rest[1:2])
        if option == _OPTION and word:
            language = _language(word)
            del rest[: 1 if joined else 2]
        else:
            others.append(rest.pop(0))
    return [*others, *rest], language


def _language(word: str) -> Language:
    try:
        return Language(word)
    except ValueError as error:
        raise BadInputError(f"language `{word}` is not spoken here; expected {' or '.join(Language)}") from error
