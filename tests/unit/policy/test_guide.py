"""The guide's worked example, in both languages: every box is executed as it stands, and says what the guide says."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.console.policy_commands import app
from node.console.policy_store import PolicyStore
from tests.support.policies import ROOT

GUIDE = (ROOT / "docs" / "policy-language.md").read_text(encoding="utf-8")
ITALIAN, ENGLISH = GUIDE[: GUIDE.index("## English")], GUIDE[GUIDE.index("## English") :]
_BOX = re.compile(r"^```(yaml|graphql|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("part", "locale"), [(ITALIAN, "it_IT.UTF-8"), (ENGLISH, "en_GB.UTF-8")], ids=["italian", "english"]
)
def test_an_officer_writes_proves_signs_and_publishes_a_policy_as_the_guide_says(
    part: str, locale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.chdir(tmp_path)
    ran = 0
    for kind, content in _BOX.findall(part):
        if kind == "console":
            for command, expected in commands(content):
                ran += 1
                said = run(command)
                assert all(line in said for line in expected), (command, said)
        else:
            write(content)
    assert ran >= 20
    current = PolicyStore(tmp_path / "pubblicate").current()
    assert current is not None
    assert current.envelope.manifest.revision == 2
    assert not (tmp_path / "indietro" / "bundle.json").exists()


def commands(box: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a box with the lines that must be in its output."""
    for block in box.removeprefix("$ ").split("\n$ "):
        command, *expected = block.strip().split("\n")
        yield command, expected


def run(command: str) -> str:
    """Run a command of the guide; `# 1` at its end is the exit status that it announces."""
    text, _, status = command.partition("   # ")
    program, *arguments = shlex.split(text)
    if program == "cp":
        shutil.copytree(arguments[1], arguments[2])
        return ""
    if program == "sed":
        _, pattern, replacement, _ = arguments[1].split("/")
        path = Path(arguments[2])
        before = path.read_text(encoding="utf-8")
        after = re.sub(pattern, replacement, before, flags=re.MULTILINE)
        assert after != before, command
        path.write_text(after, encoding="utf-8")
        return ""
    assert [program, arguments[0]] == ["crocevia", "policy"]
    result = CliRunner().invoke(app, arguments[1:])
    assert result.exit_code == int(status or 0), (command, result.output)
    return result.output


def write(content: str) -> None:
    """Write a box whose first line names its file; other boxes are examples of the language."""
    found = re.match(r"# (\S+\.(?:yaml|graphql))\n", content)
    if found is not None:
        path = Path(found[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
