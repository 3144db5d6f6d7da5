"""Verifying every ledger of a demo federation: rebuilt from its entries, trusting only the keys on the member list."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from federation.contract.errors import CroceviaError
from federation.demo.founding import ledger_origin
from federation.demo.layout import Home
from federation.ledger.note import Ed25519Signer, Ed25519Verifier
from federation.ledger.store import SqliteStore
from federation.ledger.verify import verify_ledger
from federation.trust.keys import LEDGER_KEY, load_ed25519
from federation.trust.registry import last_list


@dataclass(frozen=True, slots=True)
class LedgerFinding:
    """How one ledger verified: the number of its entries, or what is wrong with it."""

    party: str
    entries: int
    root: str
    fault: str | None


def verify_ledgers(home: Home) -> Iterator[LedgerFinding]:
    """Verify the ledgers of all nodes, the gateway and the exchange."""
    members = last_list(home.registry)
    keys = {member.id: Ed25519Verifier.parse(member.ledger) for member in members.members if member.ledger}
    for party in ("gateway", "exchange"):
        private = load_ed25519(home.keys(party) / LEDGER_KEY)
        keys[members.party(party).id] = Ed25519Signer.of(ledger_origin(members.federation, party), private).verifier
    for party, verifier in keys.items():
        yield _verified(home, party, verifier)


def _verified(home: Home, party: str, verifier: Ed25519Verifier) -> LedgerFinding:
    try:
        with closing(SqliteStore.open_to_read(home.party(party) / "state" / "ledger.db")) as store:
            return _judged(store, party, verifier)
    except CroceviaError as error:
        return LedgerFinding(party, 0, "", error.message)


def _judged(store: SqliteStore, party: str, verifier: Ed25519Verifier) -> LedgerFinding:
    """A fault is caught while the store is open: the verification's own cursors are to end before it closes."""
    try:
        found = verify_ledger(store, verifier)
    except CroceviaError as error:
        return LedgerFinding(party, 0, "", error.message)
    return LedgerFinding(party, found.head.size, found.head.root.hex(), None)
