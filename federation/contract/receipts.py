"""The receipt of a ledger entry: enough to prove, offline and for ever, that the access was recorded."""

from __future__ import annotations

import msgspec


class Receipt(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Where an entry stands in a ledger, and why that can be believed.

    `leaf_hash` and `inclusion` are base64 of 32-byte hashes (RFC 9162 section 2.1.3); `checkpoint` is the signed note
    (C2SP tlog-checkpoint) of the first tree that holds the entry.
    """

    origin: str
    index: int
    leaf_hash: str
    checkpoint: str
    inclusion: tuple[str, ...]
