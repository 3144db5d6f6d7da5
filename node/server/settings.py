"""Where a node's process finds its files and where it listens: one small TOML file beside the mapping.

```toml
member = "c_m999"
listen = "127.0.0.1:8411"
url = "http://127.0.0.1:8411"
mapping = "node.yaml"
policies = "policies"
officers = "officers.json"
keys = "keys"
state = "state"
registry = "../registry"    # the signed registry, or only its first root: then `registry_url` says where it is

[channel]                   # mutual TLS with the federation's other processes; without this table, plain HTTP
certificate = "keys/channel.crt.pem"
key = "keys/channel.pem"
authority = "keys/authority.pem"

[witnessing]                # who watches this node's ledger comes from the member list
every = 5.0                 # seconds between two rounds
quorum = 2
patience = 14400            # seconds that entries may stay unseen by a quorum before no data leaves any more

[guards]                    # what a consumer may do a day for one purpose (node/enforcement/guards.py)
lookups = 10000             # look-ups by an identifier
lookups-of-one = 100        # … of one citizen
misses = 500                # … that named nobody
probes = 10000              # guesses of fields that may only be verified
probes-of-one = 5           # … of one field of one citizen
counts = 200                # questions for counts
least-difference = 10       # counts of which one may contain the other differ by so many persons, or not at all
populations = 1             # filters, equalities left out, that cut its counts of a type within a year

[retention]                 # of what was written and what changed (docs/own-tables.md), in days
settled = 30                # once everybody took it in; for so long an idempotency key counts at least
longest = 365               # whether somebody took it in or not

[timestamps]                # RFC 3161; without this table heads are not timestamped
url = "https://tsa.example/"
roots = "tsa-roots.pem"
every = 3600
```

Paths are relative to the file. Secrets are never in it: `keys` is a folder of files of mode 0600.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from federation.contract.errors import ConfigurationError
from federation.contract.graphql_request import Limits
from federation.contract.identifiers import MemberId
from federation.contract.settings import parse_settings
from federation.ledger.timestamps import TimestampSettings
from federation.ledger.witness_rounds import WitnessSettings
from federation.serving.limits import ClientLimits
from federation.shared.place import SharedPlace
from federation.trust.channel import ChannelSettings
from node.enforcement.guards import Budgets
from node.own.retention import Retention

# A gateway's request carries the consumer's own, which is base64 of up to 100 kB, and statements about pseudonyms.
NODE_LIMITS = Limits(body=4_000_000, tokens=4_000, depth=20, aliases=200, root_fields=40, fields=1_000)

OWN_FILE: Final = "own.db"


class NodeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node's settings; every path is absolute once read.

    `url` is what others call the node and what signatures name; `listen` is `host:port`. `state` holds the ledger, the
    subject keys and the replay cache; `registry` the signed member list and the published schemas.

    `own` is the database of the own tables (writes and their outbox): `own.db` in `state`, or `postgresql://…`, where
    they have the schema `crocevia`.

    `shared` is the PostgreSQL database (`postgresql://…`) of what worker processes share, on several hosts: the ledger,
    used nonces, budgets, what was told. Without it they share files in `state`.

    With `officers`, the node decides only by bundles that two of these officers signed, and `policies` is the folder of
    published revisions. Without it, `policies` is one bundle's own folder, as suits somebody who tries policies out.
    """

    member: MemberId
    listen: str
    url: str
    mapping: Path
    policies: Path
    keys: Path
    state: Path
    registry: Path
    officers: Path | None = None
    limits: Limits = NODE_LIMITS
    registry_url: str | None = None
    workers: int = 1
    channel: ChannelSettings | None = None
    witnessing: WitnessSettings = WitnessSettings()
    guards: Budgets = Budgets()
    retention: Retention = Retention()
    timestamps: TimestampSettings | None = None
    own: str | None = None
    shared: str | None = None
    clients: ClientLimits = ClientLimits()

    @property
    def own_url(self) -> str:
        """Where the own tables are."""
        return self.own or f"sqlite:///{self.state / OWN_FILE}"

    @property
    def shared_place(self) -> SharedPlace:
        """Where worker processes keep what they share."""
        return SharedPlace(self.state, self.shared, self.member)


def load_settings(path: Path) -> NodeSettings:
    """Read a node's settings file.

    Raises:
        ConfigurationError: the file is missing or wrong; names the file, the key and the expectation.
    """
    try:
        return parse_settings(path.read_bytes(), NodeSettings, path.resolve())
    except FileNotFoundError as error:
        raise ConfigurationError(f"settings file `{path}` does not exist; `crocevia demo` makes one") from error
