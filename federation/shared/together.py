"""What requests of one moment must have remembered is committed at once: a commit costs more than what it commits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from federation.contract.errors import UnavailableError

_log = logging.getLogger(__name__)
_UNJUDGED: Final = "what this request must have remembered could not be committed, so it is refused; try again"

_Result = TypeVar("_Result")
_Outcome = tuple[Any, Exception | None]


class Store(Protocol):
    """Whatever has `together`; see `federation.shared.store.Shared`."""

    def together(self, work: Callable[[], _Result]) -> _Result:
        """Run what `work` runs together."""
        ...


class Together:
    """Judges what was asked for since the event loop last came by, one after the other, with one commit of each store.

    INVARIANT: nobody is told how it was judged before every store has committed. Whoever was judged and then hears that
    a commit failed was counted perhaps, and let in never.
    """

    def __init__(self, *stores: Store) -> None:
        """Commit these; every process takes them in this order, so that none waits for one that waits for it."""
        self._stores = stores
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    async def judge(self, judgement: Callable[[], _Result]) -> _Result:
        """Return what `judgement` returns, which works on the stores alone and not for long, once it is committed.

        Raises:
            UnavailableError: a store did not commit.
            Exception: what `judgement` raised, once that is committed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Result] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._settle)
        self._waiting.append((judgement, future))
        return await future

    def _settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        work: Callable[[], list[_Outcome]] = partial(_judged, [judgement for judgement, _ in waiting])
        for store in reversed(self._stores):
            work = partial(store.together, work)
        try:
            outcomes = work()
        except UnavailableError as error:
            # Each has an error of its own: its request adds to it.
            outcomes = [(None, UnavailableError(error.message)) for _ in waiting]
        except Exception:  # noqa: BLE001  # whatever failed, nobody may be left waiting
            _log.exception("a store failed in a way of its own; whoever waited for it is refused")
            outcomes = [(None, UnavailableError(_UNJUDGED)) for _ in waiting]
        for (_, future), (value, refused) in zip(waiting, outcomes, strict=True):
            if future.done():  # its request was cancelled; what was counted stays
                continue
            if refused is None:
                future.set_result(value)
            else:
                future.set_exception(refused)


def _judged(judgements: list[Callable[[], Any]]) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    for judgement in judgements:
        try:
            outcomes.append((judgement(), None))
        except Exception as error:  # noqa: BLE001  # it belongs to the one who is judged, and is raised there
            outcomes.append((None, error))
    return outcomes
