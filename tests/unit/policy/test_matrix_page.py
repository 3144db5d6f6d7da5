"""The access matrix as a page."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from typer.testing import CliRunner
from typing_extensions import override

from node.console.policy_commands import app
from tests.support.policies import EXAMPLE, ROOT

if TYPE_CHECKING:
    from pathlib import Path


def page(folder: Path, out: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ("matrix", "--policies", str(folder), "--html", str(out), *arguments))
    assert result.exit_code == 0, result.stderr
    return out.read_text(encoding="utf-8")


class Cells(HTMLParser):
    """Reads the cells of all tables: the classes of each, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or add a cell."""
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append(dict(attrs)["class"] or "")


def test_each_cell_of_the_matrix_has_its_colour_on_the_page(tmp_path: Path) -> None:
    folder = ROOT / "policies" / "inprev"
    read = Cells()
    read.feed(page(folder, tmp_path / "m.html"))
    listed = CliRunner().invoke(app, ("matrix", "--policies", str(folder), "--format", "json"))
    seen = [
        row
        for row in json.loads(listed.stdout)["bundles"][0]["rows"]
        if any(cell != "-" for cell in row["cells"].values())
    ]
    shown = [row for row in read.rows if row]
    assert sorted(map(len, shown)) == sorted(len(row["cells"]) for row in seen)
    cells = [cell for row in seen for cell in row["cells"].values()]
    classes = [cell for row in shown for cell in row]
    assert classes.count("clear") == cells.count("clear")
    assert classes.count("clear some") == cells.count("clear*")
    assert classes.count("denied") == cells.count("-")
    assert classes.count("masked") == sum(bool(re.match(r"(band|round|top_code)[^*]*$", cell)) for cell in cells) > 0


def test_what_may_only_be_asked_has_a_colour_of_its_own(tmp_path: Path) -> None:
    text = page(ROOT / "policies" / "c_m999", tmp_path / "m.html", "--lang", "it")
    assert re.search(r'<td class="answered[^>]*>age_over</td>', text)
    assert "solo sì o no a una domanda" in text


def test_the_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    text = page(ROOT / "policies", tmp_path / "m.html")
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import", text)


def test_the_page_speaks_both_languages(tmp_path: Path) -> None:
    italian = page(EXAMPLE, tmp_path / "m.html", "--lang", "it")
    english = page(EXAMPLE, tmp_path / "m.html", "--lang", "en")
    assert '<html lang="it">' in italian
    assert "Chi vede che cosa" in italian
    assert '<html lang="en">' in english
    assert "Who sees what" in english


def test_what_an_officer_wrote_is_text_on_the_page_and_no_markup(tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLE, tmp_path / "bundle")
    path = folder / "types" / "Citizen.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("DPR 89/2009", "<b>DPR</b> 89/2009"), encoding="utf-8")
    shown = page(folder, tmp_path / "m.html")
    assert "&lt;b&gt;DPR&lt;/b&gt; 89/2009" in shown
    assert "<b>DPR" not in shown


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    out = tmp_path / "missing" / "m.html"
    result = CliRunner().invoke(app, ("matrix", "--policies", str(EXAMPLE), "--html", str(out), "--lang", "en"))
    assert result.exit_code == 2
    assert f"`{out}` cannot be read or written" in result.stderr
