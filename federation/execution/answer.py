"""Reads a member's answer: from bytes and status to data, errors and extensions, or to the error it amounts to."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec

from federation.contract.errors import CroceviaError, NodeMisbehavedError, NodeTimeoutError, NodeUnavailableError
from federation.execution.ports import FetchAnswer

_JSON = frozenset({"application/json", "application/graphql-response+json", "application/graphql+json"})


class MemberError(msgspec.Struct, gc=False, frozen=True):
    """One entry of a member's `errors` (GraphQL section 7.1.2)."""

    message: str
    path: list[str | int] | None = None
    extensions: dict[str, Any] | None = None


def answer_decoder(data: Any) -> msgspec.json.Decoder[Any]:
    """Return a decoder for whole answers whose `data` is of this type: attributes data, errors, extensions."""
    struct = msgspec.defstruct(
        "Answer",
        [
            ("data", data | None, None),
            ("errors", list[MemberError] | None, None),
            ("extensions", msgspec.Raw, msgspec.Raw()),
        ],
        gc=False,
    )
    return msgspec.json.Decoder(struct, float_hook=_as_written)


def _as_written(number: str) -> msgspec.Raw:
    """Keep a number of a custom scalar to the last digit: a sum of money has more of them than a binary number."""
    return msgspec.Raw(number.encode())


class NullFoundError(Exception):
    """The decoder refused the answer; one that allows nulls everywhere may still read it."""


def read_answer(member: str, decode: Callable[[bytes], Any], answer: FetchAnswer) -> Any:
    """Decode an answer.

    Raises:
        NullFoundError: the answer is JSON and not of the decoder's shape.
        NodeUnavailableError, NodeTimeoutError: the status says so and the body is no GraphQL answer.
        NodeMisbehavedError: not JSON, or another status without a GraphQL answer.
    """
    if answer.media_type not in _JSON:
        raise failure_of_status(member, answer.status)
    try:
        decoded = decode(answer.body)
    except msgspec.ValidationError as error:
        raise NullFoundError from error
    except (ValueError, RecursionError) as error:
        raise failure_of_status(member, answer.status) from error
    if decoded.data is None and not decoded.errors:
        raise failure_of_status(member, answer.status)
    return decoded


def failure_of_status(member: str, status: int) -> CroceviaError:
    """Return the error for an HTTP answer that carries no GraphQL answer."""
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        return timed_out(member)
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE}:
        return unavailable(member)
    return misbehaved(member)


def unavailable(member: str) -> NodeUnavailableError:
    """Return the error for a member that cannot be reached."""
    return NodeUnavailableError(f"member `{member}` cannot be reached", member=member)


def timed_out(member: str) -> NodeTimeoutError:
    """Return the error for a member that took longer than its share of the time."""
    return NodeTimeoutError(f"member `{member}` did not answer in time", member=member)


def misbehaved(member: str) -> NodeMisbehavedError:
    """Return the error for a member whose answer was discarded."""
    return NodeMisbehavedError(f"member `{member}` gave an answer that cannot be used", member=member)
