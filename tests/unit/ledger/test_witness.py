"""A witness cosigns only what continues what it cosigned, and answers as C2SP tlog-witness says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.clock import FixedClock
from federation.contract.errors import BadInputError, LedgerCorruptError, SignatureError
from federation.ledger.checkpoint import Checkpoint, sign_checkpoint
from federation.ledger.cosignature import CosignatureVerifier, Cosigner, timestamp
from federation.ledger.log import Ledger
from federation.ledger.note import Ed25519Signer, NoteSignature, SignedNote
from federation.ledger.reader import LedgerReader
from federation.ledger.tree import EMPTY_ROOT
from federation.ledger.witness import MAX_PROOF, SIZE_TYPE, AddCheckpoint, Witness, WitnessAnswer
from federation.ledger.witnessing import cosigners, size_in, submission, with_cosignatures
from federation.shared.place import SharedPlace
from tests.support.ledger import SIGNER, entry

NOW = datetime(2026, 11, 22, tzinfo=UTC)
COSIGNER = Cosigner.of("aslvs.example/witness", Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32))
LOGS = {SIGNER.verifier.name: [SIGNER.verifier]}


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    opened = Witness.open(SharedPlace(tmp_path), COSIGNER, FixedClock(NOW))
    yield opened
    opened.close()


async def grow(ledger: Ledger, count: int) -> None:
    await asyncio.gather(*(ledger.append(entry(number)) for number in range(count)))


def offer(witness: Witness, reader: LedgerReader, old: int) -> WitnessAnswer:
    return witness.add_checkpoint(str(submission(reader, old)), LOGS)


def head(size: int, root: bytes = bytes(32), signer: Ed25519Signer = SIGNER) -> str:
    return str(sign_checkpoint(Checkpoint(SIGNER.verifier.name, size, root), signer))


async def test_a_growing_log_is_cosigned_at_every_step(witness: Witness, ledger: Ledger, reader: LedgerReader) -> None:
    old = 0
    for count in (1, 5, 300, 7):
        await grow(ledger, count)
        answer = offer(witness, reader, old)
        assert answer.status is HTTPStatus.OK
        note = with_cosignatures(str(reader.head().note), answer.body, [COSIGNER.verifier])
        assert cosigners(note, SIGNER.verifier, [COSIGNER.verifier]) == {COSIGNER.verifier.name}
        assert witness.checkpoint(SIGNER.verifier.name) == note
        old = reader.head().checkpoint.size
    assert offer(witness, reader, old).status is HTTPStatus.OK  # the same head again


async def test_a_log_that_is_wrong_about_the_witness_is_told_its_size(
    witness: Witness, ledger: Ledger, reader: LedgerReader
) -> None:
    await grow(ledger, 5)
    offer(witness, reader, 0)
    await grow(ledger, 5)
    answer = offer(witness, reader, 0)
    assert (answer.status, answer.body, answer.content_type) == (HTTPStatus.CONFLICT, "5\n", SIZE_TYPE)
    assert size_in(answer.status, answer.body) == 5
    assert offer(witness, reader, 5).status is HTTPStatus.OK


async def test_a_forked_log_is_not_cosigned(witness: Witness, ledger: Ledger, reader: LedgerReader) -> None:
    await grow(ledger, 5)
    offer(witness, reader, 0)
    forked = AddCheckpoint(5, (), head(5))
    assert witness.add_checkpoint(str(forked), LOGS).status is HTTPStatus.UNPROCESSABLE_ENTITY
    await grow(ledger, 5)
    grown = AddCheckpoint(5, reader.consistency(5, 10), head(10))
    assert witness.add_checkpoint(str(grown), LOGS).status is HTTPStatus.UNPROCESSABLE_ENTITY
    assert offer(witness, reader, 5).status is HTTPStatus.OK


async def test_a_log_cut_back_is_not_cosigned(witness: Witness, ledger: Ledger, reader: LedgerReader) -> None:
    await grow(ledger, 5)
    small = str(reader.head().note)
    await grow(ledger, 5)
    offer(witness, reader, 0)
    assert witness.add_checkpoint(str(AddCheckpoint(5, (), small)), LOGS).status is HTTPStatus.CONFLICT
    assert witness.add_checkpoint(str(AddCheckpoint(10, (), small)), LOGS).status is HTTPStatus.BAD_REQUEST


STRANGER = Ed25519Signer.of(SIGNER.verifier.name, Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32))
WRONG = str(SignedNote(SignedNote.parse(head(2)).text, SignedNote.parse(head(1)).signatures))
REFUSED = {
    "empty": ("", HTTPStatus.BAD_REQUEST),
    "no old size": (head(1), HTTPStatus.BAD_REQUEST),
    "old size with a zero before": (f"old 01\n\n{head(1)}", HTTPStatus.BAD_REQUEST),
    "proof of a short hash": (f"old 0\nAAAA\n\n{head(1)}", HTTPStatus.BAD_REQUEST),
    "proof too long": (f"old 0\n{('A' * 43 + '=' + chr(10)) * (MAX_PROOF + 1)}\n{head(1)}", HTTPStatus.BAD_REQUEST),
    "no note": ("old 0\n\ntext", HTTPStatus.BAD_REQUEST),
    "unknown log": (
        f"old 0\n\n{sign_checkpoint(Checkpoint('x.example/log', 1, bytes(32)), SIGNER)}",
        HTTPStatus.NOT_FOUND,
    ),
    "signed by a stranger": (f"old 0\n\n{head(1, signer=STRANGER)}", HTTPStatus.FORBIDDEN),
    "signature of another head": (f"old 0\n\n{WRONG}", HTTPStatus.FORBIDDEN),
    "proof from nothing": (f"old 0\n{'A' * 43}=\n\n{head(1)}", HTTPStatus.UNPROCESSABLE_ENTITY),
    "empty log with a root": (f"old 0\n\n{head(0)}", HTTPStatus.UNPROCESSABLE_ENTITY),
    "empty log": (f"old 0\n\n{head(0, EMPTY_ROOT)}", HTTPStatus.OK),
}


@pytest.mark.parametrize(("body", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_every_fault_has_its_status(body: str, status: HTTPStatus, witness: Witness) -> None:
    assert witness.add_checkpoint(body, LOGS).status is status


async def test_of_two_requests_at_once_one_is_cosigned(
    tmp_path: Path, witness: Witness, ledger: Ledger, reader: LedgerReader
) -> None:
    second = Witness.open(SharedPlace(tmp_path), COSIGNER, FixedClock(NOW))
    old = 0
    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            await grow(ledger, 2)
            small = str(submission(reader, old))
            await grow(ledger, 2)
            large = str(submission(reader, old))
            answers = pool.map(lambda pair: pair[0].add_checkpoint(pair[1], LOGS), [(witness, small), (second, large)])
            assert sorted(answer.status for answer in answers) == [HTTPStatus.OK, HTTPStatus.CONFLICT]
            note = witness.checkpoint(SIGNER.verifier.name)
            assert note is not None
            old = Checkpoint.parse(SignedNote.parse(note).text).size
            assert old > 0
    second.close()


async def test_a_restart_does_not_take_a_witness_back(
    tmp_path: Path, witness: Witness, ledger: Ledger, reader: LedgerReader
) -> None:
    await grow(ledger, 3)
    offer(witness, reader, 0)
    again = Witness.open(SharedPlace(tmp_path), COSIGNER, FixedClock(NOW))
    assert offer(again, reader, 0).body == "3\n"
    again.close()


async def test_a_cosignature_is_of_its_witness_time_and_head(
    witness: Witness, ledger: Ledger, reader: LedgerReader
) -> None:
    await grow(ledger, 1)
    note, answer = str(reader.head().note), offer(witness, reader, 0).body
    line = NoteSignature.parse(answer[:-1])
    assert timestamp(line.signature) == int(NOW.timestamp())
    assert CosignatureVerifier.parse(str(COSIGNER.verifier)) == COSIGNER.verifier
    later = NoteSignature(line.name, line.key_id, bytes(8) + line.signature[8:])
    for wrong, error in ((str(later), LedgerCorruptError), (str(NoteSignature("x", *_rest(line))), BadInputError)):
        with pytest.raises(error):
            with_cosignatures(note, wrong + "\n", [COSIGNER.verifier])
    forged = str(SignedNote(SignedNote.parse(note).text, (*SignedNote.parse(note).signatures, later)))
    with pytest.raises(SignatureError):
        cosigners(forged, SIGNER.verifier, [COSIGNER.verifier])


def _rest(line: NoteSignature) -> tuple[bytes, bytes]:
    return line.key_id, line.signature


def test_the_published_cosigned_checkpoint_is_read() -> None:
    """The example of C2SP tlog-cosignature; its keys are not published, its form is."""
    note = SignedNote.parse(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 "
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    assert timestamp(note.signatures[1].signature) == 1679315147
