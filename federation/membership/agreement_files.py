"""Agreements as files, which parties hand to one another until all have signed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from federation.contract.errors import BadInputError, NotFoundError
from federation.contract.members import Agreement
from federation.contract.settings_files import replace_file


def read_agreement(path: Path) -> Agreement:
    """Read an agreement's file.

    Raises:
        NotFoundError: it cannot be read.
        BadInputError: it is not an agreement; the message names the place.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Agreement)
    except OSError as error:
        raise NotFoundError(f"agreement `{path}` cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadInputError(f"`{path}` is not an agreement: {error}") from error


def write_agreement(path: Path, agreement: Agreement) -> None:
    """Write an agreement for people and for whoever signs next."""
    replace_file(path, msgspec.json.format(msgspec.json.encode(agreement), indent=2) + b"\n")
