"""Names of ledgers and witnesses, as checkpoints and cosignatures carry them (C2SP tlog-checkpoint: no scheme)."""

from __future__ import annotations


def ledger_origin(federation: str, party: str) -> str:
    """Return the name of a party's ledger, which is also its key's."""
    return f"{federation.removeprefix('https://')}/{party}/ledger"


def witness_name(federation: str, member: str) -> str:
    """Return the name under which a member's node cosigns."""
    return f"{federation.removeprefix('https://')}/{member}/witness"
