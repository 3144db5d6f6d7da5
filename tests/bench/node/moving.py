"""Rows that move through the commands: how much memory an export takes, and what a killed import costs.

    python tests/bench/node/moving.py export [--rows 10000 100000 1000000] [--on sqlite postgresql] [--as csv parquet]
    python tests/bench/node/moving.py import [--rows 1000000] [--as csv ndjson parquet]

Each command runs as a process of its own, as a member's people run it; its peak of memory and processor time are what
the system counted for that process (`wait4`). An export is a trial of a list of citizens with four fields, one of them
masked; its memory must not grow with the list. An import is killed with `kill -9` when half of its rows are in the
table, and goes on; the table must then hold every row once.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.clock import SystemClock, day_in_rome  # found through the line above
from node.data.mapping import Mapping as NodeMapping
from node.policy.bundle import VOCABULARY_FILE, vocabulary_of
from node.policy.starter import starter_files
from node.subgraph.schema import NodeSchema
from node.vocabulary.schema import full_schema
from tests.bench.node.register import citizens, fill_citizens_in_postgres, fill_citizens_in_sqlite
from tests.support.postgres import running_server

ROOT: Final = Path(__file__).parents[3]
_MAPPING: Final = """member: c_m999
database: {url: "sqlite:///register.db"}
types:
  Citizen:
    table: citizen
    key: pid
    subject: pid
    fields:
      givenName: given_name
      familyName: family_name
      dateOfBirth: {column: born, date: iso}
      sex: {column: sex, codes: {"M": male, "F": female}}
roots:
  citizens: {of: Citizen}
"""
_GRANT: Final = """grants:
  - id: bench
    to: {kind: [national]}
    purpose: benefit-assessment
    basis: ["6.1.e"]
    law: "a law"
    see: {givenName: clear, familyName: clear, dateOfBirth: year, sex: clear}
    valid: {from: 2026-01-01, until: 2099-12-31}
    retain: P180D
"""
_ASKING: Final = ("--as", "national", "--for", "benefit-assessment", "--basis", "6.1.e")
_COLUMNS: Final = ("id", "pid", "given_name", "family_name", "born", "sex", "tax_code", "residency")
_FLAT: Final = 1.25
"""Times the memory of the list before that the largest may take: buffers fill up first, and stay as they are then."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What one process took."""

    seconds: float
    cpu: float
    peak_mb: float
    status: int


def run(arguments: Sequence[str], folder: Path, until: Callable[[], bool] | None = None) -> Ran:
    """Run the command as a process of its own; kill it once `until` says so."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    begin = time.perf_counter()
    command = [sys.executable, "-m", "crocevia", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    while until is not None and process.poll() is None:
        if until():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.05)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    code = os.waitstatus_to_exitcode(status)
    return Ran(time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code)


# --- exports ----------------------------------------------------------------------------------------------------------


def exports(folder: Path, sizes: Sequence[int], databases: Sequence[str], endings: Sequence[str]) -> bool:
    """Measure exports of growing lists, and say whether memory stays flat."""
    _write_node(folder)
    flat = True
    with running_server(folder / "pg") if "postgresql" in databases else nullcontext() as server:
        peaks: dict[tuple[str, str], list[float]] = {}
        for size in sizes:
            (folder / "register.db").unlink(missing_ok=True)
            fill_citizens_in_sqlite(folder / "register.db", size)
            if server is not None:
                fill_citizens_in_postgres(server.url, size)
            for database in databases:
                url = f"sqlite:///{folder}/register.db" if server is None or database == "sqlite" else server.url
                for ending in endings:
                    out = folder / f"out.{ending}"
                    done = run(
                        ("export", "citizens", "--out", str(out), "--force", *_ASKING, "--database", url), folder
                    )
                    assert done.status == 0, done
                    peaks.setdefault((database, ending), []).append(done.peak_mb)
                    print(f"{database:10} {ending:8} {size:9} rows {done.cpu:7.1f} s CPU {done.seconds:7.1f} s "
                          f"{done.peak_mb:6.0f} MB", flush=True)  # fmt: skip
        for (database, ending), found in peaks.items():
            grown = found[-1] / found[max(len(found) - 2, 0)]
            flat &= grown <= _FLAT
            print(f"{database} {ending}: the largest list took {grown:.2f} times the memory of the one before")
    return flat


def _write_node(folder: Path) -> None:
    """Write a mapping and a policy with one mask."""
    (folder / "node.yaml").write_text(_MAPPING, encoding="utf-8")
    vocabulary = (ROOT / "policies" / VOCABULARY_FILE).read_bytes()
    sdl = NodeSchema.build(full_schema(), NodeMapping.parse(_MAPPING)).published_sdl
    day = day_in_rome(SystemClock().now())
    files = starter_files(sdl, vocabulary_of(vocabulary), "privacy@example.it", day)
    for name, content in {VOCABULARY_FILE: vocabulary, **files}.items():
        path = folder / "policies" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    citizen = folder / "policies" / "types" / "Citizen.yaml"
    kept = [line for line in citizen.read_text(encoding="utf-8").splitlines() if not line.startswith("grants:")]
    citizen.write_text("\n".join(kept) + "\n" + _GRANT, encoding="utf-8")


# --- imports ----------------------------------------------------------------------------------------------------------


def imports(folder: Path, count: int, endings: Sequence[str]) -> bool:
    """Measure imports, one whole and one that is killed half way and goes on."""
    right = True
    for ending in endings:
        file = folder / f"people.{ending}"
        _write_rows(file, count)
        whole = run(_importing(file, "whole.db"), _emptied(folder, "whole.db"))
        print(f"{ending:8} whole    {_said(whole)}", flush=True)
        _emptied(folder, "killed.db")
        half = run(_importing(file, "killed.db"), folder, lambda: _held(folder / "killed.db") >= count // 2)
        held = _held(folder / "killed.db")
        rest = run(_importing(file, "killed.db"), folder)
        print(f"{ending:8} killed   {_said(half)}, {held} rows in the table (status {half.status})")
        print(f"{ending:8} resumed  {_said(rest)}, {_held(folder / 'killed.db')} rows", flush=True)
        right &= whole.status == rest.status == 0 and half.status == -signal.SIGKILL
        right &= _sums(folder / "whole.db") == _sums(folder / "killed.db") and _held(folder / "killed.db") == count
        file.unlink()
    return right


def _importing(file: Path, database: str) -> tuple[str, ...]:
    return "import", str(file), "--database", f"sqlite:///{database}", "--table", "citizen"


def _emptied(folder: Path, name: str) -> Path:
    (folder / name).unlink(missing_ok=True)
    fill_citizens_in_sqlite(folder / name, 0)
    return folder


def _held(database: Path) -> int:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        found: int = connection.execute("SELECT coalesce(max(id), 0) FROM citizen").fetchone()[0]
        return found


def _sums(database: Path) -> Any:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT count(*), sum(id), count(DISTINCT pid), sum(length(family_name)) FROM citizen"
        return connection.execute(query).fetchone()


def _write_rows(file: Path, count: int) -> None:
    """Write a file of citizens; Parquet is made by DuckDB from CSV."""
    text = file if file.suffix != ".parquet" else file.with_suffix(".source.csv")
    with text.open("w", encoding="utf-8", newline="") as content:
        if text.suffix == ".ndjson":
            content.writelines(f"{json.dumps(dict(zip(_COLUMNS, row, strict=True)))}\n" for row in citizens(count))
        else:
            csv.writer(content).writerows([_COLUMNS])
            csv.writer(content).writerows(citizens(count))
    if text != file:
        with duckdb.connect() as connection:
            connection.read_csv(str(text)).write_parquet(str(file))
        text.unlink()


def _said(ran: Ran) -> str:
    return f"{ran.cpu:6.1f} s CPU {ran.seconds:6.1f} s {ran.peak_mb:5.0f} MB"


def main() -> None:
    """Read the command line and measure."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=("export", "import"))
    arguments.add_argument("--rows", type=int, nargs="+")
    arguments.add_argument("--on", nargs="+", choices=("sqlite", "postgresql"), default=("sqlite", "postgresql"))
    arguments.add_argument("--as", dest="endings", nargs="+", choices=("csv", "ndjson", "parquet"))
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="moving") as place:
        if given.what == "export":
            sizes, endings = given.rows or (10_000, 100_000, 1_000_000), given.endings or ("csv", "parquet")
            right = exports(Path(place), sizes, given.on, endings)
        else:
            rows, endings = given.rows or (1_000_000,), given.endings or ("csv", "ndjson", "parquet")
            right = imports(Path(place), rows[0], endings)
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
