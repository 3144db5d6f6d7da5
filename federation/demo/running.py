"""The processes of a demo federation: what to start, and how to know that it works."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from federation.contract.errors import ConfigurationError
from federation.demo.charter import Charter
from federation.demo.layout import Home, Ports, url
from federation.demo.processes import Program, require_free_port

START_SECONDS = 60.0
_LOCK_FILE = ".lock"


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Keep a demo's folder to this command: another one would remake registers and keys under running processes.

    Raises:
        ConfigurationError: another command works in the folder.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / _LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"`{home.root}` is in use by a running demo: stop that one, or give another folder with --home"
            ) from error
        yield


def programs(home: Home, charter: Charter, ports: Ports) -> list[Program]:
    """Return the programs of a federation, in the order in which they are started: whom others need comes first."""
    exchange = Program(
        "exchange",
        "federation.exchange",
        ("--settings", str(home.party("exchange") / "settings.toml")),
        ports.url(ports.exchange) + "/readyz",
        home.logs / "exchange.log",
    )
    nodes = [
        Program(
            member.id,
            "node.server",
            ("--settings", str(home.party(member.id) / "settings.toml")),
            ports.url(ports.node(position)) + "/readyz",
            home.logs / f"{member.id}.log",
        )
        for position, member in enumerate(charter.nodes())
    ]
    gateway = Program(
        "gateway",
        "federation.gateway",
        ("--settings", str(home.party("gateway") / "settings.toml")),
        ports.url(ports.gateway) + "/readyz",
        home.logs / "gateway.log",
    )
    publisher = Program(
        "publisher",
        "federation.membership",
        ("--settings", str(home.party("publisher") / "settings.toml")),
        url(ports.publisher) + "/readyz",
        home.logs / "publisher.log",
    )
    return [publisher, exchange, *nodes, gateway]


def require_free_ports(charter: Charter, ports: Ports) -> None:
    """Refuse to start when a port is taken.

    Raises:
        ConfigurationError: names the port, who wanted it, and the way out.
    """
    require_free_port(ports.gateway, "gateway")
    require_free_port(ports.exchange, "exchange")
    require_free_port(ports.publisher, "publisher")
    for position, member in enumerate(charter.nodes()):
        require_free_port(ports.node(position), member.id)
