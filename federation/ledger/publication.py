"""What a ledger publishes over HTTP, free of any framework: path and query in, status, type and bytes out.

`/checkpoint`, `/tile/…` and `/tile/entries/…` are C2SP tlog-tiles; `/proof/inclusion` and `/proof/consistency` give the
proofs of RFC 9162 section 5.4 and 5.3 as JSON. Entry bundles hold tags and sealed parts: the server decides who may
read them (`Audience`), while witnesses and the public need the rest only.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from federation.contract.canonical import canonical
from federation.contract.errors import BadInputError, NotFoundError
from federation.ledger.reader import LedgerReader
from federation.ledger.tiles import TilePath

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class Audience(Enum):
    """Who may read what."""

    PUBLIC = "hashes, heads and proofs"
    AUDITOR = "entries as well"


@dataclass(frozen=True, slots=True)
class Publication:
    """A response; immutable ones may be cached for ever."""

    status: HTTPStatus
    content_type: str
    body: bytes
    immutable: bool = False

    def headers(self) -> dict[str, str]:
        """Return the headers of the response, its type aside."""
        return {"cache-control": "public, max-age=31536000, immutable" if self.immutable else "no-store"}


def publish(reader: LedgerReader, path: str, query: Mapping[str, str], audience: Audience) -> Publication:
    """Answer a GET below the ledger's prefix; `path` has no leading slash.

    Raises:
        NotFoundError: nothing is published there, or not to this audience.
        BadInputError: a query parameter is missing or no number.
        LedgerCorruptError, LedgerUnavailableError: the ledger cannot be read.
    """
    match path.split("/", 1):
        case ["checkpoint"]:
            note = str(reader.head().note)
            return Publication(HTTPStatus.OK, "text/plain; charset=utf-8", note.encode())
        case ["tile", _]:
            tile = TilePath.parse(path)
            if tile.level is None and audience is not Audience.AUDITOR:
                raise NotFoundError("entries are not published here")
            return Publication(HTTPStatus.OK, "application/octet-stream", reader.tile(tile), immutable=True)
        case ["proof", "inclusion"]:
            recorded = reader.entry(_number(query, "index"))
            receipt = recorded.receipt
            return _json(
                {"checkpoint": receipt.checkpoint, "leafHash": receipt.leaf_hash, "path": [*receipt.inclusion]}
            )
        case ["proof", "consistency"]:
            first, second = _number(query, "first"), _number(query, "second")
            return _json({"path": [b64encode(part).decode() for part in reader.consistency(first, second)]})
        case _:
            raise NotFoundError("the ledger publishes nothing under this path")


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise BadInputError(f"expected a number in `{name}`")
    return int(text)


def _json(value: object) -> Publication:
    return Publication(HTTPStatus.OK, "application/json", canonical(value))
