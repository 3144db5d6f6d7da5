"""Commands are imported when they are asked for; their names and sentences are known before."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import crocevia

NAMED = {command.name: command for command in crocevia.app.registered_commands}


@pytest.mark.parametrize("name", NAMED)
def test_help_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    named = NAMED[name]
    assert named.callback is not None
    real = crocevia.imported(name, named.callback)
    assert (real.help or "").split("\n\n")[0].replace("\n", " ").strip() == named.help
    assert real.name == name


def test_a_group_has_the_commands_of_every_room_that_gives_some() -> None:
    named = NAMED["node"]
    assert named.callback is not None
    node = crocevia.imported("node", named.callback)
    assert {"init", "doctor", "serve", "status", "join"} <= set(node.commands)


def test_a_misspelt_command_is_answered_with_the_nearest_one() -> None:
    result = CliRunner().invoke(crocevia.app, ["polcy", "check"])
    assert result.exit_code == 2
    assert "Did you mean 'policy'?" in result.output


def test_a_file_that_cannot_be_written_is_named_without_a_stack(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    ran = subprocess.run(
        [sys.executable, "-m", "crocevia", "keys", "generate", str(blocked / "keys")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert f"BAD_USER_INPUT `{blocked}" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_full_disk_is_told_without_a_stack() -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "crocevia", "schema", "print"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[0].endswith("cannot be read or written: No space left on device")
    assert "Traceback" not in ran.stderr


def test_showing_help_imports_no_room_of_the_house() -> None:
    seen = "import sys, crocevia, typer; typer.main.get_command(crocevia.app)"
    rooms = "print(sorted(n for n in sys.modules if n in {'graphql', 'sqlalchemy', 'cryptography', 'node'}))"
    ran = subprocess.run([sys.executable, "-c", f"{seen}; {rooms}"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_checking_a_policy_imports_no_database() -> None:
    seen = "import sys, node.console.policy_commands; print('sqlalchemy' in sys.modules, 'openpyxl' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


def test_every_group_is_a_group_even_with_one_command() -> None:
    named = NAMED["exchange"]
    assert named.callback is not None
    assert isinstance(crocevia.imported("exchange", named.callback), typer.core.TyperGroup)


ABSENT = "import sys; sys.modules.update(dict.fromkeys(('asyncpg', 'greenlet', 'duckdb', 'z3', 'pkcs11')))"
"""An installation without extras, as `make demo` makes it."""


def test_every_command_is_there_without_any_extra() -> None:
    found = "import crocevia; [crocevia.imported(c.name, c.callback) for c in crocevia.app.registered_commands]"
    ran = subprocess.run([sys.executable, "-c", f"{ABSENT}; {found}"], capture_output=True, text=True, check=False)
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["node", "init", "--member", "c_m999", "--database", "postgresql://u@127.0.0.1:1/d"], "postgres"),
        (["import", "rows.parquet", "--database", "sqlite:///register.db", "--table", "t"], "import"),
    ],
)
def test_a_missing_extra_is_named_in_one_line(arguments: list[str], extra: str, tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").touch()
    with closing(sqlite3.connect(tmp_path / "register.db")) as register:
        register.execute("CREATE TABLE t (a INTEGER)")
    ran = subprocess.run(
        [sys.executable, "-c", f"{ABSENT}; sys.argv[1:] = {arguments}; import crocevia; crocevia.main()"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert f"`pip install 'crocevia[{extra}]'`" in ran.stderr
    assert ran.stderr.count("\n") == 1
