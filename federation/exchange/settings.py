"""Where the exchange's process finds its files and where it listens.

```toml
listen = "127.0.0.1:8401"
url = "http://127.0.0.1:8401"
keys = "keys"               # message.pem, ledger.pem, subjects.key and master.key, from which all pseudonyms derive
state = "state"
registry = "../registry"    # the signed registry, or only its first root: then `registry_url` says where it is

[channel]                   # mutual TLS with the federation's other processes; without this table, plain HTTP
certificate = "keys/channel.crt.pem"
key = "keys/channel.pem"
authority = "keys/authority.pem"
```
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from federation.contract.errors import ConfigurationError
from federation.contract.settings import parse_settings
from federation.ledger.timestamps import TimestampSettings
from federation.ledger.witness_rounds import WitnessSettings
from federation.serving.limits import ClientLimits
from federation.shared.place import SharedPlace
from federation.trust.channel import ChannelSettings


class ExchangeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The exchange's settings; every path is absolute once read.

    `shared` is the PostgreSQL database (`postgresql://…`) of what worker processes share; without it, files in `state`.
    `enrolments` is the number of messages a day by which one member may enrol citizens, two for each 250.
    """

    listen: str
    url: str
    keys: Path
    state: Path
    registry: Path
    enrolments: int = 10_000
    registry_url: str | None = None
    workers: int = 1
    channel: ChannelSettings | None = None
    witnessing: WitnessSettings = WitnessSettings()
    timestamps: TimestampSettings | None = None
    shared: str | None = None
    clients: ClientLimits = ClientLimits()

    @property
    def shared_place(self) -> SharedPlace:
        """Where worker processes keep what they share."""
        return SharedPlace(self.state, self.shared, "exchange")


def load_settings(path: Path) -> ExchangeSettings:
    """Read the exchange's settings file.

    Raises:
        ConfigurationError: the file is missing or wrong; names the file, the key and the expectation.
    """
    try:
        return parse_settings(path.read_bytes(), ExchangeSettings, path.resolve())
    except FileNotFoundError as error:
        raise ConfigurationError(f"settings file `{path}` does not exist; `crocevia demo` makes one") from error
