"""What every server of the federation does with what arrives: read it within bounds, refuse by code."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from federation.contract.errors import (
    BadInputError,
    BodyTooLargeError,
    CroceviaError,
    InternalError,
    OverloadedError,
)
from federation.serving.endpoint import Arrived, Fault
from federation.serving.http_graphql import SlowBodyError
from federation.trust.http_messages import HttpRequest, single_headers

_Answer = TypeVar("_Answer")

MAX_HEADERS = 100


class ClientLeftError(BadInputError):
    """The client closed the connection before its request was complete."""


def request_of(arrived: Arrived, origin: str) -> HttpRequest:
    """Return what arrived as signatures see it.

    `origin` is this server's own idea of where it is; what the client says in `Host` decides nothing.

    Raises:
        BadInputError: too many, repeated or unreadable headers, or an encoded body.
    """
    if len(arrived.headers) > MAX_HEADERS:
        raise BadInputError(f"request has more than {MAX_HEADERS} headers")
    headers = single_headers(arrived.headers)
    if headers.get("content-encoding", "identity") != "identity":
        raise BadInputError("body must not be encoded; send it with `Content-Encoding: identity`")
    return HttpRequest(arrived.method, origin + arrived.path, headers, arrived.body, arrived.peer)


def error_of(fault: Fault, limit: int) -> CroceviaError:
    """Return the refusal of a request that never became whole; `limit` is that of its endpoint, in bytes."""
    match fault:
        case Fault.TOO_LONG:
            return BodyTooLargeError("body", limit)
        case Fault.TOO_SLOW:
            return SlowBodyError("body did not arrive in time")
        case Fault.LEFT:
            return ClientLeftError("client left before its request was complete")
        case Fault.BUSY:
            return OverloadedError("as much is in work here as can be answered in time; try again", retryAfter=1)


async def or_refusal(
    answering: Awaitable[_Answer], refused: Callable[[CroceviaError], _Answer], log: logging.Logger
) -> _Answer:
    """Return the answer, or what `refused` makes of the refusal; a defect of ours says nothing of itself."""
    try:
        return await answering
    except CroceviaError as error:
        return refused(error)
    except Exception:  # the last line before a caller that must learn nothing from a defect
        log.exception("a request failed")
        return refused(InternalError("the request failed here; the log says more"))
