"""The demo's citizens' portal: whom it knows under which pseudonym, once they have logged in.

A real portal learns the tax code from SPID or CIE and keeps its own pseudonym of the citizen beside it; in the demo,
naming the tax code stands for logging in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from federation.contract.errors import ConfigurationError, NotFoundError

KNOWN_CITIZENS = "citizens.db"
"""In the portal's folder."""


def write_citizens(path: Path, citizens: Iterable[tuple[str, str]]) -> None:
    """Write whom the portal knows: tax code and the portal's own pseudonym."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE citizen (tax_code TEXT PRIMARY KEY, pseudonym TEXT NOT NULL) WITHOUT ROWID")
        file.executemany("INSERT OR IGNORE INTO citizen VALUES (?, ?)", citizens)


def find_citizen(path: Path, tax_code: str) -> str:
    """Return the portal's pseudonym of the citizen who logs in.

    Raises:
        ConfigurationError: there is no portal here.
        NotFoundError: the portal does not know the citizen; the code is not repeated.
    """
    if not path.is_file():
        raise ConfigurationError(f"`{path}` does not exist; run `crocevia demo` first, or give `--home`")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        row = file.execute("SELECT pseudonym FROM citizen WHERE tax_code = ?", (tax_code,)).fetchone()
    if row is None:
        raise NotFoundError(
            "the portal knows nobody of this tax code; `deploy/demo/people.yaml` lists documented people"
        )
    return str(row[0])
