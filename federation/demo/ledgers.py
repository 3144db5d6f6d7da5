"""Verifying every ledger of a demo federation: rebuilt from its entries, trusting only the keys on the member list."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from federation.contract.errors import CroceviaError
from federation.contract.members import MemberList
from federation.demo.layout import Home
from federation.ledger.checkpoint import Checkpoint, open_checkpoint
from federation.ledger.cosignature import CosignatureVerifier
from federation.ledger.note import Ed25519Verifier
from federation.ledger.place import open_store_to_read
from federation.ledger.store import LedgerStore
from federation.ledger.verify import verify_ledger
from federation.ledger.witness import cosigned_head
from federation.shared.place import SharedPlace
from federation.trust.registry import last_list


@dataclass(frozen=True, slots=True)
class LedgerFinding:
    """How one ledger verified: the number of its entries, or what is wrong with it."""

    party: str
    entries: int
    root: str
    fault: str | None


def verify_ledgers(home: Home) -> Iterator[LedgerFinding]:
    """Verify the ledgers of all nodes, the gateway and the exchange, also against the heads that witnesses keep."""
    members = last_list(home.registry)
    for party, vkey in members.ledgers().items():
        verifier = Ed25519Verifier.parse(vkey)
        yield _verified(home, party, verifier, list(_heads_elsewhere(home, members, verifier)))


def place_of(home: Home, party: str) -> SharedPlace:
    """Return where a party keeps its ledger: in files of its folder, or in the database that settings there name."""
    settings = home.party(party) / "settings.toml"
    shared = tomllib.loads(settings.read_text(encoding="utf-8")).get("shared") if settings.exists() else None
    return SharedPlace(home.party(party) / "state", shared, party)


def _heads_elsewhere(home: Home, members: MemberList, log: Ed25519Verifier) -> Iterator[Checkpoint]:
    """Yield the heads of a ledger that witnesses keep: against them an older copy of it shows."""
    for member in members.members:
        if member.witness and member.endpoint:
            note = cosigned_head(place_of(home, member.id), log.name)
            if note is not None:
                yield open_checkpoint(note, log, [CosignatureVerifier.parse(member.witness)]).checkpoint


def _verified(home: Home, party: str, verifier: Ed25519Verifier, known: list[Checkpoint]) -> LedgerFinding:
    try:
        with closing(open_store_to_read(place_of(home, party))) as store:
            return _judged(store, party, verifier, known)
    except CroceviaError as error:
        return LedgerFinding(party, 0, "", error.message)


def _judged(store: LedgerStore, party: str, verifier: Ed25519Verifier, known: list[Checkpoint]) -> LedgerFinding:
    """A fault is caught while the store is open: the verification's own cursors are to end before it closes."""
    try:
        found = verify_ledger(store, verifier, known)
    except CroceviaError as error:
        return LedgerFinding(party, 0, "", error.message)
    return LedgerFinding(party, found.head.size, found.head.root.hex(), None)
