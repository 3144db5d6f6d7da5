"""Checkpoints (C2SP tlog-checkpoint v1): which log, how many entries, which root; signed as a note."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from typing_extensions import override

from federation.contract.errors import BadInputError
from federation.ledger.note import (
    Ed25519Signer,
    Ed25519Verifier,
    NoteVerifier,
    SignedNote,
    exact_b64,
    open_note,
    sign_note,
)

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its origin, its number of entries and the root of its tree."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a checkpoint note.

        Raises:
            BadInputError: not exactly three lines (extension lines cannot be audited and are refused), or a line is
                not what it should be.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:  # noqa: PLR2004  # three lines, each with its newline
            raise BadInputError("expected a checkpoint of three lines: origin, size, root")
        origin, size, root = lines[:3]
        if not _SIZE.fullmatch(size):
            raise BadInputError("expected a checkpoint whose second line is a decimal size")
        digest = exact_b64(root)
        if len(digest) != _HASH_BYTES:
            raise BadInputError("expected a checkpoint whose third line is the base64 of 32 bytes")
        return cls(origin, int(size), digest)

    @override
    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose signature by the log was verified, and the note as it was received."""

    checkpoint: Checkpoint
    note: SignedNote


def sign_checkpoint(checkpoint: Checkpoint, signer: Ed25519Signer) -> SignedNote:
    """Return the checkpoint as a note signed by the log, whose key name is the origin."""
    return sign_note(str(checkpoint), [signer])


def open_checkpoint(note: str, log: Ed25519Verifier, witnesses: Collection[NoteVerifier] = ()) -> SignedCheckpoint:
    """Return the checkpoint in `note` once the log's key, and every known witness among its signers, verified.

    Raises:
        BadInputError: the note or the checkpoint is malformed, or its origin is not the log's name.
        SignatureError: the log did not sign it, or a signature of the log or of a known witness does not verify.
    """
    opened = open_note(note, [log])
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != log.name:
        raise BadInputError(f"expected a checkpoint of `{log.name}`, got one of `{checkpoint.origin}`")
    if witnesses:
        opened = open_note(note, [log, *witnesses])
    return SignedCheckpoint(checkpoint, opened)
