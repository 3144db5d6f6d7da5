"""Lets the command line's help and usage errors be read in Italian; each is composed in English and said at the end.

Typer has no catalogue that a program could bring along. All that it shows passes its highlighter, sentence by sentence,
and its titles are constants; both are replaced here, for the process that the command is.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Final

from rich.text import Text
from typer import rich_utils
from typing_extensions import override

from federation.contract.help_italian import HELP, TYPER


def in_italian(text: str) -> str:
    """Return what a command line says in Italian, as it is where neither we nor Typer have such a sentence."""
    if text in HELP:
        return HELP[text]
    found = ((italian, sentence.fullmatch(text)) for sentence, italian in _COMPOSED)
    return next((italian.format_map(match.groupdict()) for italian, match in found if match), text)


def speak_italian() -> None:
    """Let this process say help and usage errors in Italian from now on."""
    rich_utils.ARGUMENTS_PANEL_TITLE = "Argomenti"
    rich_utils.OPTIONS_PANEL_TITLE = "Opzioni"
    rich_utils.COMMANDS_PANEL_TITLE = "Comandi"
    rich_utils.ERRORS_PANEL_TITLE = "Errore"
    rich_utils.DEFAULT_STRING = "[se omesso: {}]"
    rich_utils.ENVVAR_STRING = "[variabile: {}]"
    rich_utils.REQUIRED_LONG_STRING = "[obbligatorio]"
    rich_utils.ABORTED_TEXT = "Interrotto."
    rich_utils.RICH_HELP = "Per l'aiuto: [blue]{command_path} {help_option}[/]"
    rich_utils.highlighter = _InItalian()


class _InItalian(rich_utils.OptionHighlighter):
    """Typer's highlighter, of the Italian sentence."""

    @override
    def __call__(self, text: str | Text) -> Text:
        if isinstance(text, str):
            return super().__call__(in_italian(text))
        italian = in_italian(text.plain)
        return super().__call__(text if italian == text.plain else Text(italian, style=text.style))


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = Formatter().parse(sentence)
    return re.compile(
        "".join(re.escape(text) + (f"(?P<{gap}>.+)" if gap else "") for text, gap, _, _ in parts), re.DOTALL
    )


_COMPOSED: Final = tuple((_pattern(sentence), italian) for sentence, italian in TYPER.items())
