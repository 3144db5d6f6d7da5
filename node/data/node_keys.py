"""What is derived from a node's secrets: keyed masks, sealed cursors, marks in the directory."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from federation.contract.members import LONGEST_LIST
from node.data.cursors import CursorSealer
from node.data.groups_audit import AdmitsEveryQuestion, GroupsAudit
from node.data.keyed import MaskKeys
from node.data.operation import Asker
from node.data.rows import NO_CONSENTS


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """A node's keys for what leaves it masked, and for its cursors."""

    masks: MaskKeys
    cursors: CursorSealer

    def asker(
        self,
        consumer: str,
        audit: GroupsAudit | None = None,
        longest_list: int = LONGEST_LIST,
        consents: str = NO_CONSENTS,
    ) -> Asker:
        """Return for whom an operation runs, and who audits its counts; without an audit every count is told."""
        return Asker(consumer, self.masks, self.cursors, audit or AdmitsEveryQuestion(), longest_list, consents)


def mask_keys(secret: bytes, epoch: str) -> MaskKeys:
    """Return the keys of masks under a secret of 32 bytes; a new epoch gives every consumer new pseudonyms."""
    sealing = AESSIV(_derived(secret, b"crocevia/masks/token"))

    def seal(content: bytes, associated: Sequence[bytes]) -> bytes:
        return sealing.encrypt(content, list(associated))

    return MaskKeys(hmac.digest(secret, b"crocevia/masks/master", "sha256"), seal, epoch)


def cursor_sealer(secret: bytes) -> CursorSealer:
    """Return the sealer of cursors under a secret of 32 bytes."""
    return CursorSealer(_derived(secret, b"crocevia/cursors"))


def mark_secret(secret: bytes) -> bytes:
    """Return what makes the marks of citizens in the federation's directory, under a secret of 32 bytes."""
    return hmac.digest(secret, b"crocevia/directory/marks", "sha256")


def _derived(secret: bytes, use: bytes) -> bytes:
    """AES-SIV takes two keys of 32 bytes in one (RFC 5297 section 2.2)."""
    return hmac.digest(secret, use, "sha512")
