"""Cut the power under a ledger: after each kill, every byte that was not synced is gone.

    python tests/faults/ledger_power.py [--loops 40] [--folder DIR] [--planted-defect]

A small library under the writer keeps, at every `fsync`, a copy of the file as it is then; after SIGKILL the parent
puts the copies in the place of the files, which is the worst that a power cut may leave. Every acknowledged entry must
be there. With `--planted-defect` the ledger runs with `synchronous=NORMAL`, which no kill -9 test catches, and the run
must fail. The last line counts what was lost; exit code 1 when anything was, 3 when there is no C compiler.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.ledger.store import SqliteStore
from tests.faults.ledger_kill import Toll, kill_all, look_for, verify_all, write
from tests.support.ledger import SIGNER, LedgerFiles

_LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void keep(int fd) {
    char link[64], path[512], part[640], copy[600], block[65536];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return;
    path[n] = 0;
    if (!strstr(path, ".sqlite")) return;
    snprintf(copy, sizeof copy, "%s/%s", getenv("SYNCED_FOLDER"), strrchr(path, '/') + 1);
    snprintf(part, sizeof part, "%s.part", copy);
    int from = open(path, O_RDONLY), to = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while ((n = read(from, block, sizeof block)) > 0) if (write(to, block, n) != n) abort();
    close(from);
    close(to);
    rename(part, copy);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
int fsync(int fd) { REAL(fsync); int r = real(fd); if (!r) keep(fd); return r; }
int fdatasync(int fd) { REAL(fdatasync); int r = real(fd); if (!r) keep(fd); return r; }

/* SQLite syncs the folder after it has removed a journal. */
int unlink(const char *path) {
    REAL(unlink);
    char copy[600];
    const char *name = strrchr(path, '/');
    if (name && strstr(name, ".sqlite")) {
        snprintf(copy, sizeof copy, "%s/%s", getenv("SYNCED_FOLDER"), name + 1);
        real(copy);
    }
    return real(path);
}
"""


class UnsyncedStore(SqliteStore):
    """A defect to be found: commits return before they are on disk."""

    __slots__ = ()

    @classmethod
    @override
    def open(cls, path: Path, origin: str) -> Self:
        store = super().open(path, origin)
        store._connection.execute("PRAGMA synchronous=NORMAL")
        return store


def cut_power(files: LedgerFiles, synced: Path) -> None:
    """Leave only what was synced."""
    for file in files.folder.glob("*.sqlite*"):
        file.unlink()
    for copy in synced.iterdir():
        if copy.suffix != ".part":
            shutil.copy(copy, files.folder / copy.name)


def campaign(loops: int, folder: Path, arguments: list[str]) -> Toll:
    """Cut the power under `loops` writers of one ledger, one after the other."""
    dice, toll, synced = random.Random(20261122), Toll(), folder / "synced"
    files = LedgerFiles(folder / "ledger")
    for made in (synced, files.folder):
        made.mkdir()
    command = [sys.executable, __file__, "--write", str(files.folder), *arguments]
    environment = {**os.environ, "LD_PRELOAD": str(folder / "power.so"), "SYNCED_FOLDER": str(synced)}
    for _ in range(loops):
        acknowledged = kill_all([command], dice, environment)
        cut_power(files, synced)
        look_for(acknowledged, files, toll)
        for file in files.folder.glob("*.sqlite*"):  # what recovery wrote is on disk before the next writer starts
            shutil.copy(file, synced / file.name)
    verify_all(files, toll)
    return toll


def main() -> int:
    """Run the campaign, or be its child."""
    parser = argparse.ArgumentParser(description="power cuts under the ledger's writer")
    parser.add_argument("--loops", type=int, default=40)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--planted-defect", action="store_true")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        kind, files = UnsyncedStore if asked.planted_defect else SqliteStore, LedgerFiles(asked.write)
        asyncio.run(write(files, lambda: kind.open(files.path, SIGNER.verifier.name)))
        return 0
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.stdout.write("no C compiler `cc` here: the power cannot be cut\n")
        return 3
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        (folder / "power.c").write_text(_LIBRARY)
        library = ["-shared", "-fPIC", "-o", str(folder / "power.so"), str(folder / "power.c"), "-ldl"]
        subprocess.run([compiler, *library], check=True)
        toll = campaign(asked.loops, folder, ["--planted-defect"] if asked.planted_defect else [])
    sys.stdout.write(
        f"{toll.loops} power cuts, {toll.acknowledged} acknowledged, slowest recovery {max(toll.recovery):.2f} s: "
        f"{toll.missing} missing, {toll.corrupt} corrupt\n"
    )
    return 1 if toll.missing or toll.corrupt else 0


if __name__ == "__main__":
    sys.exit(main())
