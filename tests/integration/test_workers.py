"""Several processes behind one address: each is replaced when it dies, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.integration
SERVER = textwrap.dedent(
    """
    import os, sys
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from federation.serving.limits import ClientLimits
    from federation.serving.server import run_server

    def app():
        if os.path.exists(sys.argv[2]):
            raise SystemExit(3)
        async def who(_):
            return PlainTextResponse(str(os.getpid()), headers={"connection": "close"})
        return Starlette(routes=[Route("/", who)])

    run_server(app, sys.argv[1], ClientLimits(), workers=3)
    """
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-c", SERVER, address, str(tmp_path / "broken")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as parent:
        yield parent, f"http://{address}/"
        parent.kill()


def workers(url: str, seen: Callable[[set[int]], bool]) -> set[int]:
    """Ask until the processes that answered are as expected."""
    found: set[int] = set()
    until = time.monotonic() + 30
    while time.monotonic() < until and not seen(found):
        try:
            found.add(int(httpx.get(url, trust_env=False).text))
        except httpx.TransportError:
            time.sleep(0.05)
    return found


def test_three_workers_answer_and_a_dead_one_is_replaced(served: tuple[subprocess.Popen[bytes], str]) -> None:
    parent, url = served
    first = workers(url, lambda found: len(found) == 3)
    assert (len(first), parent.pid in first) == (3, False)
    victim = min(first)
    os.kill(victim, signal.SIGKILL)
    assert len(workers(url, lambda found: bool(found - first)) - first) == 1
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(20) == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(url, trust_env=False)


def test_workers_do_not_outlive_a_killed_parent(served: tuple[subprocess.Popen[bytes], str]) -> None:
    parent, url = served
    assert len(workers(url, lambda found: len(found) == 3)) == 3
    parent.kill()
    parent.wait()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            return
        time.sleep(0.1)
    pytest.fail("workers still answer")


def test_a_worker_that_cannot_start_ends_all(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    command = [sys.executable, "-c", SERVER, "127.0.0.1:18399", str(tmp_path / "broken")]
    assert subprocess.run(command, stderr=subprocess.DEVNULL, timeout=30, check=False).returncode == 3
