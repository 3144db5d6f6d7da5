"""Message keys in hardware modules, by PKCS#11: the key never leaves the module, and signatures are made in it.

`message.toml` in a key folder stands for `message.pem`:

```toml
module = "/usr/lib/softhsm/libsofthsm2.so"
token = "crocevia"
label = "message"
pin = "message.pin"         # a file of mode 0600 beside it
```

The library is an extra, `pip install 'crocevia[hsm]'`; who keeps keys in files does without it.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Self

import msgspec

from federation.contract.canonical import b64url
from federation.contract.errors import ConfigurationError, UnavailableError
from federation.contract.settings import parse_settings
from federation.contract.settings_files import write_settings
from federation.trust.keys import MESSAGE_KEY, MessageSigner, SigningKey, read_private_text, thumbprint

HARDWARE_FILE: Final = "message.toml"
_log = logging.getLogger("crocevia.keys")
_COORDINATE = 32
_UNCOMPRESSED = 4
_CURVE = "secp256r1"


class HardwareKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a key is: the module's library, the token in it, the key's label, and the file with the PIN."""

    module: Path
    token: str
    label: str
    pin: Path


@dataclass(slots=True)
class HardwareSigner:
    """A P-256 key in a token, under the thumbprint of its public half. One session, used by one thread at a time."""

    kid: str
    place: HardwareKey
    _jwk: dict[str, str] = field(repr=False)
    _key: Any = field(repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, place: HardwareKey) -> Self:
        """Log in to the token and find the key.

        Raises:
            ConfigurationError: library, module, token, PIN or key cannot be used; names which.
        """
        private, jwk = _found(place)
        return cls(thumbprint(jwk), place, jwk, private)

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as a JWK without `kid`."""
        return dict(self._jwk)

    def sign(self, content: bytes) -> bytes:
        """Sign `content` with ECDSA P-256 SHA-256; the form is r ‖ s, 64 bytes.

        Raises:
            UnavailableError: the module does not sign; a new session is tried once.
        """
        digest = sha256(content).digest()
        with self._lock:
            try:
                return self._signed(digest)
            except _errors():
                _log.warning("a new session with the hardware module is begun")
            try:
                self._key = _found(self.place)[0]
                return self._signed(digest)
            except _errors() + (ConfigurationError,) as error:  # noqa: RUF005  # mypy reads a sum, not a spread
                raise UnavailableError("the hardware module with the message key does not sign") from error

    def _signed(self, digest: bytes) -> bytes:
        return bytes(self._key.sign(digest, mechanism=_library().Mechanism.ECDSA))


def load_signer(keys: Path) -> MessageSigner:
    """Return a party's message key: from the hardware that `message.toml` names, or from `message.pem`.

    Raises:
        ConfigurationError: there is neither, or it cannot be used; names the file.
    """
    path = keys / HARDWARE_FILE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return SigningKey.load(keys / MESSAGE_KEY)
    return HardwareSigner.open(parse_settings(content, HardwareKey, path.resolve()))


def generate_in_hardware(keys: Path, place: HardwareKey) -> HardwareSigner:
    """Make a P-256 key pair in a token, and the `message.toml` that names it.

    Raises:
        ConfigurationError: there is a message key already, or the token cannot be used.
    """
    if (keys / HARDWARE_FILE).exists() or (keys / MESSAGE_KEY).exists():
        raise ConfigurationError(f"`{keys}` has a message key already")
    pkcs11 = _library()
    ec = import_module("pkcs11.util.ec")
    try:
        session = _session(place)
        curve = {pkcs11.Attribute.EC_PARAMS: ec.encode_named_curve_parameters(_CURVE)}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        parameters.generate_keypair(store=True, label=place.label)
    except _errors() as error:
        raise _unusable(place, error) from error
    values = {"module": str(place.module), "token": place.token, "label": place.label, "pin": str(place.pin)}
    write_settings(keys / HARDWARE_FILE, values)
    return HardwareSigner.open(place)


def _found(place: HardwareKey) -> tuple[Any, dict[str, str]]:
    pkcs11 = _library()
    try:
        session = _session(place)
        private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=place.label)
        public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=place.label)
        point = bytes(public[pkcs11.Attribute.EC_POINT])[-(2 * _COORDINATE + 1) :]
    except _errors() as error:
        raise _unusable(place, error) from error
    if len(point) != 2 * _COORDINATE + 1 or point[0] != _UNCOMPRESSED:
        raise ConfigurationError(f"key `{place.label}` in token `{place.token}` is not a P-256 key")
    x, y = point[1 : _COORDINATE + 1], point[_COORDINATE + 1 :]
    return private, {"kty": "EC", "crv": "P-256", "x": b64url(x), "y": b64url(y)}


def _session(place: HardwareKey) -> Any:
    pin = read_private_text(place.pin)
    token = _library().lib(str(place.module)).get_token(token_label=place.token)
    try:
        return token.open(user_pin=pin, rw=True)
    except import_module("pkcs11.exceptions").UserAlreadyLoggedIn:
        return token.open(rw=True)  # who is logged in to a token is a matter of the process, not of the session


def _unusable(place: HardwareKey, error: Exception) -> ConfigurationError:
    """Say what cannot be used; the module's own words may hold the PIN, its kind of error does not."""
    return ConfigurationError(
        f"key `{place.label}` in token `{place.token}` of `{place.module}` cannot be used: {type(error).__name__}"
    )


def _errors() -> tuple[type[Exception], ...]:
    errors: tuple[type[Exception], ...] = (import_module("pkcs11.exceptions").PKCS11Error, RuntimeError, OSError)
    return errors


def _library() -> ModuleType:
    try:
        return import_module("pkcs11")
    except ImportError as error:
        raise ConfigurationError(
            "keys in hardware need the library for PKCS#11: `pip install 'crocevia[hsm]'`"
        ) from error
