"""Statements of the pseudonym exchange: what it translated, for whose request, signed so that a node can believe it."""

from __future__ import annotations

import msgspec

from federation.contract.canonical import b64url, from_b64url
from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import BadInputError, SignatureError, StaleSignatureError
from federation.contract.messages import Translation, TranslationStatement
from federation.trust.keys import KeyLookup, MessageSigner

MAX_AGE = 90
"""Seconds for which a statement counts; a request with all its fetches is over long before."""


def sign_translation(statement: TranslationStatement, signer: MessageSigner) -> Translation:
    """Return the statement under the exchange's signature over its canonical JSON."""
    signature = signer.sign(_content(statement))
    return Translation(statement, signer.kid, b64url(signature))


def verify_translation(translation: Translation, keys: KeyLookup, clock: Clock) -> TranslationStatement:
    """Return the statement once it is known to be the exchange's and recent.

    What it is about (member, purpose, request) is the node's to compare: `node.enforcement.scope`.

    Raises:
        SignatureError: not signed by a key of the exchange.
        StaleSignatureError: older than `MAX_AGE` seconds, or from the future.
    """
    key = keys(translation.keyid)
    if key is None:
        raise SignatureError("translation of pseudonyms is not signed by the exchange")
    try:
        signature = from_b64url(translation.signature)
    except BadInputError as error:
        raise SignatureError("translation of pseudonyms does not verify") from error
    key.verify(signature, _content(translation.statement))
    if abs(epoch_seconds(clock) - translation.statement.issued_at) > MAX_AGE:
        raise StaleSignatureError("translation of pseudonyms is not recent; check the clocks")
    return translation.statement


def _content(statement: TranslationStatement) -> bytes:
    """Return the canonical JSON (RFC 8785) of a statement.

    A thousand pseudonyms make the general encoder slow. Texts and whole numbers under ASCII names, which is all that a
    statement holds, have the same form here; a property keeps it so.
    """
    return msgspec.json.encode(statement, order="sorted")
