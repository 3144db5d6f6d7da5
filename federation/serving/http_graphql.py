"""GraphQL over HTTP: which requests are understood, and in which media type and with which status they are answered.

The specification is read by its sections: 4 (serialisation), 5 (requests), 6 (responses). Bodies are read by
`federation.contract.graphql_request`; this file only negotiates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from federation.contract.errors import BadInputError, BodyTooLargeError, CroceviaError
from federation.contract.graphql_request import GraphQLRequest, Limits


class Media(StrEnum):
    """The media types of an answer."""

    RESPONSE = "application/graphql-response+json"
    JSON = "application/json"
    EVENTS = "text/event-stream"
    PARTS = "multipart/mixed"


class MethodError(BadInputError):
    """The HTTP method cannot carry this operation."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class MediaTypeError(BadInputError):
    """The request's content is of a media type that is not read here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class NotAcceptableError(BadInputError):
    """None of the media types that the client accepts can be written."""

    status = HTTPStatus.NOT_ACCEPTABLE


class SlowBodyError(BadInputError):
    """The body did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the client accepts: the media type for a single result, and whether it can take a stream."""

    single: Media
    events: bool
    parts: bool


_ANYTHING = Accepted(Media.JSON, events=False, parts=False)
_COMMON: dict[bytes, Accepted] = {
    b"": _ANYTHING,
    b"*/*": _ANYTHING,
    b"application/json": _ANYTHING,
    b"application/graphql-response+json": Accepted(Media.RESPONSE, events=False, parts=False),
    b"application/graphql-response+json, application/json": Accepted(Media.RESPONSE, events=False, parts=False),
}


def accepted(header: bytes) -> Accepted:
    """Read an Accept header (section 6.1; no header means `application/json`).

    Raises:
        NotAcceptableError: no media type of an answer is accepted.
    """
    known = _COMMON.get(header)
    return known if known is not None else _negotiate(header.decode("latin-1"))


def _negotiate(header: str) -> Accepted:
    weights: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[name] = _quality(parameters)
    any_weight = weights.get("*/*", weights.get("application/*", 0.0))
    response = weights.get(Media.RESPONSE, 0.0)
    plain = weights.get(Media.JSON, any_weight)
    events, parts = weights.get(Media.EVENTS, 0.0) > 0, weights.get(Media.PARTS, 0.0) > 0
    if response > 0 and response >= plain:
        return Accepted(Media.RESPONSE, events, parts)
    if plain > 0 or events or parts:
        return Accepted(Media.JSON, events, parts)
    raise NotAcceptableError(
        "expected to be allowed to answer with application/graphql-response+json or application/json"
    )


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0


def check_content_type(header: bytes) -> None:
    """Accept JSON in UTF-8 only (section 5.4).

    Raises:
        MediaTypeError: anything else, forms and plain text above all, which browsers send without asking first.
    """
    if header == b"application/json":
        return
    name, *parameters = (piece.strip().lower() for piece in header.decode("latin-1").split(";"))
    charset = next((value[8:].strip('"') for value in parameters if value.startswith("charset=")), "utf-8")
    if name != "application/json" or charset not in {"utf-8", "utf8"}:
        raise MediaTypeError("expected content of type application/json in UTF-8")


def query_string_request(query_string: bytes, limits: Limits) -> GraphQLRequest:
    """Read a request from a URL (section 5.3).

    Raises:
        BadInputError: a parameter occurs twice, or is not what it should be.
    """
    if len(query_string) > limits.body:
        raise BodyTooLargeError("query string", limits.body)
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError as error:
        raise BadInputError("query string is malformed") from error
    if len(dict(pairs)) != len(pairs):
        raise BadInputError("query string has a parameter twice")
    body: dict[str, Any] = {}
    for name, value in pairs:
        if name in {"variables", "extensions"}:
            if value:
                body[name] = msgspec.Raw(_json_text(value))
        elif name in {"query", "operationName", "documentId"}:
            body[name] = value
    return GraphQLRequest.parse(msgspec.json.encode(body), limits)


def _json_text(value: str) -> bytes:
    """Return the text if it is JSON: it is put into a document that is read strictly afterwards."""
    encoded = value.encode()
    try:
        msgspec.json.decode(encoded)
    except (ValueError, RecursionError) as error:
        raise BadInputError("`variables` and `extensions` must be JSON") from error
    return encoded


def media_of_refusal(header: bytes) -> Media:
    """Return the media type of a refusal: what is accepted, and JSON where nothing is that can be written."""
    try:
        return accepted(header).single
    except NotAcceptableError:
        return Media.JSON


def status_of_refusal(error: CroceviaError, media: Media) -> int:
    """Return the status of an answer without `data` (section 6.4).

    Under `application/json` a well-formed request that is refused is answered 200 (section 6.4.1), so that a status
    from a proxy is not taken for ours; a request that could not be read has its own status in either media type.
    """
    well_formed = error.code in {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
    return int(HTTPStatus.OK if media is Media.JSON and well_formed else error.status)


def refusal(errors: list[dict[str, Any]]) -> bytes:
    """Return the body of an answer without `data`."""
    return msgspec.json.encode({"errors": errors})
