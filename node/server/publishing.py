"""When a node tells the federation's directory on whom it holds a file: soon after a change, and again and again.

The node does not watch its register. Whoever changes it tells so (`crocevia import`, `crocevia changed`), by events in
the outbox, and the running node publishes within a second. What nobody told of, the hourly comparison finds.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import msgspec

from federation.contract.clock import Clock, day_in_rome, epoch_seconds
from federation.contract.errors import CroceviaError
from federation.contract.members import MemberList
from federation.trust.channel import Channel
from federation.trust.hardware import load_signer
from federation.trust.keys import new_nonce
from node.data.database import Database
from node.data.held_files import Held, held_files
from node.data.mapping import HeldFiles
from node.data.operation import Prepared
from node.membership.asking import Asking
from node.membership.publishing import Published, Publisher
from node.own.database import OwnDatabase
from node.own.outbox import last_about
from node.server.planes import open_mark_secret
from node.server.settings import NodeSettings

if TYPE_CHECKING:
    from node.server.process import NodeProcess

STANDING_FILE: Final = "directory.json"
_LOOK: Final = 1.0
"""Seconds between two looks at the outbox."""
_PAUSE: Final = 30.0
"""Seconds after a failure."""
_COMPARE: Final = 3_600
"""Seconds after which everything is compared, though nobody told of a change."""
_REQUEST: Final = 60.0
_log = logging.getLogger("crocevia.node.directory")


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last event of the outbox before the last publication, and when that was (seconds since 1970)."""

    seq: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Directory:
    """The federation's directory, as one node's processes tell it; `standing` is their common memory.

    Without `told` it is told of nobody, and what it was told before is taken out.
    """

    settings: NodeSettings
    prepared: Prepared
    told: HeldFiles | None
    database: Database
    own: OwnDatabase
    members: Callable[[], MemberList]
    clock: Clock

    @property
    def standing(self) -> Standing:
        """How far the directory has come."""
        file = self._file
        return msgspec.json.decode(file.read_bytes() or b"{}", type=Standing) if file.exists() else Standing()

    async def publish(self) -> Published:
        """Let the directory have what the register has now. One process does so at a time.

        Raises:
            UnavailableError: gateway, exchange, register or own tables do not answer.
            AuthorisationError: the member is not on the list.
        """
        async with self._alone():
            return await self._publish(self.standing)

    async def publish_if_due(self) -> None:
        """Publish if something was told of since the last time, or that was long ago; another process may have."""
        if await self._is_due(self.standing):
            async with self._alone():
                standing = self.standing
                if await self._is_due(standing):
                    done = await self._publish(standing)
                    _log.info("directory: %d files, %d sent", done.files, done.sent)

    async def _is_due(self, standing: Standing) -> bool:
        is_old = epoch_seconds(self.clock) - standing.at >= _COMPARE
        return is_old or await self._last(standing) > standing.seq

    async def _last(self, standing: Standing) -> int:
        if self.told is None:
            return standing.seq
        type_name = self.prepared.mapping.sources[self.told.of].type_name
        return await self.own.run(lambda connection: last_about(connection, type_name, standing.seq))

    async def _publish(self, standing: Standing) -> Published:
        # Known before the register is read: what happens meanwhile is published the next time, perhaps again.
        after = Standing(await self._last(standing), epoch_seconds(self.clock))
        today = day_in_rome(self.clock.now())
        verify = True if self.settings.channel is None else Channel.open(self.settings.channel).asking
        async with httpx.AsyncClient(timeout=_REQUEST, trust_env=False, verify=verify) as http:
            asking = Asking(load_signer(self.settings.keys), http, self.clock, new_nonce)
            secret, told = open_mark_secret(self.settings), self.told
            if told is None:
                done = await Publisher(self.members(), asking, secret, "").publish(_nobody)
            else:
                publisher = Publisher(self.members(), asking, secret, told.capacity)
                done = await publisher.publish(lambda: held_files(self.prepared, told, self.database, today))
        self._file.write_bytes(msgspec.json.encode(after))
        return done

    @property
    def _file(self) -> Path:
        return self.settings.state / STANDING_FILE

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep the node's other processes from publishing meanwhile; one that dies lets go."""
        with self._file.with_suffix(".lock").open("ab") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            yield


async def _nobody() -> AsyncIterator[Sequence[Held]]:
    """Yield no files: the member is asked about everybody."""
    nothing: tuple[Sequence[Held], ...] = ()
    for page in nothing:
        yield page


async def follow_register(process: NodeProcess) -> None:
    """Publish whenever it is due, until cancelled; nothing is published where the mapping names no `directory`."""
    prepared = process.plane.prepared
    mapping = prepared.mapping
    if mapping.directory is None and not mapping.broadcast:
        return
    directory = Directory(
        process.settings,
        prepared,
        mapping.directory,
        process.plane.database,
        process.own,
        process.registry.current,
        process.clock,
    )
    while True:
        pause = _LOOK
        try:
            await directory.publish_if_due()
        except CroceviaError as error:
            _log.warning("the directory was not told of the register: %s", error)
            pause = _PAUSE
        except Exception:  # noqa: BLE001  # a defect must not keep the directory from learning of later changes
            _log.exception("the directory was not told of the register")
            pause = _PAUSE
        await asyncio.sleep(pause)
