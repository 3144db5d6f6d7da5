"""The ledger records before it answers, and answers nothing that it did not record."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from federation.contract.errors import BadInputError, LedgerCorruptError, LedgerUnavailableError, UnavailableError
from federation.ledger.log import Ledger, LedgerState
from federation.ledger.proof import verify_receipt
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.verify import verify_ledger
from tests.support.ledger import SIGNER, LedgerFiles, entry


@pytest.fixture
def files(either: LedgerFiles) -> LedgerFiles:
    return either


async def test_a_receipt_proves_the_entry_under_the_ledgers_key(ledger: Ledger, reader: LedgerReader) -> None:
    receipts = [await ledger.append(entry(number)) for number in range(5)]
    for index, receipt in enumerate(receipts):
        assert receipt.index == index
        leaf = reader.store.leaf(index)
        assert verify_receipt(receipt, SIGNER.verifier, leaf).checkpoint.size == index + 1


async def test_many_at_once_share_commits_and_keep_their_own_proofs(ledger: Ledger, reader: LedgerReader) -> None:
    receipts = await asyncio.gather(*(ledger.append(entry(number)) for number in range(700)))
    assert sorted(receipt.index for receipt in receipts) == list(range(700))
    for number, receipt in enumerate(receipts):
        leaf = reader.store.leaf(receipt.index)
        assert leaf is not None
        assert entry(number) in leaf
        verify_receipt(receipt, SIGNER.verifier, leaf)
    assert len(list(reader.store.checkpoints())) < 100
    assert verify_ledger(reader.store, SIGNER.verifier).head.size == 700


async def test_an_entry_that_is_only_recorded_is_as_durable_and_as_provable(
    ledger: Ledger, reader: LedgerReader
) -> None:
    receipt, _, _ = await asyncio.gather(ledger.append(entry(0)), ledger.record(entry(1)), ledger.record(entry(2)))
    verify_receipt(receipt, SIGNER.verifier, reader.store.leaf(0))
    for index in (1, 2):
        leaf = reader.store.leaf(index)
        assert leaf is not None
        assert entry(index) in leaf
        verify_receipt(reader.entry(index).receipt, SIGNER.verifier, leaf)
    assert verify_ledger(reader.store, SIGNER.verifier).head.size == 3


async def test_the_reader_proves_what_the_receipts_proved(ledger: Ledger, reader: LedgerReader) -> None:
    await asyncio.gather(*(ledger.append(entry(number)) for number in range(600)))
    for index in (0, 1, 255, 256, 511, 512, 599):
        recorded = reader.entry(index)
        assert verify_receipt(recorded.receipt, SIGNER.verifier, recorded.leaf).checkpoint.size == 600


async def test_a_reopened_ledger_goes_on_where_it_was(files: LedgerFiles, subject_keys: SubjectKeys) -> None:
    have = 0
    for size in (3, 300, 301, 600):
        ledger = files.ledger(subject_keys)
        receipts = await asyncio.gather(*(ledger.append(entry(number)) for number in range(have, size)))
        ledger.close()
        assert max(receipt.index for receipt in receipts) == size - 1
        reader = files.reader()
        assert verify_ledger(reader.store, SIGNER.verifier).head.size == size
        reader.close()
        have = size


async def test_two_writers_on_one_file_make_one_history(files: LedgerFiles, subject_keys: SubjectKeys) -> None:
    one, two = files.ledger(subject_keys), files.ledger(subject_keys)
    receipts = await asyncio.gather(*((one, two)[number % 2].append(entry(number), ["p"]) for number in range(600)))
    assert sorted(receipt.index for receipt in receipts) == list(range(600))
    one.close()
    two.close()
    reader = files.reader()
    verified = verify_ledger(
        reader.store, SIGNER.verifier, [verify_receipt(r, SIGNER.verifier).checkpoint for r in receipts]
    )
    assert (verified.head.size, verified.tiles) == (600, 2)
    reader.close()


async def test_a_ledger_opens_while_another_process_writes(files: LedgerFiles, ledger: Ledger) -> None:
    await ledger.append(entry(1))
    with ThreadPoolExecutor(1) as elsewhere, closing(files.subject_keys()) as keys:
        written = []

        def another_writes() -> None:
            written.append(elsewhere.submit(ledger.append_blocking, entry(2)))
            wait(written, timeout=0.2)

        files.disk.before_checkpoint = another_writes
        opened = await asyncio.to_thread(files.ledger, keys)
        assert [each.result().index for each in written] == [1]
        assert (await opened.append(entry(3))).index == 2
        opened.close()


@pytest.mark.parametrize("step", ["add", "commit", "after commit", "open"])
async def test_a_failed_write_refuses_until_the_disk_works_again(
    step: str, files: LedgerFiles, ledger: Ledger, reader: LedgerReader
) -> None:
    first = await ledger.append(entry(1))
    files.disk.fails_at = "commit" if step == "open" else step
    with pytest.raises(LedgerUnavailableError):
        await ledger.append(entry(2))
    assert ledger.state is LedgerState.CLOSED
    assert str(ledger.failure) == "disk I/O error"
    files.disk.fails_at = step
    with pytest.raises(LedgerUnavailableError):
        await ledger.append(entry(3))
    if step == "open":
        assert not await ledger.ready()
    files.disk.fails_at = ""
    assert await ledger.ready()
    assert ledger.failure is None
    last = await ledger.append(entry(4))
    known = [verify_receipt(receipt, SIGNER.verifier).checkpoint for receipt in (first, last)]
    assert verify_ledger(reader.store, SIGNER.verifier, known).head.size == last.index + 1


async def test_a_ledger_whose_tail_was_cut_does_not_open(files: LedgerFiles, subject_keys: SubjectKeys) -> None:
    ledger = files.ledger(subject_keys)
    await asyncio.gather(*(ledger.append(entry(number)) for number in range(10)))
    ledger.close()
    files.tamper("DELETE FROM entry WHERE idx = 9")
    with pytest.raises(LedgerCorruptError, match="not that of its last checkpoint"):
        files.ledger(subject_keys)


async def test_a_ledger_that_shrinks_while_it_is_open_closes(files: LedgerFiles, ledger: Ledger) -> None:
    await asyncio.gather(*(ledger.append(entry(number)) for number in range(10)))
    files.tamper("DELETE FROM entry WHERE idx = 9")
    with pytest.raises(LedgerUnavailableError):
        await ledger.append(entry(10))
    assert isinstance(ledger.failure, LedgerCorruptError)
    assert not await ledger.ready()


async def test_a_file_of_another_ledger_is_refused(files: LedgerFiles, subject_keys: SubjectKeys) -> None:
    files.ledger(subject_keys).close()
    files.tamper("UPDATE ledger SET origin = 'other.example/ledger'")
    with pytest.raises(LedgerCorruptError, match="is of `other"):
        files.ledger(subject_keys)


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    files = LedgerFiles(tmp_path)
    files.path.write_bytes(b"not a database, but long enough to be read as the header of one" * 20)
    with pytest.raises(LedgerCorruptError, match="not a readable ledger file"):
        files.store()


async def test_an_entry_that_no_tile_can_serve_is_refused(ledger: Ledger) -> None:
    with pytest.raises(BadInputError, match="over the limit"):
        await ledger.append(b'"%b"' % (b"x" * 65_536))


async def test_a_closed_ledger_takes_nothing(files: LedgerFiles, subject_keys: SubjectKeys) -> None:
    ledger = files.ledger(subject_keys)
    ledger.close()
    with pytest.raises(LedgerUnavailableError, match="shut down"):
        await ledger.append(entry(1))


def test_a_caller_without_a_loop_is_served(ledger: Ledger) -> None:
    assert ledger.append_blocking(entry(1)).index == 0


APPEND_ONLY = {
    "update an entry": "UPDATE entry SET leaf = x'00' WHERE idx = 1",
    "delete an entry": "DELETE FROM entry WHERE idx = 1",
    "replace an entry": "INSERT INTO entry VALUES (1, x'00', x'00') ON CONFLICT (idx) DO UPDATE SET leaf = x'00'",
    "leave a gap": "INSERT INTO entry VALUES (17, x'00', x'00')",
    "update a checkpoint": "UPDATE checkpoint SET note = '' WHERE size = 1",
    "delete a checkpoint": "DELETE FROM checkpoint",
    "insert an older checkpoint": "INSERT INTO checkpoint VALUES (0, '')",
    "delete a subject's row": "DELETE FROM subject",
    "give a subject's row to another": "UPDATE subject SET lookup = x'01'",
}


@pytest.mark.parametrize("statement", APPEND_ONLY.values(), ids=APPEND_ONLY.keys())
async def test_the_store_itself_refuses_what_is_not_appending(
    statement: str, files: LedgerFiles, ledger: Ledger
) -> None:
    for number in range(3):
        await ledger.append(entry(number), ["p"])
    with pytest.raises((sqlite3.IntegrityError, UnavailableError)) as refused:
        files.run(statement)
    assert "appended to" in f"{refused.value} {refused.value.__cause__}"


async def test_a_file_refuses_what_only_sqlite_has(tmp_path: Path) -> None:
    files = LedgerFiles(tmp_path)
    with closing(files.subject_keys()) as keys, closing(files.ledger(keys)) as ledger:
        await ledger.append(entry(1))
        with pytest.raises(sqlite3.IntegrityError, match="appended to"):
            files.run("INSERT OR REPLACE INTO entry VALUES (0, x'00', x'00')")
