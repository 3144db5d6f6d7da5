"""A busy port and a process that dies while starting are named, with the way out."""

import socket
from pathlib import Path

import pytest

from federation.contract.errors import ConfigurationError, UnavailableError
from federation.demo.processes import Processes, Program, require_free_port


def test_a_busy_port_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port} for `gateway` is in use.*--port"):
            require_free_port(port, "gateway")


@pytest.mark.parametrize("port", [-1, 0, 65_536])
def test_a_port_that_cannot_be_is_named_with_the_way_out(port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"no port {port} for `gateway`.*--port"):
        require_free_port(port, "gateway")


def test_a_free_port_is_free(unused_tcp_port: int) -> None:
    require_free_port(unused_tcp_port, "gateway")


def test_a_process_that_ends_while_starting_is_named_with_its_last_line(tmp_path: Path, unused_tcp_port: int) -> None:
    health = f"http://127.0.0.1:{unused_tcp_port}/readyz"
    program = Program("c_m999", "node.server", ("--settings", str(tmp_path / "none.toml")), health, tmp_path / "log")
    with Processes() as processes:
        processes.start([program])
        with pytest.raises(UnavailableError, match=r"`c_m999` ended while starting.*CONFIGURATION_INVALID"):
            processes.wait_until_healthy(30)
    assert processes.pids() == {}
