"""A citizen's entries are found, all of them and only them, until the citizen is erased."""

from __future__ import annotations

import asyncio

import pytest

from federation.contract.errors import LedgerCorruptError
from federation.ledger.erasure import erase_subject
from federation.ledger.leaf import Leaf, SubjectKey, leaf_length
from federation.ledger.log import Ledger
from federation.ledger.proof import verify_receipt
from federation.ledger.reader import LedgerReader
from federation.ledger.subject_keys import SubjectKeys
from federation.ledger.verify import verify_ledger, verify_subject_index
from tests.support.ledger import SIGNER, LedgerFiles, entry

ALICE, BOB = "v1.siv.c_m999.QWxpY2U", "v1.siv.c_m999.Qm9i"


@pytest.fixture
def files(either: LedgerFiles) -> LedgerFiles:
    return either


async def test_a_subject_finds_all_own_entries_and_no_other(
    ledger: Ledger, reader: LedgerReader, subject_keys: SubjectKeys
) -> None:
    people = {ALICE: set[int](), BOB: set[int](), "nobody": set[int]()}
    appended = []
    for number in range(60):
        about = [who for who, step in ((ALICE, 3), (BOB, 5)) if number % step == 0]
        appended.append(ledger.append(entry(number), about))
        for who in about:
            people[who].add(number)
    receipts = await asyncio.gather(*appended)
    for who, numbers in people.items():
        found = list(reader.about(who, subject_keys))
        expected = sorted((receipts[number].index for number in numbers), reverse=True)
        assert [each.index for each in found] == expected
        assert [each.index for each in reader.about(who, subject_keys, 17)] == [each for each in expected if each < 17]
        assert {each.entry for each in found} == {entry(number) for number in numbers}
        for each in found:
            verify_receipt(each.receipt, SIGNER.verifier, each.leaf)


async def test_the_sealed_part_opens_for_its_subject_only(
    ledger: Ledger, reader: LedgerReader, subject_keys: SubjectKeys
) -> None:
    await ledger.append(entry(1), {ALICE: b"case 17", BOB: b"case 18"})
    assert [each.personal for each in reader.about(ALICE, subject_keys)] == [b"case 17"]
    assert [each.personal for each in reader.about(BOB, subject_keys)] == [b"case 18"]
    leaf = Leaf.parse(reader.entry(0).leaf)
    stranger = SubjectKey(b"s" * 32)
    with pytest.raises(LedgerCorruptError, match="does not open"):
        stranger.unseal(leaf.nonce, leaf.subjects[0].sealed, leaf.entry)


async def test_two_entries_about_one_subject_share_no_tag(ledger: Ledger, reader: LedgerReader) -> None:
    await ledger.append(entry(1), [ALICE])
    await ledger.append(entry(1), [ALICE])
    first, second = (Leaf.parse(each.leaf) for each in reader.entries())
    assert first.subjects[0].tag != second.subjects[0].tag
    assert first.to_bytes() != second.to_bytes()


async def test_erasure_leaves_no_trace_and_every_proof(
    files: LedgerFiles, ledger: Ledger, reader: LedgerReader, subject_keys: SubjectKeys
) -> None:
    receipts = [await ledger.append(entry(number), {ALICE: b"secret of alice"}) for number in range(4)]
    receipts.append(await ledger.append(entry(4), {BOB: b"secret of bob"}))
    key = subject_keys.find(ALICE)
    assert key is not None
    assert erase_subject(ALICE, reader.store, subject_keys) == 4
    assert not list(reader.about(ALICE, subject_keys))
    assert len(list(reader.about(BOB, subject_keys))) == 1
    assert verify_ledger(reader.store, SIGNER.verifier).head.size == 5
    for receipt in receipts:
        verify_receipt(receipt, SIGNER.verifier, reader.store.leaf(receipt.index))
    on_disk = files.content()
    for trace in (ALICE.encode(), BOB.encode(), b"secret of", key.lookup, key.secret):
        assert trace not in on_disk
    assert erase_subject(ALICE, reader.store, subject_keys) == 0


async def test_with_the_keys_a_hidden_entry_is_found(
    files: LedgerFiles, ledger: Ledger, reader: LedgerReader, subject_keys: SubjectKeys
) -> None:
    for number in range(4):
        await ledger.append(entry(number), [ALICE, BOB])
    assert verify_subject_index(reader.store, subject_keys.all()) == 8
    erase_subject(BOB, reader.store, subject_keys)
    assert verify_subject_index(reader.store, subject_keys.all()) == 4
    files.run("UPDATE subject SET lookup = x'' WHERE idx = 2")
    assert verify_ledger(reader.store, SIGNER.verifier).head.size == 4  # nobody without the keys can know
    with pytest.raises(LedgerCorruptError, match="entry 2"):
        verify_subject_index(reader.store, subject_keys.all())


@pytest.mark.parametrize("lookup", ["x'0102'", "(SELECT lookup FROM subject WHERE idx = 1)"])
async def test_with_the_keys_a_wrong_link_is_found(
    lookup: str, files: LedgerFiles, ledger: Ledger, reader: LedgerReader, subject_keys: SubjectKeys
) -> None:
    await ledger.append(entry(0), [ALICE])
    await ledger.append(entry(1), [BOB])
    files.tamper(f"UPDATE subject SET lookup = {lookup} WHERE idx = 0")
    with pytest.raises(LedgerCorruptError, match="entry 0"):
        verify_subject_index(reader.store, subject_keys.all())


async def test_an_erased_subject_begins_anew(
    files: LedgerFiles, ledger: Ledger, reader: LedgerReader, subject_keys: SubjectKeys
) -> None:
    await ledger.append(entry(1), [ALICE])
    elsewhere = files.subject_keys()  # another process erases; this one must not go on with the key it remembers
    erase_subject(ALICE, reader.store, elsewhere)
    await ledger.append(entry(2), [ALICE])
    assert [each.entry for each in reader.about(ALICE, subject_keys)] == [entry(2)]
    elsewhere.close()


async def test_the_subject_keys_alone_open_nothing(files: LedgerFiles, ledger: Ledger) -> None:
    await ledger.append(entry(1), [ALICE])
    thief = files.subject_keys(b"guess" * 8)
    assert thief.find(ALICE) is None
    thief.close()


def test_the_length_of_a_leaf_is_known_before_it_is_made() -> None:
    keys = [SubjectKey(bytes([number]) * 32) for number in range(3)]
    for parts in ([], [b""], [b"", b"abc"], [b"x" * 40, b"", b"y"]):
        leaf = Leaf.about(entry(1), bytes(16), list(zip(keys, parts, strict=False))).to_bytes()
        assert len(leaf) <= leaf_length(entry(1), parts) <= len(leaf) + 1


NOT_LEAVES = {
    "not JSON": b"\x00",
    "no nonce": b'{"entry":{},"subjects":[]}',
    "extra key": b'{"entry":{},"extra":1,"nonce":"","subjects":[]}',
    "space": b'{"entry":{}, "nonce":"","subjects":[]}',
    "padded nonce": b'{"entry":{},"nonce":"AA==","subjects":[]}',
    "nonce not zero-ended": b'{"entry":{},"nonce":"AB","subjects":[]}',
    "empty sealed": b'{"entry":{},"nonce":"AA","subjects":[{"sealed":"","tag":"AA"}]}',
    "tag twice": b'{"entry":{},"nonce":"AA","subjects":[{"tag":"AA","tag":"AA"}]}',
}


@pytest.mark.parametrize("content", NOT_LEAVES.values(), ids=NOT_LEAVES.keys())
def test_bytes_that_are_not_a_leaf_are_refused(content: bytes) -> None:
    with pytest.raises(LedgerCorruptError):
        Leaf.parse(content)
