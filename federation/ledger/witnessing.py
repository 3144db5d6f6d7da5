"""A log's side of witnessing: what to send to a witness, and what to keep of its answer."""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus

from federation.contract.errors import BadInputError, LedgerCorruptError
from federation.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from federation.ledger.cosignature import CosignatureVerifier
from federation.ledger.note import Ed25519Verifier, NoteSignature, SignedNote
from federation.ledger.reader import LedgerReader
from federation.ledger.witness import AddCheckpoint


def submission(reader: LedgerReader, old_size: int, head: SignedCheckpoint | None = None) -> AddCheckpoint:
    """Return a head of the log, the newest if none is given, with the proof from the witness's last one.

    Raises:
        NotFoundError: nothing was recorded yet, or the witness has seen more than this log holds: it was cut back.
    """
    head = head or reader.head()
    return AddCheckpoint(old_size, reader.consistency(old_size, head.checkpoint.size), str(head.note))


def size_in(status: int, body: str) -> int | None:
    """Return the size that a witness answered with 409, to try again from there; None for any other answer."""
    if status != HTTPStatus.CONFLICT:
        return None
    text = body.removesuffix("\n")
    if not text.isascii() or not text.isdigit():
        raise BadInputError("expected the witness's size")
    return int(text)


def with_cosignatures(note: str, answer: str, witnesses: Collection[CosignatureVerifier]) -> str:
    """Return the checkpoint with the verified cosignatures of known witnesses added; unknown ones are dropped.

    Raises:
        BadInputError: the answer holds no cosignature of a known witness.
        LedgerCorruptError: a cosignature under a known witness's name does not verify.
    """
    signed = SignedNote.parse(note)
    known = {(witness.name, witness.key_id): witness for witness in witnesses}
    added: list[NoteSignature] = []
    for line in answer.splitlines():
        signature = NoteSignature.parse(line)
        witness = known.get((signature.name, signature.key_id))
        if witness is None:
            continue
        if not witness.verifies(signed.text, signature.signature):
            raise LedgerCorruptError(f"cosignature of `{witness.name}` does not verify")
        added.append(signature)
    if not added:
        raise BadInputError("no known witness cosigned the checkpoint")
    others = [each for each in signed.signatures if (each.name, each.key_id) not in {(a.name, a.key_id) for a in added}]
    return str(SignedNote(signed.text, (*others, *added)))


def cosigners(note: str, log: Ed25519Verifier, witnesses: Collection[CosignatureVerifier]) -> frozenset[str]:
    """Return the names of the witnesses that cosigned a checkpoint; a verifier's policy says how many are enough.

    Raises:
        BadInputError: the note is malformed or of another log.
        SignatureError: the signature of the log, or of a known witness, does not verify.
    """
    signed = open_checkpoint(note, log, witnesses).note
    names = {(witness.name, witness.key_id): witness.name for witness in witnesses}
    return frozenset(names[line.name, line.key_id] for line in signed.signatures if (line.name, line.key_id) in names)
