"""`crocevia keys generate|rotate|list`: what a party does with its keys, beside the member list that names them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from federation.membership.key_commands import app
from federation.trust.keys import MESSAGE_KEY, SigningKey

if TYPE_CHECKING:
    from federation.demo.layout import Home

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str | Path) -> str:
    ran = CliRunner().invoke(app, [str(each) for each in arguments])
    assert ran.exit_code == 0, (ran.output, ran.exception)
    return ran.stdout


def test_keys_are_made_once_and_only_their_public_halves_are_shown(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = run("generate", folder)
    assert run("generate", folder) == made
    key = SigningKey.load(folder / MESSAGE_KEY)
    assert f"message key {key.kid}" in made
    shown = run("list", folder)
    assert key.kid in shown
    for file in folder.glob("*.pem"):
        secret = "".join(file.read_text(encoding="ascii").splitlines()[1:-1])
        assert file.name in shown
        assert secret not in "".join(shown.split())


def test_a_key_is_replaced_step_by_step_and_the_list_says_which_one_others_trust(founded: Home, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    shutil.copytree(founded.keys("c_m999"), folder)
    old = SigningKey.load(folder / MESSAGE_KEY).kid

    def listed() -> dict[str, bool]:
        lines = [line for line in run("list", folder, "--registry", founded.registry).splitlines() if "message" in line]
        return {kid: "20" in line.split(kid)[1] for line in lines for kid in kids if kid in line}

    kids = [old]
    assert listed() == {old: True}
    assert "propose" in run("rotate", folder)
    kids.append(SigningKey.load(folder / "message.next.pem").kid)
    assert listed() == {old: True, kids[1]: False}, "nobody trusts the new one until a proposal with it was admitted"
    assert "restart" in run("rotate", folder)
    assert SigningKey.load(folder / MESSAGE_KEY).kid == kids[1]
    run("rotate", folder)
    assert listed() == {kids[1]: False}
