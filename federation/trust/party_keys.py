"""The key folder of one party: what lies in it, how it is made, and what the member list says of it.

```
message.pem     signs messages, tokens and answers (P-256)
ledger.pem      signs the ledger's checkpoints (Ed25519)
witness.pem     cosigns other members' checkpoints (Ed25519)
officer-*.pem   of the officers who act on agreements (Ed25519); in production each lies with its officer
*.key           secrets of 32 bytes: subjects, masks, cursors
```
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from federation.contract.members import KeyUse, PublishedKey
from federation.trust.keys import (
    LEDGER_KEY,
    MESSAGE_KEY,
    OFFICER_KEYS,
    WITNESS_KEY,
    SigningKey,
    ed25519_jwk,
    generate_ed25519,
    load_ed25519,
    publish,
    write_private,
)

SECRETS: Final = ("subjects.key", "masks.key", "cursors.key")
KEY_LIFE: Final = timedelta(days=365)
_BEFORE = timedelta(hours=1)
"""A key counts a little before it is published: clocks differ."""

_SECRET_BYTES = 32


def make_party_keys(keys: Path) -> tuple[Path, ...]:
    """Make the keys of one party that are not there yet, and return the paths of all."""
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (keys / MESSAGE_KEY).exists():
        SigningKey.generate().save(keys / MESSAGE_KEY)
    for name in (LEDGER_KEY, WITNESS_KEY, *OFFICER_KEYS):
        ensure_ed25519(keys / name)
    for secret in SECRETS:
        ensure_secret(keys / secret)
    return tuple(sorted(path for path in keys.iterdir() if path.is_file()))


def message_key(keys: Path, now: datetime) -> PublishedKey:
    """Return a party's message key as the member list has it."""
    key = SigningKey.load(keys / MESSAGE_KEY)
    return publish(key.public_jwk(), KeyUse.MESSAGE, now - _BEFORE, now + KEY_LIFE)


def officer_keys(keys: Path, now: datetime) -> tuple[PublishedKey, ...]:
    """Return the officers' keys in a folder as the member list has them."""
    jwks = (ed25519_jwk(load_ed25519(path)) for path in sorted(keys.glob("officer-*.pem")))
    return tuple(publish(jwk, KeyUse.OFFICER, now - _BEFORE, now + KEY_LIFE) for jwk in jwks)


def ensure_ed25519(path: Path) -> None:
    """Make an Ed25519 key unless the file is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        generate_ed25519(path)


def ensure_secret(path: Path) -> None:
    """Make a symmetric secret unless the file is there."""
    if not path.exists():
        write_private(path, secrets.token_bytes(_SECRET_BYTES))
