"""Where a demo federation lies on disk, and on which ports its processes listen.

```
operators/      keys of the three operators who sign the member list
registry/       what everybody may read: metadata/, targets/, root.json; supergraph.graphql and api.graphql for people
staged/         what the operators have not signed and published yet
publisher/      settings.toml, keys/: the process that serves the registry and renews its timestamp
gateway/        settings.toml, keys/, state/ (ledger, replay cache, reference directory)
exchange/       settings.toml, keys/, state/
portal/         keys/, citizens.db: the citizens' access point, and under which pseudonym it knows each
<member>/       settings.toml, node.yaml, register.db, keys/, state/, officers/ (keys), policies/ (published revisions)
authority/      with --tls: the key and certificate of the authority; every party has its own certificate in its keys/
logs/           one file per process
```
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
DEFAULT_PORT = 8400
_FIRST_NODE = 11


@dataclass(frozen=True, slots=True)
class Ports:
    """The gateway's port; exchange and publisher have the next ones, nodes follow from the eleventh on.

    With `tls` all of them but the publisher, whose files are signed, speak mutual TLS.
    """

    gateway: int = DEFAULT_PORT
    tls: bool = False

    @property
    def exchange(self) -> int:
        """The exchange's port."""
        return self.gateway + 1

    @property
    def publisher(self) -> int:
        """The publisher's port."""
        return self.gateway + 2

    def node(self, position: int) -> int:
        """The port of the node at this position in the charter, from 0."""
        return self.gateway + _FIRST_NODE + position

    def url(self, port: int) -> str:
        """Return the origin of a party's process."""
        return f"https://{HOST}:{port}" if self.tls else url(port)


def url(port: int) -> str:
    """Return the origin of a process that speaks plain HTTP."""
    return f"http://{HOST}:{port}"


@dataclass(frozen=True, slots=True)
class Home:
    """A demo's folder."""

    root: Path

    @property
    def operators(self) -> Path:
        """Keys of the operators."""
        return self.root / "operators"

    @property
    def registry(self) -> Path:
        """What everybody may read."""
        return self.root / "registry"

    @property
    def staged(self) -> Path:
        """What waits for operators' signatures."""
        return self.root / "staged"

    @property
    def authority(self) -> Path:
        """The authority of channels: its key and certificate."""
        return self.root / "authority"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.root / "logs"

    def party(self, name: str) -> Path:
        """The folder of a member, the gateway, the exchange or the portal."""
        return self.root / name

    def keys(self, name: str) -> Path:
        """The folder of a party's keys."""
        return self.root / name / "keys"
