"""What the gateway asks of the pseudonym exchange, and what it is told."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from federation.contract.errors import BadInputError
from federation.contract.identifiers import MemberId
from federation.contract.messages import ConsumerRequest, Translation

CONVERT_PATH = "/convert"
"""Below the exchange's endpoint on the member list."""

MAX_PIDS = 1_000
MAX_CONVERSIONS = 64
MAX_BODY_BYTES = 4 * 1024 * 1024

_Message = TypeVar("_Message", bound=msgspec.Struct)


class Conversion(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Pseudonyms of `source` to be translated for `to`, at most `MAX_PIDS`; `handles` asks for handles instead."""

    source: MemberId
    to: MemberId
    pids: tuple[str, ...]
    handles: bool = False


class ConvertRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Conversions on behalf of one consumer's request, which comes along whole: it says for which purpose."""

    consumer_request: ConsumerRequest
    conversions: tuple[Conversion, ...]
    trace_id: str = ""

    @classmethod
    def parse(cls, body: bytes) -> ConvertRequest:
        """Read a request.

        Raises:
            BadInputError: not one, or over a limit; the message names the place.
        """
        request = _read(body, cls, "request")
        if not 0 < len(request.conversions) <= MAX_CONVERSIONS:
            raise BadInputError(f"expected 1 to {MAX_CONVERSIONS} conversions, got {len(request.conversions)}")
        if any(len(conversion.pids) > MAX_PIDS for conversion in request.conversions):
            raise BadInputError(f"expected at most {MAX_PIDS} pseudonyms in a conversion")
        return request

    def to_bytes(self) -> bytes:
        """Return the request as JSON."""
        return msgspec.json.encode(self)


class ConvertAnswer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One signed statement for each conversion, in order, its `pids` in the conversion's order."""

    translations: tuple[Translation, ...]

    @classmethod
    def parse(cls, body: bytes) -> ConvertAnswer:
        """Read an answer.

        Raises:
            BadInputError: not one; the message names the place.
        """
        return _read(body, cls, "answer")

    def to_bytes(self) -> bytes:
        """Return the answer as JSON."""
        return msgspec.json.encode(self)


def _read(body: bytes, kind: type[_Message], name: str) -> _Message:
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{name} of the pseudonym exchange cannot be read: {error}") from error
