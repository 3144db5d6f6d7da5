"""Which version the own tables have, and how they come to the newest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from federation.contract.errors import ConfigurationError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Standing(StrEnum):
    """How the tables stand to this release of Crocevia."""

    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Version:
    """The version found, None where there are no tables, and the one that this release wants."""

    found: str | None
    wanted: str
    known: frozenset[str]

    @property
    def standing(self) -> Standing:
        """How they stand to each other; an unknown version is of a later release."""
        if self.found is None:
            return Standing.EMPTY
        if self.found == self.wanted:
            return Standing.CURRENT
        return Standing.BEHIND if self.found in self.known else Standing.AHEAD


def version_of(connection: Connection) -> Version:
    """Return the version of the tables that a connection reaches."""
    scripts = ScriptDirectory(str(_MIGRATIONS))
    known = frozenset(each.revision for each in scripts.walk_revisions())
    wanted = scripts.get_current_head()
    assert wanted is not None
    return Version(MigrationContext.configure(connection).get_current_revision(), wanted, known)


def upgrade(connection: Connection, to: str = "head") -> Version:
    """Bring the tables to a version, the newest unless given; return the one that was found.

    Raises:
        ConfigurationError: the tables are of a later release than this one.
    """
    found = version_of(connection)
    if found.standing is Standing.AHEAD:
        raise ConfigurationError(
            f"the node's own tables are of version {found.found}, which this release does not know; "
            f"it knows {found.wanted}: run the newer release, or restore a backup"
        )
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    return found


def make(connection: Connection, version: str) -> None:
    """Make the tables of a version where there are none.

    Raises:
        ConfigurationError: there are tables of another version, or this release does not know the one wanted.
    """
    found = version_of(connection)
    if version not in found.known:
        raise ConfigurationError(f"the own tables of version {version} are of a later release: restore them with that")
    if found.standing is Standing.EMPTY:
        upgrade(connection, version)
    elif found.found != version:
        raise ConfigurationError(
            f"the own tables are of version {found.found}, and these rows of {version}: drop the schema first"
        )


def require_current(connection: Connection) -> None:
    """Make the tables where there are none; refuse to use any but the newest.

    Raises:
        ConfigurationError: the tables are older or newer; says the way out.
    """
    found = version_of(connection)
    match found.standing:
        case Standing.CURRENT:
            return
        case Standing.EMPTY | Standing.AHEAD:
            upgrade(connection)
        case Standing.BEHIND:
            raise ConfigurationError(
                f"the node's own tables are of version {found.found}, and this release needs {found.wanted}: "
                "back up, then run `crocevia db upgrade`"
            )
