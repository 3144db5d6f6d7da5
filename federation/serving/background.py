"""What a party does beside answering, for as long as it serves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_log = logging.getLogger("crocevia.serving")


@asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` until the block ends. Work that fails is logged at once, and the rest goes on."""
    tasks = [asyncio.create_task(each, name=getattr(each, "__qualname__", None)) for each in work]
    for task in tasks:
        task.add_done_callback(_tell)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (failure := task.exception()):
        _log.error("background work `%s` failed and will not run until a restart", task.get_name(), exc_info=failure)
