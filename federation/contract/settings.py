"""Settings files of processes: TOML in, a frozen value with absolute paths out."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any, TypeVar

import msgspec

from federation.contract.errors import ConfigurationError

_Settings = TypeVar("_Settings", bound=msgspec.Struct)


def parse_settings(content: bytes, kind: type[_Settings], path: PurePath) -> _Settings:
    """Read the settings that stand in the file `path`; relative paths in them start at its folder.

    Raises:
        ConfigurationError: names the file, the key and the expectation.
    """

    def from_text(wanted: type[Any], value: Any) -> Any:
        if wanted is Path and isinstance(value, str):
            return Path(path.parent / value)
        raise ValueError(f"expected a text, got {type(value).__name__}")

    try:
        return msgspec.toml.decode(content, type=kind, dec_hook=from_text)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"settings file `{path}` cannot be used: {error}") from error


def host_and_port(listen: str) -> tuple[str, int]:
    """Read an address to listen on, `host:port`.

    Raises:
        ConfigurationError: the text is not one.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 2**16:
        raise ConfigurationError(f"`listen` must be `host:port`, got `{listen}`")
    return host, int(port)
