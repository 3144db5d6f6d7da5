"""Where the publisher's process finds its files and where it listens.

```toml
listen = "127.0.0.1:8402"
url = "http://127.0.0.1:8402"
keys = "keys"               # timestamp.pem, the one key of the registry that is online
registry = "../registry"
staged = "../staged"        # what waits for operators' signatures; it is not served
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from federation.contract.errors import ConfigurationError
from federation.contract.settings import parse_settings

PUBLISHER: Final = "publisher"
TIMESTAMP_KEY: Final = "timestamp.pem"


class PublisherSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The publisher's settings; every path is absolute once read."""

    listen: str
    url: str
    keys: Path
    registry: Path
    staged: Path


def load_settings(path: Path) -> PublisherSettings:
    """Read the publisher's settings file.

    Raises:
        ConfigurationError: the file is missing or wrong; names the file, the key and the expectation.
    """
    try:
        return parse_settings(path.read_bytes(), PublisherSettings, path.resolve())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"settings file `{path}` does not exist; `crocevia federation init` makes one"
        ) from error
