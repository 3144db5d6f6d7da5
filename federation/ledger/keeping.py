"""What keeps a ledger honest in the eyes of others: it is published, shown to witnesses, and timestamped."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any, Self

from federation.contract.clock import Clock
from federation.ledger.reader import LedgerReader
from federation.ledger.timestamps import Timestamps, TimestampSettings
from federation.ledger.witness_rounds import Post, Witnesses, WitnessRounds, WitnessSettings

_POLL_SECONDS = 1.0
_log = logging.getLogger("crocevia.ledger")

OpenPost = Callable[[], AbstractAsyncContextManager[Post]]
"""Opens the way to other parties' servers."""


@dataclass(slots=True)
class Keeping:
    """The rounds of one ledger; among processes that share its files, the one that holds `lock` makes them."""

    reader: LedgerReader
    witnessed: WitnessRounds
    stamped: Timestamps | None
    lock: Path

    @classmethod
    def open(
        cls,
        state: Path,
        reader: LedgerReader,
        witnessing: WitnessSettings,
        timestamps: TimestampSettings | None,
        clock: Clock,
    ) -> Self:
        """Open the files beside the ledger in `state`.

        Raises:
            ConfigurationError: the timestamp authority's root certificates cannot be read.
            LedgerUnavailableError: a file cannot be opened.
        """
        stamped = Timestamps.open(state / "timestamps.db", reader, timestamps, clock) if timestamps else None
        witnessed = WitnessRounds.open(state / "witnessed.db", reader, witnessing, clock)
        return cls(reader, witnessed, stamped, state / "keeping.lock")

    async def keep(self, witnesses: Witnesses, open_post: OpenPost) -> None:
        """Make rounds until cancelled."""
        with self.lock.open("wb+") as lock:
            while not _taken(lock):  # noqa: ASYNC110  # the lock is freed by another process: no event tells of it
                await asyncio.sleep(_POLL_SECONDS)
            async with open_post() as post:
                await self._rounds(witnesses, post)

    def standing(self) -> dict[str, Any]:
        """Return how far witnesses and timestamps have come, for a readiness document.

        Raises:
            ClockDriftError: witnesses find this clock wrong, so this process is not ready.
        """
        self.witnessed.require_clock()
        stamped = self.stamped.standing() if self.stamped else {}
        return {**self.witnessed.standing().to_json(), **stamped}

    def close(self) -> None:
        """Let go of the files."""
        self.witnessed.close()
        if self.stamped:
            self.stamped.close()

    async def _rounds(self, witnesses: Witnesses, post: Post) -> None:
        next_stamp = time.monotonic()
        while True:
            try:
                await self.witnessed.round(witnesses(), post)
                if self.stamped and time.monotonic() >= next_stamp:
                    next_stamp += self.stamped.settings.every
                    await self.stamped.round(post)
            except Exception:  # noqa: BLE001  # a defect, or a full disk, must not end the rounds for ever
                _log.exception("a round to witnesses failed")
            await asyncio.sleep(self.witnessed.settings.every)


def _taken(lock: BufferedRandom) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
