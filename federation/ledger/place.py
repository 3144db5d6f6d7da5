"""Where a party's ledger is: a file on its host, or the database that all its hosts share (docs/adr/0038).

A party that is given a database takes the ledger of its host along, once: a second, empty ledger under the same key
would be a fork.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

from federation.contract.errors import LedgerCorruptError
from federation.ledger.store import LedgerStore, SqliteStore, StoredLeaf, StoredTile
from federation.ledger.stored_hashes import TILE_HEIGHT
from federation.ledger.subject_keys import SqliteSubjectKeys, SubjectKeys
from federation.shared.place import SharedPlace, moving

LEDGER_FILE: Final = "ledger.db"
SUBJECTS_FILE: Final = "subjects.db"
_PORTION: Final = 2_000


def open_store(place: SharedPlace, origin: str) -> LedgerStore:
    """Open the ledger of `origin`, or make it.

    Raises:
        ConfigurationError: `shared` is no address of a database.
        LedgerUnavailableError: it cannot be opened.
        LedgerCorruptError: it is not that ledger, or the host's file holds another history than the database.
    """
    path = place.state / LEDGER_FILE
    if place.url is None:
        return SqliteStore.open(path, origin)
    from federation.ledger.database_store import DatabaseStore  # noqa: PLC0415  # the optional extra `postgres`

    store = DatabaseStore.open(place, origin)
    try:
        with moving(path) as there:
            if there:
                with closing(SqliteStore.open(path, origin)) as file:
                    file.begin()  # nobody adds to it any more
                    take_over(file, store, file.seal)
    except BaseException:
        store.close()
        raise
    return store


def open_store_to_read(place: SharedPlace) -> LedgerStore:
    """Open an existing ledger as it is, without changing anything in it.

    Raises:
        LedgerUnavailableError: there is none, or it cannot be opened.
    """
    if place.url is None:
        return SqliteStore.open_to_read(place.state / LEDGER_FILE)
    from federation.ledger.database_store import DatabaseStore  # noqa: PLC0415  # the optional extra `postgres`

    return DatabaseStore.open_to_read(place)


def open_subject_keys(place: SharedPlace, member_key: bytes, random: Callable[[int], bytes]) -> SubjectKeys:
    """Open the subject keys of the ledger in `place`, or make them.

    Raises:
        ConfigurationError: `shared` is no address of a database.
        LedgerUnavailableError: they cannot be opened.
    """
    path = place.state / SUBJECTS_FILE
    if place.url is None:
        return SqliteSubjectKeys.open(path, member_key, random)
    from federation.ledger.database_subject_keys import (  # noqa: PLC0415  # the optional extra `postgres`
        DatabaseSubjectKeys,
    )

    keys = DatabaseSubjectKeys.open(place, member_key, random)
    try:
        with moving(path) as there:
            if there:
                with closing(SqliteSubjectKeys.open(path, member_key, random)) as file:
                    file.seal()
                    keys.keep(file.kept())
    except BaseException:
        keys.close()
        raise
    return keys


def copy_to_files(place: SharedPlace, folder: Path) -> None:
    """Copy a ledger and its subject keys out of the database into files, as they are on a host; the keys last.

    Raises:
        LedgerUnavailableError: the database does not answer.
    """
    from federation.ledger.database_subject_keys import (  # noqa: PLC0415  # the optional extra `postgres`
        DatabaseSubjectKeys,
    )

    with (
        closing(open_store_to_read(place)) as source,
        closing(SqliteStore.open(folder / LEDGER_FILE, source.origin())) as file,
    ):
        take_over(source, file)
    with (
        closing(DatabaseSubjectKeys.open(place, b"", bytes)) as keys,
        closing(SqliteSubjectKeys.open(folder / SUBJECTS_FILE, b"", bytes)) as kept,
    ):
        kept.keep(keys.kept())


def take_over(source: LedgerStore, target: LedgerStore, seal: Callable[[], None] = lambda: None) -> None:
    """Continue in `target` the history of `source`, entry by entry and checkpoint by checkpoint, as one transaction.

    A target that has the source's newest checkpoint was given it before. `seal` ends the source before the target's
    commit: should that fail, or nobody know whether it did, no entry comes between, and the next start goes on.

    Raises:
        LedgerCorruptError: the target's history is another one.
    """
    tiles = _Tiles(source.tiles())  # before the target's lock, which is lost to whoever stands still with it
    before = target.begin()
    note = source.last_checkpoint()
    if before and note is not None:
        if note not in (kept for _, kept in target.checkpoints()):
            raise LedgerCorruptError(
                f"the database holds another history than the file `{LEDGER_FILE}` of this host, "
                "which is older or a fork; verify both, and put the file aside only if it is older"
            )
        seal()
        target.commit()
        return
    leaves = _leaves(source)
    size = 0
    for checkpoints in _portions(source.checkpoints()):
        after = checkpoints[-1][0]
        target.add(list(islice(leaves, after - size)), tiles.complete_at(after), checkpoints)
        size = after
    seal()
    target.commit()


def _portions(checkpoints: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Yield checkpoints together that cover about `_PORTION` entries: few statements, and none that takes long."""
    portion: list[tuple[int, str]] = []
    size = 0
    for checkpoint in checkpoints:
        portion.append(checkpoint)
        if checkpoint[0] - size >= _PORTION:
            yield portion
            portion, size = [], checkpoint[0]
    if portion:
        yield portion


def _leaves(source: LedgerStore) -> Iterator[StoredLeaf]:
    subjects = source.subject_rows()
    link = next(subjects, None)
    for index, leaf, leaf_hash in source.rows():
        lookups: list[bytes] = []
        while link is not None and link[0] == index:
            lookups.append(link[2])
            link = next(subjects, None)
        yield StoredLeaf(index, leaf, leaf_hash, tuple(lookups))


class _Tiles:
    """The tiles of a ledger, given out as the tree that completes them grows."""

    def __init__(self, rows: Iterable[tuple[int, int, bytes]]) -> None:
        self._waiting = sorted((StoredTile(*row) for row in rows), key=_complete_at, reverse=True)

    def complete_at(self, size: int) -> list[StoredTile]:
        """Return the tiles that a tree of `size` has and were not given out before."""
        found: list[StoredTile] = []
        while self._waiting and _complete_at(self._waiting[-1]) <= size:
            found.append(self._waiting.pop())
        return found


def _complete_at(tile: StoredTile) -> int:
    return (tile.number + 1) << (TILE_HEIGHT * (tile.level + 1))
