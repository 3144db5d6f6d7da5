"""A node believes only what the exchange itself says, and only for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import SignatureError, StaleSignatureError
from federation.contract.identifiers import MemberId
from federation.contract.messages import TranslationStatement
from federation.trust.keys import SigningKey, VerifyKey
from federation.trust.translations import MAX_AGE, sign_translation, verify_translation

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CLOCK = FixedClock(NOW)
EXCHANGE, GATEWAY = SigningKey.generate(), SigningKey.generate()
STATEMENT = TranslationStatement(
    source=MemberId("directory"),
    to=MemberId("inprev"),
    purpose="benefit-assessment",
    request_digest="sha256:" + "0" * 64,
    pids=("v1.siv.inprev.AAAA", None),
    issued_at=int(NOW.timestamp()),
)


def keys(kid: str) -> VerifyKey | None:
    return EXCHANGE.public() if kid == EXCHANGE.kid else None


def test_a_statement_of_the_exchange_is_believed() -> None:
    assert verify_translation(sign_translation(STATEMENT, EXCHANGE), keys, CLOCK) == STATEMENT


def test_a_statement_of_anybody_else_is_not() -> None:
    with pytest.raises(SignatureError):
        verify_translation(sign_translation(STATEMENT, GATEWAY), keys, CLOCK)
    borrowed = msgspec.structs.replace(sign_translation(STATEMENT, GATEWAY), keyid=EXCHANGE.kid)
    with pytest.raises(SignatureError):
        verify_translation(borrowed, keys, CLOCK)


@pytest.mark.parametrize(
    "change",
    [
        {"to": "aslvs"},
        {"pids": ("v1.siv.inprev.AAAB", None)},
        {"purpose": "statistics"},
        {"request_digest": "sha256:1"},
    ],
    ids=str,
)
def test_a_changed_statement_is_not_believed(change: dict[str, object]) -> None:
    signed = sign_translation(STATEMENT, EXCHANGE)
    changed = msgspec.structs.replace(signed, statement=msgspec.structs.replace(STATEMENT, **change))
    with pytest.raises(SignatureError):
        verify_translation(changed, keys, CLOCK)


@pytest.mark.parametrize("seconds", [-MAX_AGE - 1, MAX_AGE + 1])
def test_an_old_statement_is_not_believed(seconds: int) -> None:
    with pytest.raises(StaleSignatureError):
        verify_translation(sign_translation(STATEMENT, EXCHANGE), keys, FixedClock(NOW + timedelta(seconds=seconds)))
