"""Writing settings files of processes: TOML of texts, replaced in one step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec


def write_settings(path: Path, values: Mapping[str, str], more: str = "") -> None:
    """Write a settings file; `more` are tables that follow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{key} = {toml_text(value)}\n" for key, value in values.items())
    replace_file(path, (lines + more).encode())


def toml_text(text: str) -> str:
    """Return a text as TOML writes it."""
    return msgspec.json.encode(text).decode()  # a JSON string is a TOML basic string


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    partial.replace(path)
