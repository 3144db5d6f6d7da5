"""The key folder of one party: what lies in it, how it is made, and what the member list says of it.

```
message.pem     signs messages, tokens and answers (P-256); message.toml in its place names one in hardware
ledger.pem      signs the ledger's checkpoints (Ed25519)
witness.pem     cosigns other members' checkpoints (Ed25519)
officer-*.pem   of the officers who act on agreements (Ed25519); in production each lies with its officer
*.key           secrets of 32 bytes: subjects, masks, cursors
```
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from federation.contract.errors import ConfigurationError
from federation.contract.members import KeyUse, Member, MemberList, Party, PublishedKey
from federation.trust.hardware import HARDWARE_FILE, load_signer
from federation.trust.keys import (
    LEDGER_KEY,
    MESSAGE_KEY,
    NEXT_MESSAGE_KEY,
    OFFICER_KEYS,
    OLD_MESSAGE_KEY,
    WITNESS_KEY,
    MessageSigner,
    SigningKey,
    ed25519_jwk,
    generate_ed25519,
    load_ed25519,
    publish,
    thumbprint,
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
    if not (keys / MESSAGE_KEY).exists() and not (keys / HARDWARE_FILE).exists():
        SigningKey.generate().save(keys / MESSAGE_KEY)
    for name in (LEDGER_KEY, WITNESS_KEY, *OFFICER_KEYS):
        ensure_ed25519(keys / name)
    for secret in SECRETS:
        ensure_secret(keys / secret)
    return tuple(sorted(path for path in keys.iterdir() if path.is_file()))


def message_signers(keys: Path) -> tuple[MessageSigner, ...]:
    """Return a party's message key, and those that come and go beside it during a rotation.

    Raises:
        ConfigurationError: a key cannot be used; names the file.
    """
    others = (keys / name for name in (NEXT_MESSAGE_KEY, OLD_MESSAGE_KEY))
    return (load_signer(keys), *(SigningKey.load(path) for path in others if path.exists()))


def message_keys_of(keys: Path, now: datetime) -> tuple[PublishedKey, ...]:
    """Return a party's message keys as the member list has them."""
    return tuple(
        publish(signer.public_jwk(), KeyUse.MESSAGE, now - _BEFORE, now + KEY_LIFE) for signer in message_signers(keys)
    )


def rotate_message_key(keys: Path) -> str:
    """Take the next step of a rotation, and say what is to be done then.

    (1) Make the next key, to be listed beside the one in use. (2) Let it take over, the old one still listed. (3)
    Forget the old one. No message is lost, because every key is listed before and after it is used.

    Raises:
        ConfigurationError: the key in use is in hardware, or a file cannot be written.
    """
    if (keys / HARDWARE_FILE).exists():
        raise ConfigurationError(
            f"the message key is in hardware: make another there, and name it in `{HARDWARE_FILE}`"
        )
    current, following, old = (keys / name for name in (MESSAGE_KEY, NEXT_MESSAGE_KEY, OLD_MESSAGE_KEY))
    if old.exists():
        old.unlink()
        return "the old key is gone: propose once more, without it"
    if following.exists():
        current.rename(old)
        following.rename(current)
        return "the next key took over: restart the process, and run this again when nobody uses the old one any more"
    SigningKey.generate().save(following)
    return "the next key is made: propose it, and run this again once it is listed"


def officer_keys(keys: Path, now: datetime) -> tuple[PublishedKey, ...]:
    """Return the officers' keys in a folder as the member list has them."""
    jwks = (ed25519_jwk(load_ed25519(path)) for path in sorted(keys.glob("officer-*.pem")))
    return tuple(publish(jwk, KeyUse.OFFICER, now - _BEFORE, now + KEY_LIFE) for jwk in jwks)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key in a folder, by its public half."""

    file: str
    use: str
    kid: str


def known_keys(keys: Path) -> list[KnownKey]:
    """Return the keys in a folder that sign.

    Raises:
        ConfigurationError: one cannot be used, or may be read by others; names the file.
    """
    found = [
        KnownKey(HARDWARE_FILE if (keys / HARDWARE_FILE).exists() else MESSAGE_KEY, "messages", load_signer(keys).kid)
    ]
    found += [
        KnownKey(name, "messages", SigningKey.load(keys / name).kid)
        for name in (NEXT_MESSAGE_KEY, OLD_MESSAGE_KEY)
        if (keys / name).exists()
    ]
    uses = {LEDGER_KEY: "checkpoints", WITNESS_KEY: "cosignatures"}
    for path in sorted([*keys.glob("officer-*.pem"), *(keys / name for name in uses if (keys / name).exists())]):
        kid = thumbprint(ed25519_jwk(load_ed25519(path)))
        found.append(KnownKey(path.name, uses.get(path.name, "acts on agreements"), kid))
    return found


def listed_until(kid: str, members: MemberList) -> str:
    """Return the last day on which a key counts, by the member list; empty when nobody lists it."""
    everybody: tuple[Party | Member, ...] = (members.gateway, members.exchange, *members.members)
    days = [str(key.not_after.date()) for party in everybody for key in party.keys if key.kid == kid]
    return days[0] if days else ""


def ensure_ed25519(path: Path) -> None:
    """Make an Ed25519 key unless the file is there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        generate_ed25519(path)


def ensure_secret(path: Path) -> None:
    """Make a symmetric secret unless the file is there."""
    if not path.exists():
        write_private(path, secrets.token_bytes(_SECRET_BYTES))
