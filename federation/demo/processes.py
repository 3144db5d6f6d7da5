"""Starting, watching and stopping the processes of a federation on this machine."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from federation.contract.errors import ConfigurationError, UnavailableError

_LAST_PORT = 65_535
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05


def require_free_port(port: int, name: str) -> None:
    """Refuse to start when somebody listens on a port already, or there is no such port.

    Raises:
        ConfigurationError: names the port, who wanted it, and the way out.
    """
    if not 0 < port <= _LAST_PORT:
        raise ConfigurationError(
            f"there is no port {port} for `{name}`; choose with `--port` so that all lie between 1 and {_LAST_PORT}"
        )
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} for `{name}` is in use; stop what listens there or choose others with `--port`"
            ) from error


@dataclass(frozen=True, slots=True)
class Program:
    """One process to run: a Python module with its arguments; `health` is the URL that answers 200 when it works."""

    name: str
    module: str
    arguments: tuple[str, ...]
    health: str
    log: Path


@dataclass(slots=True)
class Processes:
    """The running processes; leaving the context stops all of them by their process ids."""

    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    asking: ssl.SSLContext | bool = True
    """How their health is asked for where they speak TLS."""
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _logs: list[IO[bytes]] = field(default_factory=list)
    _programs: dict[str, Program] = field(default_factory=dict)

    def start(self, programs: Sequence[Program]) -> None:
        """Start every program; each writes to its log file."""
        for program in programs:
            program.log.parent.mkdir(parents=True, exist_ok=True)
            log = program.log.open("ab")
            self._logs.append(log)
            self._programs[program.name] = program
            self._running[program.name] = subprocess.Popen(  # noqa: S603  # our own command, arguments we made
                [sys.executable, "-m", program.module, *program.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,  # a Ctrl-C at the terminal reaches us first, and we stop them in order
            )

    def wait_until_healthy(self, seconds: float) -> None:
        """Wait until every process answers on its health URL.

        Raises:
            UnavailableError: one ended or did not answer in time; names it and its log.
        """
        deadline = time.monotonic() + seconds
        waiting = dict(self._programs)
        with httpx.Client(timeout=1.0, trust_env=False, verify=self.asking) as client:
            while waiting:
                for name, program in list(waiting.items()):
                    if self._running[name].poll() is not None:
                        raise UnavailableError(f"`{name}` ended while starting: {_last_line(program.log)}")
                    if _answers(client, program.health):
                        del waiting[name]
                if waiting and time.monotonic() > deadline:
                    late = next(iter(waiting.values()))
                    raise UnavailableError(f"`{late.name}` did not start within {seconds:.0f} s; see {late.log}")
                time.sleep(_POLL_SECONDS)

    def stop(self, name: str) -> None:
        """Stop one process: SIGTERM, and SIGKILL when it does not end in time."""
        process = self._running.pop(name)
        self._programs.pop(name)
        process.send_signal(signal.SIGTERM)
        _reap(process)

    def ended(self) -> str | None:
        """Return the name of a process that ended by itself, if there is one."""
        return next((name for name, process in self._running.items() if process.poll() is not None), None)

    def pids(self) -> dict[str, int]:
        """Return the process id of every running process."""
        return {name: process.pid for name, process in self._running.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            _reap(process)
        self._running.clear()
        for log in self._logs:
            log.close()


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"
