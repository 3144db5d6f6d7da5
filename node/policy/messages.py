"""What an officer reads, as a sentence with gaps: English where it is said, Italian from one catalogue.

A message is its English text, and keeps the sentence and what fills its gaps until somebody with a language reads it;
programs get the fillings beside the words. Whoever says something new writes the English sentence in the code and the
Italian one in `node.policy.italian`; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self, TypeAlias

from federation.contract.languages import Language
from node.policy.italian import ITALIAN

Filling: TypeAlias = str | int | float
"""What fills a gap; a text may be a message itself, and is then said in the same language."""


class Message(str):
    """An English text that knows its sentence and fillings, and so how it is said in other languages."""

    __slots__ = ("fillings", "sentence")
    sentence: str
    fillings: tuple[tuple[str, Filling], ...]

    def __new__(cls, sentence: str, fillings: tuple[tuple[str, Filling], ...] = ()) -> Self:
        """Fill the gaps of an English sentence."""
        self = super().__new__(cls, sentence.format_map(dict(fillings)))
        self.sentence = sentence
        self.fillings = fillings
        return self


def message(sentence: str, /, **fillings: object) -> Message:
    """Return a message: its sentence, word by word as the catalogue has it, and what fills the gaps."""
    return Message(
        sentence,
        tuple((name, value if isinstance(value, Filling) else str(value)) for name, value in fillings.items()),
    )


def said(text: str, language: Language) -> str:
    """Return a text in a language; one that was not written for officers is English."""
    if not isinstance(text, Message) or language is Language.ENGLISH:
        return str(text)
    fillings = {name: said(value, language) if isinstance(value, str) else value for name, value in text.fillings}
    return ITALIAN[text.sentence].format_map(fillings)


def fillings_of(text: str) -> dict[str, Filling]:
    """Return what fills the gaps of a text, in English; the gaps of a message inside are gaps of the whole."""
    return dict(_fillings(text))


def _fillings(text: str) -> Iterator[tuple[str, Filling]]:
    for name, value in text.fillings if isinstance(text, Message) else ():
        if isinstance(value, Message) and value.fillings:
            yield from _fillings(value)
        elif value != "":
            yield name, str(value) if isinstance(value, str) else value
