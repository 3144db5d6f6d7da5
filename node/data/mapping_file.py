"""The mapping as a file on disk."""

from __future__ import annotations

from pathlib import Path

from federation.contract.errors import ConfigurationError
from node.data.mapping import Mapping


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ConfigurationError: it is missing.
        MappingError: it is wrong; names the line, the word and the nearest right one.
    """
    try:
        return Mapping.parse(path.read_text(encoding="utf-8"), path.name, path.parent)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"mapping `{path}` does not exist; `crocevia node init` proposes one, or set `mapping` in the settings"
        ) from error
