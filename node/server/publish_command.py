"""`crocevia node publish`: the federation's directory gets to know on whom this node holds a file, now."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from federation.contract.clock import SystemClock
from federation.contract.errors import BadInputError
from federation.trust.registry import Registry
from node.console.policy_options import Format, FormatOption
from node.console.policy_output import print_json
from node.data.database import open_database
from node.data.operation import Prepared
from node.membership.publishing import Published
from node.own.database import open_own
from node.server.planes import member_mapping, require_own_tables
from node.server.publishing import Directory
from node.server.settings import NodeSettings, load_settings


def publish(
    settings: Annotated[Path, typer.Option("--settings", help="The node's settings file (TOML).")],
    output: FormatOption = Format.TABLE,
) -> None:
    """Tell the federation's directory on whom this node holds a file; what it knows already is not sent."""
    done = publish_now(load_settings(settings))
    if done is None:
        raise BadInputError("the mapping names no `directory`: nothing is published (docs/joining.md)")
    if output is Format.JSON:
        print_json({"files": done.files, "sent": done.sent})
    else:
        typer.echo(said(done))


def said(done: Published) -> str:
    """Say what was published."""
    return f"directory: {done.files} files, {done.sent} sent"


def publish_now(settings: NodeSettings) -> Published | None:
    """Publish what the register has; None where the mapping names no `directory`.

    Raises:
        UnavailableError: gateway, exchange, register or own tables do not answer.
        AuthorisationError: the member is not on the list.
    """
    return asyncio.run(_publish(settings))


async def _publish(settings: NodeSettings) -> Published | None:
    mapping, clock = member_mapping(settings), SystemClock()
    if mapping.directory is None and not mapping.broadcast:
        return None
    await require_own_tables(settings)
    members = Registry.open(settings.registry, clock, url=settings.registry_url)
    database, own = open_database(mapping.database, settings.mapping.parent), open_own(settings.own_url)
    try:
        prepared = Prepared.of(mapping, database.dialect)
        directory = Directory(settings, prepared, mapping.directory, database, own, members.current, clock)
        return await directory.publish()
    finally:
        await database.close()
        await own.close()
