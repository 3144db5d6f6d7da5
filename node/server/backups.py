"""A node's state as one consistent copy, taken while it runs, and put back only if it is whole.

Every SQLite file is copied by SQLite's own online backup: one snapshot, whatever is written meanwhile. The own tables
come first, then the ledger, the subject keys last: an entry is on disk before the row that it is about, and a key
before the entry that needs it, so the copy has the entry of every row and the key of every entry. The manifest names
each file's digest and the ledger's signed head. A ledger in a database that several hosts share is copied into a file
too, and a node that starts with that file takes it along into a database that has none (`federation.ledger.place`).
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from federation.contract.clock import Clock, rfc3339
from federation.contract.errors import BadInputError, ConfigurationError, LedgerCorruptError
from federation.ledger.checkpoint import Checkpoint, open_checkpoint
from federation.ledger.note import Ed25519Signer, Ed25519Verifier
from federation.ledger.place import LEDGER_FILE, SUBJECTS_FILE, copy_to_files
from federation.ledger.store import LedgerStore, SqliteStore
from federation.ledger.verify import verify_ledger
from federation.ledger.witness import copy_to_file
from federation.trust.keys import LEDGER_KEY, load_ed25519
from node.own.copying import put_rows, rows_of
from node.own.database import OwnDatabase
from node.own.upgrading import version_of
from node.server.settings import OWN_FILE, NodeSettings

MANIFEST: Final = "manifest.json"
OWN_ROWS: Final = "own.ndjson"
"""The own tables of a node that keeps them in PostgreSQL."""
_FORMAT: Final = 1
_FIRST: Final = {OWN_FILE: 0, LEDGER_FILE: 1}
_LAST: Final = SUBJECTS_FILE
_LEFT_BEHIND: Final = ("-wal", "-shm", "-journal", ".lock", ".moved")
_PAGES: Final = 1_000


class BackedUpFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a backup; `sha256` in hexadecimal."""

    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds; `head` is the ledger's signed checkpoint, None where nothing was recorded yet."""

    format: int
    member: str
    at: str
    own: str
    files: dict[str, BackedUpFile]
    head: str | None
    entries: int


@dataclass(frozen=True, slots=True)
class OwnPart:
    """What the own tables give to a backup: their version and, where they are no file of the state, their rows."""

    version: str
    rows: bytes | None


async def own_part(settings: NodeSettings, own: OwnDatabase) -> OwnPart:
    """Read the own tables' part of a backup.

    Raises:
        DatabaseUnavailableError: the own tables do not answer.
    """
    version = (await own.run(version_of)).found or ""
    return OwnPart(version, None if settings.own is None else await own.run(rows_of))


def copy_state(settings: NodeSettings, own: OwnPart, target: Path, clock: Clock) -> Manifest:
    """Copy a node's state into a new folder, while the node runs or not.

    Raises:
        BadInputError: the folder exists.
        ConfigurationError: there is nothing to back up.
    """
    if target.exists():
        raise BadInputError(f"`{target}` exists; a backup is made in a new folder")
    shared = settings.shared is not None
    if not shared and not (settings.state / LEDGER_FILE).exists():
        raise ConfigurationError(f"`{settings.state}` holds no ledger: this node has not run yet")
    target.mkdir(parents=True, mode=0o700)
    if own.rows is not None:
        (target / OWN_ROWS).write_bytes(own.rows)
    for path in _in_order(settings.state):
        copy = target / path.relative_to(settings.state)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".db":
            _copy_database(path, copy)
        else:
            shutil.copy2(path, copy)
    if shared:
        copy_to_file(settings.shared_place, target)
        copy_to_files(settings.shared_place, target)
    with closing(SqliteStore.open_to_read(target / LEDGER_FILE)) as store:
        head, entries = store.last_checkpoint(), store.size()
    copied = _files(target)
    files = {path.relative_to(target).as_posix(): _described(path) for path in copied}
    manifest = Manifest(_FORMAT, settings.member, rfc3339(clock.now()), own.version, files, head, entries)
    (target / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def check_backup(settings: NodeSettings, source: Path) -> Manifest:
    """Return what a backup holds once it is known to be whole, this member's, and its ledger its own key's.

    Raises:
        BadInputError: the folder is no backup, of another member, or a file is missing or altered.
        LedgerCorruptError: the ledger does not verify against the key and the head that the manifest names.
    """
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.MsgspecError) as error:
        raise BadInputError(f"`{source}` is no backup: it has no readable {MANIFEST}") from error
    if manifest.format != _FORMAT or manifest.member != settings.member:
        raise BadInputError(f"backup is of `{manifest.member}`, format {manifest.format}; this is `{settings.member}`")
    for name, known in manifest.files.items():
        path = source / name
        if not path.is_file() or _described(path) != known:
            raise BadInputError(f"`{name}` of the backup is missing, or is not the file that was backed up")
    with closing(SqliteStore.open_to_read(source / LEDGER_FILE)) as store:
        verifier = _verifier(settings, store)
        known_heads = [] if manifest.head is None else [open_checkpoint(manifest.head, verifier).checkpoint]
        found = verify_ledger(store, verifier, known_heads)
    if found.head.size != manifest.entries:
        raise LedgerCorruptError(f"backup's ledger has {found.head.size} entries, its manifest says {manifest.entries}")
    return manifest


def head_in_place(settings: NodeSettings) -> Checkpoint | None:
    """Return the head of the ledger that is in place, None if there is none or it cannot be read."""
    path = settings.state / LEDGER_FILE
    if not path.exists():
        return None
    with closing(SqliteStore.open_to_read(path)) as store:
        note = store.last_checkpoint()
        return None if note is None else open_checkpoint(note, _verifier(settings, store)).checkpoint


async def put_own_rows(own: OwnDatabase, rows: bytes, version: str) -> None:
    """Put the rows of a backup into PostgreSQL's own tables, made as they were: an upgrade comes afterwards, as always.

    Raises:
        DatabaseUnavailableError: the own tables do not answer.
        ConfigurationError: they hold rows already, or are of another version.
    """
    await own.run(lambda connection: put_rows(connection, rows, version))


def require_unused(settings: NodeSettings) -> None:
    """Refuse to replace a state that a process has open: it would go on recording into files that nobody reads.

    SQLite leaves the journal mode of a ledger alone as long as somebody else has it open.

    Raises:
        ConfigurationError: the state is in use.
    """
    path = settings.state / LEDGER_FILE
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError:
        mode = "locked"
    if mode != "delete":
        raise ConfigurationError(f"`{settings.state}` is in use; stop the node, and whatever else has it open, first")


def put_state(settings: NodeSettings, source: Path, manifest: Manifest) -> Path | None:
    """Put the files of a checked backup in place; return the folder to which the state before was moved.

    The node must not run (`require_unused`).
    """
    before: Path | None = None
    if settings.state.exists() and any(settings.state.iterdir()):
        mark = sha256(msgspec.json.encode(manifest)).hexdigest()[:8]
        before = settings.state.with_name(f"{settings.state.name}.before-{mark}")
        settings.state.rename(before)
    for name in manifest.files:
        if name != OWN_ROWS:
            target = settings.state / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy2(source / name, target)
            target.chmod(0o600)
    return before


def _in_order(state: Path) -> list[Path]:
    """Return the files to copy, in the order that the module's sentence gives."""
    found = _files(state)
    return sorted(found, key=lambda path: (path.name == _LAST, _FIRST.get(path.name, len(_FIRST)), path.name))


def _files(folder: Path) -> list[Path]:
    """Return a folder's files without those that SQLite makes and removes as it goes."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(_LEFT_BEHIND)]


def _copy_database(path: Path, copy: Path) -> None:
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target, pages=_PAGES)
    copy.chmod(0o600)


def _described(path: Path) -> BackedUpFile:
    with path.open("rb") as content:
        digest = sha256()
        while part := content.read(1 << 20):
            digest.update(part)
    return BackedUpFile(digest.hexdigest(), path.stat().st_size)


def _verifier(settings: NodeSettings, ledger: LedgerStore) -> Ed25519Verifier:
    """Return this node's own ledger key as a verifier: a ledger of another key is not this node's."""
    return Ed25519Signer.of(ledger.origin(), load_ed25519(settings.keys / LEDGER_KEY)).verifier
