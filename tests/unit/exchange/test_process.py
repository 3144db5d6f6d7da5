"""The exchange as a process: it starts, answers over a socket, stops cleanly, and refuses to start on a bad key."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from federation.contract.clock import FixedClock, SystemClock
from federation.contract.identifiers import MemberId
from federation.exchange.messages import CONVERT_PATH, Conversion, ConvertAnswer
from federation.exchange.server import MASTER_KEY, SUBJECTS_KEY
from federation.ledger.note import Ed25519Signer
from federation.ledger.store import SqliteStore
from federation.ledger.verify import verify_ledger
from federation.trust.keys import LEDGER_KEY, MESSAGE_KEY, generate_ed25519, load_ed25519, write_private
from tests.support.exchange import EXCHANGE_KEY, SUITE, World, member_list
from tests.support.members import registry_of

pytestmark = pytest.mark.integration

INPREV, ASLVS = MemberId("inprev"), MemberId("aslvs")
COMMAND = "from pathlib import Path; from federation.exchange.server import serve; serve(Path('settings.toml'))"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path, port: int) -> Path:
    """Found an exchange whose member list is of now: the process has the machine's clock."""
    (tmp_path / "keys").mkdir()
    EXCHANGE_KEY.save(tmp_path / "keys" / MESSAGE_KEY)
    generate_ed25519(tmp_path / "keys" / LEDGER_KEY)
    write_private(tmp_path / "keys" / MASTER_KEY, bytes(range(32)))
    write_private(tmp_path / "keys" / SUBJECTS_KEY, bytes(32))
    registry_of(tmp_path / "registry", member_list(now=datetime.now(UTC)), SystemClock())
    (tmp_path / "settings.toml").write_text(
        f'listen = "127.0.0.1:{port}"\nurl = "https://exchange.example"\n'
        'keys = "keys"\nstate = "state"\nregistry = "registry"\n'
    )
    return tmp_path


def start(home: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND], cwd=home, env=environment, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def process(home: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    running = start(home)
    until = time.monotonic() + 30
    while time.monotonic() < until and running.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.05)
    yield running
    running.kill()
    running.wait()
    assert running.stderr is not None
    running.stderr.close()


def test_it_answers_over_a_socket_and_stops_cleanly(home: Path, process: subprocess.Popen[str], port: int) -> None:
    now = datetime.now(UTC)
    world = World(clock=FixedClock(now))
    pid = str(SUITE.pseudonym(INPREV, bytes(16)))
    request = world.asked(Conversion(INPREV, ASLVS, (pid,)))
    url = f"http://127.0.0.1:{port}{CONVERT_PATH}"
    answer = httpx.post(url, content=request.body, headers=dict(request.headers))
    assert answer.status_code == 200, answer.text
    told = ConvertAnswer.parse(answer.content).translations[0].statement.pids
    assert told == (str(SUITE.pseudonym(ASLVS, bytes(16))),)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0
    signer = Ed25519Signer.of("demo/exchange/ledger", load_ed25519(home / "keys" / LEDGER_KEY))
    store = SqliteStore.open_to_read(home / "state" / "ledger.db")
    assert verify_ledger(store, signer.verifier).head.size == 1
    store.close()


def test_it_does_not_start_on_a_key_that_others_may_read(home: Path) -> None:
    (home / "keys" / MASTER_KEY).chmod(0o644)
    running = start(home)
    _, errors = running.communicate(timeout=30)
    assert running.returncode != 0
    assert "master.key` has mode 0644" in errors
