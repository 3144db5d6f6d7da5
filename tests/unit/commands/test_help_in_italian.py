"""Help and usage errors are there in Italian: every sentence of every command, and what Typer adds of its own."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer import rich_utils
from typer.testing import CliRunner

import crocevia
from federation.contract.errors import BadInputError
from federation.contract.help_italian import HELP, TYPER
from federation.contract.help_language import in_italian, speak_italian
from federation.contract.languages import Language, language_apart


def commands() -> Iterator[tuple[list[str], Any]]:
    """Give every command with the words by which it is called."""
    yield [], typer.main.get_command(crocevia.app)
    for named in crocevia.app.registered_commands:
        assert named.name is not None
        assert named.callback is not None
        yield from below([named.name], crocevia.imported(named.name, named.callback))


def below(words: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    yield words, command
    for name, each in getattr(command, "commands", {}).items():
        yield from below([*words, name], each)


def said(command: Any) -> Iterator[str]:
    for text in (command.help, command.epilog, *(each.help for each in command.params)):
        for paragraph in inspect.cleandoc(text or "").split("\n\n"):
            yield paragraph.replace("\n", " ").strip()


@pytest.fixture
def italian(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in list(vars(rich_utils).items()):
        monkeypatch.setattr(rich_utils, name, value)
    speak_italian()


def test_every_sentence_of_every_command_is_in_the_catalogue_and_no_other() -> None:
    written = {sentence for _, command in commands() for sentence in said(command)} - {""}
    assert written - set(TYPER) == set(HELP)


@pytest.mark.usefixtures("italian")
def test_no_help_has_a_title_in_english() -> None:
    for words, command in commands():
        shown = CliRunner().invoke(crocevia.app, [*words, "--help"]).output
        assert f"Uso: crocevia {' '.join(words)}".rstrip() in " ".join(shown.split()), words
        left = [
            word for word in ("Usage", "OPTIONS", "Options", "Arguments", "[required]", "[default") if word in shown
        ]
        assert left == [], words
        assert command.help is not None


WRONG = {
    "no such command": (["poli"], "Il comando 'poli' non esiste. Forse 'policy'?"),
    "nothing like it": (["xyz"], "Il comando 'xyz' non esiste."),
    "no such option": (["policy", "test", "--foramt", "x"], "L'opzione --foramt non esiste (forse: --format)"),
    "no option like it": (["policy", "test", "--zzz"], "L'opzione --zzz non esiste"),
    "no argument": (["policy", "why", "--as", "a", "--for", "b"], "Manca l'argomento 'coordinate'."),
    "no option": (["policy", "why", "Citizen.taxCode"], "Manca l'opzione '--as'."),
    "no value": (["policy", "test", "--format"], "L'opzione '--format' vuole un valore."),
    "a value too many": (["demo", "--tls=yes"], "L'opzione '--tls' non prende un valore."),
    "no such choice": (["policy", "test", "--format", "x"], "'--format': 'x' non è tra 'table', 'json'."),
    "no number": (["demo", "--port", "x"], "Valore non valido per '--port':"),
    "too many words": (["policy", "test", "a"], "Argomenti di troppo (a)"),
}


@pytest.mark.usefixtures("italian")
@pytest.mark.parametrize(("arguments", "expected"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_told_in_italian(arguments: list[str], expected: str) -> None:
    result = CliRunner().invoke(crocevia.app, arguments)
    assert result.exit_code == 2
    assert expected in " ".join(result.output.replace("│", " ").split())


def test_what_has_no_italian_stays_as_it_is() -> None:
    assert in_italian("--policies") == "--policies"


APART = {
    "before": (["--lang", "it", "policy", "check"], ["policy", "check"], Language.ITALIAN),
    "after": (["policy", "check", "--lang=en"], ["policy", "check"], Language.ENGLISH),
    "twice": (["--lang", "it", "report", "--lang", "en"], ["report"], Language.ENGLISH),
    "nowhere": (["policy", "check"], ["policy", "check"], None),
    "without its word": (["policy", "check", "--lang"], ["policy", "check", "--lang"], None),
    "among what is no option": (["query", "--", "--lang", "it"], ["query", "--", "--lang", "it"], None),
}


@pytest.mark.parametrize(("arguments", "others", "language"), APART.values(), ids=APART.keys())
def test_a_language_may_stand_anywhere(arguments: list[str], others: list[str], language: Language | None) -> None:
    assert language_apart(arguments) == (others, language)


def test_a_language_that_is_not_ours_is_refused() -> None:
    with pytest.raises(BadInputError, match="language `fr` is not spoken here; expected it or en"):
        language_apart(["policy", "check", "--lang", "fr"])


@pytest.mark.parametrize(
    ("locale", "arguments", "expected"),
    [
        ("C.UTF-8", ["policy", "--help"], "Usage:"),
        ("it_IT.UTF-8", ["policy", "--help"], "Uso:"),
        ("C.UTF-8", ["--lang", "it", "policy", "--help"], "Uso:"),
        ("it_IT.UTF-8", ["policy", "--help", "--lang", "en"], "Usage:"),
        ("C.UTF-8", ["--lang", "en", "policy", "check", "--policies", "nowhere"], "folder `nowhere` does not exist"),
    ],
)
def test_the_command_line_decides_before_the_locale(locale: str, arguments: list[str], expected: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "crocevia", *arguments],
        env={**os.environ, "LC_ALL": locale},
        capture_output=True,
        text=True,
        check=False,
    )
    assert expected in ran.stdout + ran.stderr
