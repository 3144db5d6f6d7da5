"""Receipts: made by a ledger, believed by whoever has its public key."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Sequence

from federation.contract.errors import BadInputError, LedgerCorruptError
from federation.contract.receipts import Receipt
from federation.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from federation.ledger.note import Ed25519Verifier, NoteVerifier, exact_b64
from federation.ledger.tree import leaf_hash, proves_inclusion

MAX_PROOF = 64
"""No tree that fits a machine is higher."""


def make_receipt(origin: str, index: int, leaf: bytes, checkpoint: str, inclusion: Sequence[bytes]) -> Receipt:
    """Write a receipt; `leaf` and `inclusion` are 32-byte hashes."""
    return Receipt(
        origin=origin,
        index=index,
        leaf_hash=_b64(leaf),
        checkpoint=checkpoint,
        inclusion=tuple(_b64(part) for part in inclusion),
    )


def verify_receipt(
    receipt: Receipt, log: Ed25519Verifier, leaf: bytes | None = None, witnesses: Collection[NoteVerifier] = ()
) -> SignedCheckpoint:
    """Return the checkpoint that a receipt proves its entry to be in.

    Refuses a receipt whose (1) origin is not the log's, (2) checkpoint is not signed by the log, (3) leaf is not the
    one given, or (4) proof does not lead to the checkpoint's root. Without `leaf`, *what* was recorded stays unchecked.

    Raises:
        BadInputError: (1), or the receipt is malformed.
        SignatureError: (2).
        LedgerCorruptError: (3) or (4).
    """
    if receipt.origin != log.name:  # (1)
        raise BadInputError(f"expected a receipt of `{log.name}`, got one of `{receipt.origin}`")
    signed = open_checkpoint(receipt.checkpoint, log, witnesses)  # (2)
    hashed = exact_b64(receipt.leaf_hash)
    if leaf is not None and leaf_hash(leaf) != hashed:  # (3)
        raise LedgerCorruptError(f"entry {receipt.index} of `{receipt.origin}` is not the one its receipt names")
    if len(receipt.inclusion) > MAX_PROOF:
        raise BadInputError(f"expected an inclusion proof of at most {MAX_PROOF} hashes")
    proof = [exact_b64(part) for part in receipt.inclusion]
    checkpoint = signed.checkpoint
    if not proves_inclusion(hashed, receipt.index, checkpoint.size, proof, checkpoint.root):  # (4)
        raise LedgerCorruptError(f"receipt does not prove entry {receipt.index} to be in `{receipt.origin}`")
    return signed


def _b64(content: bytes) -> str:
    return b64encode(content).decode("ascii")
