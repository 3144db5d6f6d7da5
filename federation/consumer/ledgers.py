"""Looking at others' ledgers from outside, over HTTP: the proof of an entry, and whether witnesses saw one history.

Keys come from the signed member list. What a ledger publishes is hashes, heads and proofs, never an entry.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

import httpx
import msgspec

from federation.contract.errors import CroceviaError, LedgerCorruptError, NotFoundError, UnavailableError
from federation.contract.members import MemberList
from federation.contract.receipts import Receipt
from federation.ledger.checkpoint import Checkpoint, open_checkpoint
from federation.ledger.cosignature import CosignatureVerifier
from federation.ledger.note import Ed25519Verifier
from federation.ledger.proof import verify_receipt
from federation.ledger.tree import proves_consistency

_SECONDS = 5.0


class Verdict(StrEnum):
    """How a witness's head stands to the ledger's own."""

    SAME_HISTORY = "same history"
    NOT_SEEN = "not seen yet"
    FORKED = "forked"
    """Both heads are signed by the ledger's key, and neither continues the other: proof against the ledger."""
    CUT_BACK = "cut back"
    """The witness holds a head, signed by the ledger's key, of more entries than the ledger now shows."""
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class WitnessView:
    """What one witness has of one ledger; sizes are numbers of entries."""

    ledger: str
    witness: str
    size: int
    head: int
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LedgersOutside:
    """The ledgers and witnesses of a federation, over HTTP."""

    members: MemberList
    http: httpx.Client

    def prove(self, party: str, index: int) -> Receipt:
        """Return the receipt of an entry under the ledger's newest head, verified.

        Raises:
            NotFoundError: the party publishes no ledger, or it has no such entry.
            LedgerCorruptError, SignatureError: the proof does not hold.
            UnavailableError: the ledger does not answer.
        """
        log = self._log(party)
        try:
            found = self._json(f"{self._origin(party)}/ledger/proof/inclusion?index={index}")
        except NotFoundError as error:
            entries = self._head(party, log).size
            raise NotFoundError(f"the ledger of `{party}` has {entries} entries; entry {index} is not there") from error
        try:
            receipt = Receipt(log.name, index, found["leafHash"], found["checkpoint"], tuple(found["path"]))
        except (KeyError, TypeError) as error:
            raise LedgerCorruptError(f"`{party}` gave no inclusion proof of entry {index}") from error
        verify_receipt(receipt, log)
        return receipt

    def views(self) -> Iterator[WitnessView]:
        """Compare every ledger's head with what each of its witnesses cosigned."""
        for party in self.members.ledgers():
            for witness, (vkey, origin) in self.members.witnesses(party).items():
                yield self._view(party, witness, CosignatureVerifier.parse(vkey), origin)

    def _view(self, party: str, witness: str, cosigner: CosignatureVerifier, origin: str) -> WitnessView:
        log = self._log(party)
        seen = 0
        try:
            digest = sha256(log.name.encode()).hexdigest()
            note = self._text(f"{origin}/witness/checkpoint/{digest}")
            known = open_checkpoint(note, log, [cosigner]).checkpoint
            seen = known.size
            head = self._head(party, log)
        except NotFoundError:
            return WitnessView(party, witness, 0, 0, Verdict.NOT_SEEN)
        except CroceviaError as error:
            return WitnessView(party, witness, seen, 0, Verdict.SILENT, error.message)
        return WitnessView(party, witness, known.size, head.size, self._compared(party, known, head))

    def _compared(self, party: str, known: Checkpoint, head: Checkpoint) -> Verdict:
        """Tell whether the ledger's head continues the witness's."""
        if known.size > head.size:
            return Verdict.CUT_BACK
        try:
            found = self._json(f"{self._origin(party)}/ledger/proof/consistency?first={known.size}&second={head.size}")
            path = [b64decode(part, validate=True) for part in found["path"]]
        except (CroceviaError, KeyError, TypeError, ValueError, Base64Error):
            return Verdict.FORKED  # a ledger that cannot show the way from a head it signed does not hold it any more
        agrees = proves_consistency(known.size, known.root, head.size, head.root, path)
        return Verdict.SAME_HISTORY if agrees else Verdict.FORKED

    def _head(self, party: str, log: Ed25519Verifier) -> Checkpoint:
        return open_checkpoint(self._text(f"{self._origin(party)}/ledger/checkpoint"), log).checkpoint

    def _log(self, party: str) -> Ed25519Verifier:
        vkey = self.members.ledgers().get(party)
        if vkey is None:
            known = ", ".join(f"`{each}`" for each in self.members.ledgers())
            raise NotFoundError(f"`{party}` publishes no ledger; those that do are {known}")
        return Ed25519Verifier.parse(vkey)

    def _origin(self, party: str) -> str:
        return (self.members.party(party).endpoint or "").removesuffix("/graphql")

    def _json(self, url: str) -> dict[str, Any]:
        try:
            return msgspec.json.decode(self._text(url), type=dict[str, Any])
        except ValueError as error:
            raise LedgerCorruptError("ledger answered with something else than a proof") from error

    def _text(self, url: str) -> str:
        try:
            response = self.http.get(url, timeout=_SECONDS)
        except httpx.HTTPError as error:
            raise UnavailableError(f"no answer: {type(error).__name__}") from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NotFoundError("nothing is published there")
        if response.status_code != httpx.codes.OK:
            raise UnavailableError(f"answered with status {response.status_code}")
        return response.text
