"""Channels between processes: TLS 1.3 with certificates on both sides, read again when their files change.

A certificate names its party in a URI (`spiffe://<federation>/<party>`); the authority that signs it is the
federation's own. A certificate opens a channel and nothing more: what is asked and answered is signed beside it.
Whether its party still belongs to the federation says the member list, not the certificate's term: removal from the
list is revocation, and needs no list of revoked certificates.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from federation.contract.errors import AddresseeError, ConfigurationError
from federation.trust.keys import require_private

CHANNEL_KEY: Final = "channel.pem"
CHANNEL_CERTIFICATE: Final = "channel.crt.pem"
AUTHORITY_CERTIFICATE: Final = "authority.pem"
RELOAD_SECONDS: Final = 5.0
_log = logging.getLogger("crocevia.channel")


class ChannelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `[channel]` of a process's settings: its certificate, the key of mode 0600, and the authority."""

    certificate: Path
    key: Path
    authority: Path


def asking_from(keys: Path) -> ssl.SSLContext | bool:
    """Return how a party verifies servers and proves itself to them: by the certificate among its keys, if it has one.

    Without one, servers are held to the authorities of the system, and nothing is proved.

    Raises:
        ConfigurationError: a file is missing, may be read by others, or does not fit; names it.
    """
    files = ChannelSettings(keys / CHANNEL_CERTIFICATE, keys / CHANNEL_KEY, keys / AUTHORITY_CERTIFICATE)
    return Channel.open(files).asking if files.certificate.exists() else True


def party_uri(federation: str, party: str) -> str:
    """Return the URI by which a certificate names a party."""
    return f"spiffe://{federation.removeprefix('https://')}/{party}"


def party_of(peer: Any, federation: str) -> str | None:
    """Return the party that a peer's certificate names (the `getpeercert` form); None when it names none, or two."""
    prefix = party_uri(federation, "")
    names = [value for kind, value in (peer or {}).get("subjectAltName", ()) if kind == "URI"]
    if len(names) != 1 or not names[0].startswith(prefix):
        return None
    return str(names[0].removeprefix(prefix))


def require_peer(peer: str | None, expected: str) -> None:
    """Refuse a message that came over another party's channel; `peer` is None where channels are not TLS.

    Raises:
        AddresseeError: the certificate names another party than the one that signed.
    """
    if peer is not None and peer != expected:
        raise AddresseeError(f"the message is signed by `{expected}` and came over the channel of another party")


@dataclass(slots=True)
class Channel:
    """One party's end of its channels. The contexts given out stay the same; what they present and trust is renewed.

    A context that is in use cannot forget an authority, so each handshake of the server is moved to the newest one.
    """

    settings: ChannelSettings
    accepting: ssl.SSLContext = field(repr=False)
    asking: ssl.SSLContext = field(repr=False)
    _newest: ssl.SSLContext = field(repr=False)
    _seen: tuple[tuple[int, int], ...]

    @classmethod
    def open(cls, settings: ChannelSettings) -> Self:
        """Read certificate, key and authority.

        Raises:
            ConfigurationError: a file is missing, may be read by others, or does not fit; names it.
        """
        channel = cls(settings, _accepting(settings), _asking(settings), _accepting(settings), _state(settings))
        channel.accepting.sni_callback = channel._move
        return channel

    def renew(self) -> bool:
        """Read the files again if they changed, and tell whether they did; what cannot be used changes nothing."""
        state = _state(self.settings)
        if state == self._seen:
            return False
        self._seen = state
        try:
            self._newest = _accepting(self.settings)
            _load(self.asking, self.settings)
        except ConfigurationError as error:
            _log.warning("the certificate in use stays: %s", error.message)
            return False
        return True

    async def keep_fresh(self, every: float = RELOAD_SECONDS) -> None:
        """Look at the files again and again, until cancelled."""
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(self.renew)

    def _move(self, handshake: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        handshake.context = self._newest


def _accepting(settings: ChannelSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # a resumed session would not show whether its certificate is still good
    return _load(context, settings)


def _asking(settings: ChannelSettings) -> ssl.SSLContext:
    return _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), settings)


def _load(context: ssl.SSLContext, settings: ChannelSettings) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_ecdh_curve("prime256v1")  # one group on both sides; the defaults hold some that scanners advise against
    require_private(settings.key)
    try:
        context.load_cert_chain(settings.certificate, settings.key)
        context.load_verify_locations(settings.authority)
    except (OSError, ssl.SSLError) as error:
        files = f"`{settings.certificate}`, `{settings.key}` and `{settings.authority}`"
        raise ConfigurationError(f"channel cannot be opened with {files}: {error}") from error
    return context


def _state(settings: ChannelSettings) -> tuple[tuple[int, int], ...]:
    found = []
    for path in (settings.certificate, settings.key, settings.authority):
        try:
            state = path.stat()
        except OSError:
            found.append((0, 0))
        else:
            found.append((state.st_mtime_ns, state.st_ino))
    return tuple(found)
