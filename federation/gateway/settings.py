"""Where the gateway's process finds its files and where it listens.

```toml
listen = "127.0.0.1:8400"
url = "http://127.0.0.1:8400"
keys = "keys"
state = "state"
registry = "../registry"    # the signed registry, or only its first root: then `registry_url` says where it is

[channel]                   # mutual TLS with the federation's other processes; without this table, plain HTTP
certificate = "keys/channel.crt.pem"
key = "keys/channel.pem"
authority = "keys/authority.pem"

[demo]                      # only in a demo: the signing proxy plays these partners' own systems
partners = "../"            # a folder per partner with its keys
queries = "../queries"
```
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from federation.contract.errors import ConfigurationError
from federation.contract.graphql_request import Limits
from federation.contract.settings import parse_settings
from federation.execution.breaker import BreakerSettings
from federation.execution.transport.limits import TransportLimits
from federation.ledger.timestamps import TimestampSettings
from federation.ledger.witness_rounds import WitnessSettings
from federation.serving.limits import ClientLimits
from federation.shared.place import SharedPlace
from federation.trust.channel import ChannelSettings
from federation.trust.rates import RateSettings


class DemoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the demo's signing proxy needs; its presence is what turns the proxy on."""

    partners: Path
    queries: Path


class GatewayLimits(Limits, frozen=True, forbid_unknown_fields=True):
    """The limits of any request, and the `cost` at which a question may be estimated (`planning.estimate`)."""

    cost: int = 50_000


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway's settings; every path is absolute once read. `deadline` is in seconds, per request.

    `limits` are those of questions, `transport` those of what nodes answer; all stand in docs/limits.md. `shared` is
    the PostgreSQL database (`postgresql://…`) of what worker processes share; without it they share files in `state`.

    With `mutual`, whoever asks comes by mutual TLS too, with a certificate of the federation; without it, consumers
    come by whatever stands before the gateway. `publications` is the number of messages a day by which one member may
    tell the directory on whom it holds a file.
    """

    listen: str
    url: str
    keys: Path
    state: Path
    registry: Path
    demo: DemoSettings | None = None
    registry_url: str | None = None
    channel: ChannelSettings | None = None
    mutual: bool = False
    deadline: float = 2.0
    limits: GatewayLimits = GatewayLimits()
    rates: RateSettings = RateSettings()
    publications: int = 200_000
    transport: TransportLimits = TransportLimits()
    breaker: BreakerSettings = BreakerSettings()
    retry_share: float = 0.2
    workers: int = 1
    witnessing: WitnessSettings = WitnessSettings()
    timestamps: TimestampSettings | None = None
    shared: str | None = None
    clients: ClientLimits = ClientLimits()

    @property
    def shared_place(self) -> SharedPlace:
        """Where worker processes keep what they share."""
        return SharedPlace(self.state, self.shared, "gateway")


def load_settings(path: Path) -> GatewaySettings:
    """Read the gateway's settings file.

    Raises:
        ConfigurationError: the file is missing or wrong; names the file, the key and the expectation.
    """
    try:
        settings = parse_settings(path.read_bytes(), GatewaySettings, path.resolve())
    except FileNotFoundError as error:
        raise ConfigurationError(f"settings file `{path}` does not exist; `crocevia demo` makes one") from error
    if settings.demo and not settings.listen.startswith("127.0.0.1:"):
        raise ConfigurationError("the demo's signing proxy listens on loopback only; remove `[demo]` or set `listen`")
    if settings.mutual and settings.channel is None:
        raise ConfigurationError(
            "`mutual = true` needs the certificate of a table `[channel]`; add it or drop `mutual`"
        )
    return settings
