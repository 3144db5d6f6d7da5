"""Several processes that serve one address: started one after the other, replaced when they die, ended together.

What they share lies in files and databases (replay store, counters, ledger), never in memory. Workers are forked from a
parent that has opened nothing but the address.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

Work = Callable[[Callable[[], None]], None]
"""One worker's life; it calls what it is given once it has opened everything."""

_SHORT_LIFE = 2.0
"""A worker that ends sooner is not replaced at once."""
_PARENT_SECONDS = 1.0
_log = logging.getLogger("crocevia.serving")


def run_workers(work: Work, count: int) -> None:
    """Run `count` workers until a signal ends them; a single one runs in this process.

    Raises:
        SystemExit: a worker could not start; with its exit status.
    """
    if count == 1:
        work(lambda: None)
        return
    _Workers(work).run(count)


@dataclass(slots=True)
class _Workers:
    """The parent: it serves nothing itself."""

    work: Work
    _born: dict[int, float] = field(default_factory=dict)
    _ending: bool = False

    def run(self, count: int) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        for _ in range(count):
            self._start()
        while self._born:
            pid, status = os.wait()
            born = self._born.pop(pid, None)
            if born is None or self._ending:
                continue
            _log.error("worker %d ended by itself with status %d; another takes its place", pid, status)
            if time.monotonic() - born < _SHORT_LIFE:
                time.sleep(_SHORT_LIFE)
            self._start()

    def _start(self) -> None:
        """Start a worker and wait until it has opened its files: two that make the same file would be in the way."""
        reading, writing = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _live(self.work, writing, parent)
        os.close(writing)
        self._born[pid] = time.monotonic()
        with os.fdopen(reading, "rb") as ready:
            if not ready.read(1) and not self._ending:
                _, status = os.waitpid(pid, 0)
                self._born.pop(pid)
                self._end(signal.SIGTERM, None)
                raise SystemExit(os.waitstatus_to_exitcode(status) or 1)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self._ending = True
        for pid in self._born:
            os.kill(pid, number)


def _live(work: Work, writing: int, parent: int) -> None:
    """Be a worker: never return to what the parent was doing."""
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
        work(lambda: _ready(writing))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  # a forked process must not unwind into its parent's work
        _log.exception("a worker could not go on")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _ready(writing: int) -> None:
    os.write(writing, b"1")
    os.close(writing)


def _follow(parent: int) -> None:
    """End when the parent is gone, however it went: nobody would end this worker any more."""
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
