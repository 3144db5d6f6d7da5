"""The README lists the commands that there are, with options that they have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crocevia

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
[BLOCK] = re.findall(r"## Commands\n\n```\n(.*?)```", README, re.DOTALL)
# Two blanks stand between a command and what is said of it.
LINES = [line.split("  ")[0].split()[1:] for line in BLOCK.splitlines() if line.startswith("crocevia ")]
NAMED = {str(command.name): command.callback for command in crocevia.app.registered_commands}


def found(name: str) -> Any:
    callback = NAMED[name]
    assert callback is not None
    return crocevia.imported(name, callback)


def listed(words: list[str]) -> Iterator[tuple[str, ...]]:
    """Give the commands of a line: `node|gateway serve`, `db upgrade|backup`, `compose|plan`, `demo`."""
    for name in words[0].split("|"):
        below = words[1].split("|") if len(words) > 1 and re.fullmatch("[a-z|]+", words[1]) else []
        yield from ((name, each) for each in below) if below else ((name,),)


def test_every_command_is_listed_and_no_other() -> None:
    below = {name: tuple(getattr(found(name), "commands", ())) for name in NAMED}
    alone: set[tuple[str, ...]] = {(name,) for name, commands in below.items() if not commands}
    grouped: set[tuple[str, ...]] = {(name, each) for name, commands in below.items() for each in commands}
    assert {each for words in LINES for each in listed(words)} - {("demo",)} == alone | grouped


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_a_listed_option_is_one_of_its_commands(words: list[str]) -> None:
    options = {word.strip("[]") for word in words if word.strip("[").startswith("--")}
    for name, *below in listed(words):
        command = found(name).commands[below[0]] if below else found(name)
        known = {option for parameter in command.params for option in parameter.opts}
        assert options <= known, name
