"""Opens a node's data plane from its settings: mapping, schema, database; and the keys for masks and cursors."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from federation.contract.errors import ConfigurationError
from federation.trust.keys import read_secret
from node.data.database import open_database
from node.data.doctor import missing_names
from node.data.mapping import Mapping
from node.data.mapping_file import read_mapping
from node.data.node_keys import NodeKeys, cursor_sealer, mark_secret, mask_keys
from node.data.plane import DataPlane
from node.own.database import open_own
from node.own.upgrading import require_current
from node.policy.bundle import Bundle
from node.policy.schema_view import SchemaView
from node.server.settings import NodeSettings
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.subgraph.visible import visible_schema, visible_sdl
from node.vocabulary.schema import full_schema

MASKS_KEY: Final = "masks.key"
CURSORS_KEY: Final = "cursors.key"
EPOCH: Final = "1"
"""The epoch of masks: another one gives every consumer new pseudonyms for one purpose."""


def member_mapping(settings: NodeSettings) -> Mapping:
    """Read the mapping of the settings.

    Raises:
        ConfigurationError, MappingError: it cannot be used, or is another member's.
    """
    mapping = read_mapping(settings.mapping)
    if mapping.member != settings.member:
        raise ConfigurationError(
            f"mapping `{settings.mapping}` is of `{mapping.member}`, and this node is `{settings.member}`"
        )
    return mapping


async def require_names(settings: NodeSettings) -> None:
    """Hold the mapping of the settings against its database, before anything is opened or written.

    Raises:
        ConfigurationError, MappingError: it cannot be used; names the first table or column that is not there.
        DatabaseUnavailableError: the database does not answer.
    """
    mapping = member_mapping(settings)
    database = open_database(mapping.database, settings.mapping.parent)
    try:
        missing = await missing_names(mapping, database)
    finally:
        await database.close()
    if missing:
        raise ConfigurationError(missing[0].text(settings.mapping.name))


async def require_own_tables(settings: NodeSettings) -> None:
    """Make the own tables if there are none, and hold their version against this release.

    Raises:
        ConfigurationError: they are older or newer; says the way out.
        DatabaseUnavailableError: their database does not answer.
    """
    settings.state.mkdir(parents=True, exist_ok=True)
    own = open_own(settings.own_url)
    try:
        await own.run(require_current)
    finally:
        await own.close()


def governed_schema(mapping: Mapping) -> SchemaView:
    """Return the types and fields that the node's policy must cover.

    Raises:
        MappingError: the mapping does not fit the vocabulary.
    """
    return SchemaView.parse(NodeSchema.build(full_schema(), mapping).published_sdl)


def open_plane(settings: NodeSettings, mapping: Mapping, bundle: Bundle) -> DataPlane:
    """Open everything that answers need besides the policy.

    Raises:
        MappingError: the mapping does not fit the vocabulary.
        DatabaseUnavailableError: the database cannot be opened.
    """
    served = _served(mapping, bundle)
    return DataPlane.open(
        served,
        mapping,
        settings.mapping.parent,
        shown=partial(visible_schema, served),
        printed=partial(visible_sdl, served),
    )


def under_bundle(plane: DataPlane, bundle: Bundle) -> DataPlane:
    """Return the plane as another bundle wants it: it decides which fields can be verified. The database is the same.

    Raises:
        MappingError: the mapping does not fit the vocabulary.
    """
    served = _served(plane.prepared.mapping, bundle)
    return replace(
        plane,
        prepared=replace(plane.prepared, custom=served.custom),
        schema=served.schema,
        entity_keys=served.entity_keys,
        shown=partial(visible_schema, served),
        printed=partial(visible_sdl, served),
    )


def _served(mapping: Mapping, bundle: Bundle) -> NodeSchema:
    return NodeSchema.build(full_schema(), mapping, asked_coordinates(bundle.types.values()))


def open_keys(settings: NodeSettings) -> NodeKeys:
    """Read the node's secrets for masks and cursors.

    Raises:
        ConfigurationError: a key file is missing or readable by others.
    """
    return NodeKeys(
        mask_keys(read_secret(settings.keys / MASKS_KEY), EPOCH),
        cursor_sealer(read_secret(settings.keys / CURSORS_KEY)),
    )


def open_mark_secret(settings: NodeSettings) -> bytes:
    """Read the secret behind the marks of citizens in the federation's directory.

    Raises:
        ConfigurationError: the key file is missing or readable by others.
    """
    return mark_secret(read_secret(settings.keys / MASKS_KEY))
