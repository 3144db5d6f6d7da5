"""Opens a node's data plane from its settings: mapping, schema, database; and the keys for masks and cursors."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from federation.contract.errors import ConfigurationError
from federation.trust.keys import read_secret
from node.data.mapping import Mapping
from node.data.node_keys import NodeKeys, cursor_sealer, mask_keys
from node.data.plane import DataPlane
from node.policy.bundle import Bundle
from node.server.settings import NodeSettings
from node.subgraph.schema import NodeSchema, verified_coordinates
from node.subgraph.visible import visible_schema, visible_sdl
from node.vocabulary.schema import full_schema

MASKS_KEY: Final = "masks.key"
CURSORS_KEY: Final = "cursors.key"
EPOCH: Final = "1"
"""The epoch of masks: another one gives every consumer new pseudonyms for one purpose."""


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ConfigurationError: it is missing.
        MappingError: it is wrong; names the line, the word and the nearest right one.
    """
    try:
        return Mapping.parse(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError as error:
        raise ConfigurationError(f"mapping `{path}` does not exist; set `mapping` in the settings") from error


def open_plane(settings: NodeSettings, bundle: Bundle) -> DataPlane:
    """Open everything that answers need besides the policy.

    Raises:
        ConfigurationError, MappingError: the mapping cannot be used.
        DatabaseUnavailableError: the database cannot be opened.
    """
    mapping = read_mapping(settings.mapping)
    if mapping.member != settings.member:
        raise ConfigurationError(
            f"mapping `{settings.mapping}` is of `{mapping.member}`, and this node is `{settings.member}`"
        )
    served = NodeSchema.build(full_schema(), mapping, verified_coordinates(bundle.types.values()))
    return DataPlane.open(
        served,
        mapping,
        settings.mapping.parent,
        shown=partial(visible_schema, served),
        printed=partial(visible_sdl, served),
    )


def open_keys(settings: NodeSettings) -> NodeKeys:
    """Read the node's secrets for masks and cursors.

    Raises:
        ConfigurationError: a key file is missing or readable by others.
    """
    return NodeKeys(
        mask_keys(read_secret(settings.keys / MASKS_KEY), EPOCH),
        cursor_sealer(read_secret(settings.keys / CURSORS_KEY)),
    )
