"""A member enrols its people with the running exchange: the pseudonyms that everybody else's questions lead to."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tests.support.demo import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.demo import Command, RunningDemo

GUIDE = (REPOSITORY / "docs" / "node.md").read_text(encoding="utf-8")
TABLES = ("--persons", "ANAGRAFE", "--key", "ID_SOGG", "--code", "COD_FISC", "--into", "PERSONE")


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_whoever_is_enrolled_again_gets_the_pseudonym_that_is_known(
    demo: RunningDemo, command: Command, tmp_path: Path
) -> None:
    register = tmp_path / "register.db"
    shutil.copyfile(demo.home.party("c_m999") / "register.db", register)
    settings = ("--settings", demo.home.party("c_m999") / "settings.toml", "--database", f"sqlite:///{register}")
    report = ("--report", tmp_path / "rejected.csv", "--format", "json")
    with closing(sqlite3.connect(register)) as connection:
        connection.execute("UPDATE ANAGRAFE SET COD_FISC = 'X' WHERE ID_SOGG = 1")
        connection.commit()
    ran = command("node", "enrol", *settings, *TABLES, *report)
    told = json.loads(ran.out)
    assert (ran.status, told["leftOut"]) == (1, 1)
    assert "1,no well-formed tax code" in (tmp_path / "rejected.csv").read_text()
    compared = "SELECT a.PSEUDO = p.PSEUDONIMO, count(*) FROM ANAGRAFE a JOIN PERSONE p USING (ID_SOGG) GROUP BY 1"
    assert rows(register, compared) == [(1, told["enrolled"])]
    assert told["enrolled"] > 100
    again = json.loads(command("node", "enrol", *settings, *TABLES, *report).out)
    assert (again["enrolled"], again["leftOut"]) == (0, 1)


def test_the_guides_pseudonyms_become_real_ones(demo: RunningDemo, command: Command, tmp_path: Path) -> None:
    """The guide's register, enrolled as the guide says; one of its people is known to the demo's members."""
    register = tmp_path / "comune.db"
    [script, _] = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)
    with closing(sqlite3.connect(register)) as connection:
        connection.executescript(script)
    trial, real = (_command(each) for each in re.findall(r"crocevia (node enrol .*?)\n(?=```)", GUIDE, re.DOTALL))
    settings = demo.home.party("c_m999") / "settings.toml"
    where = {"sqlite:///comune.db": f"sqlite:///{register}", "node.toml": str(settings)}
    report = ("--report", str(tmp_path / "rejected.csv"))
    assert command(*(where.get(word, word) for word in trial), *report).status == 0
    assert {text.split(".")[1] for (text,) in rows(register, "SELECT PSEUDONIMO FROM CROCEVIA_PERSONE")} == {"trial"}
    real += ["--database", f"sqlite:///{register}"]
    assert command(*(where.get(word, word) for word in real), *report).status == 0
    found = "SELECT PSEUDONIMO FROM CROCEVIA_PERSONE JOIN ANAG_SOGGETTI USING (ID_SOGG) WHERE COD_FISCALE = '{}'"
    known = "SELECT PSEUDO FROM ANAGRAFE WHERE COD_FISC = '{}'"
    code = "BNCLRA84H57F257B"
    assert rows(register, found.format(code)) == rows(demo.home.party("c_m999") / "register.db", known.format(code))
    with closing(sqlite3.connect(demo.home.party("exchange") / "state" / "ledger.db")) as ledger:
        kinds = b"".join(leaf for (leaf,) in ledger.execute("SELECT leaf FROM entry"))
    assert b'"kind":"enrolment"' in kinds.replace(b" ", b"")
    assert code.encode() not in kinds


def _command(text: str) -> list[str]:
    return text.replace("\\\n", " ").split()
