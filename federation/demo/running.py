"""The processes of a demo federation: what to start, and how to know that it works."""

from __future__ import annotations

from federation.demo.charter import Charter
from federation.demo.layout import Home, Ports, url
from federation.demo.processes import Program, require_free_port

START_SECONDS = 60.0


def programs(home: Home, charter: Charter, ports: Ports) -> list[Program]:
    """Return the programs of a federation, in the order in which they are started: whom others need comes first."""
    exchange = Program(
        "exchange",
        "federation.exchange",
        ("--settings", str(home.party("exchange") / "settings.toml")),
        url(ports.exchange) + "/readyz",
        home.logs / "exchange.log",
    )
    nodes = [
        Program(
            member.id,
            "node.server",
            ("--settings", str(home.party(member.id) / "settings.toml")),
            url(ports.node(position)) + "/readyz",
            home.logs / f"{member.id}.log",
        )
        for position, member in enumerate(charter.nodes())
    ]
    gateway = Program(
        "gateway",
        "federation.gateway",
        ("--settings", str(home.party("gateway") / "settings.toml")),
        url(ports.gateway) + "/readyz",
        home.logs / "gateway.log",
    )
    return [exchange, *nodes, gateway]


def require_free_ports(charter: Charter, ports: Ports) -> None:
    """Refuse to start when a port is taken.

    Raises:
        ConfigurationError: names the port, who wanted it, and the way out.
    """
    require_free_port(ports.gateway, "gateway")
    require_free_port(ports.exchange, "exchange")
    for position, member in enumerate(charter.nodes()):
        require_free_port(ports.node(position), member.id)
