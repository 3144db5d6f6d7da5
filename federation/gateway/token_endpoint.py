"""The token endpoint's wire form: the form that comes in, the `error` that goes out (RFC 6749 sections 3.2 and 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from federation.contract.errors import (
    AgreementError,
    BadInputError,
    CroceviaError,
    ProofError,
    ProofNonceError,
    PurposeNotAgreedError,
    RateLimitedError,
    TokenError,
    TokenExpiredError,
    TokenReplayError,
    UnavailableError,
    UnknownMemberError,
)

_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 16


class GrantTypeError(BadInputError):
    """Another grant type than client credentials."""


class TokenScopeError(BadInputError):
    """A scope: what may be asked follows from the agreement."""


def read_form(content_type: str, body: bytes) -> Mapping[str, str]:
    """Read a token request; a parameter without a value counts as left out (RFC 6749 section 3.1).

    Raises:
        BadInputError: another media type, no ASCII, too many parameters, or one twice.
    """
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise BadInputError(f"expected a body of `{_FORM}`")
    try:
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:  # no ASCII, no UTF-8 behind the escapes, or too many
        raise BadInputError(f"expected a form of at most {_MOST_FIELDS} parameters, as ASCII") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise BadInputError("form has a parameter twice")
    return form


# The first that fits: a subclass stands before its parent.
_OAUTH: Final[tuple[tuple[type[CroceviaError], str, HTTPStatus], ...]] = (
    (ProofNonceError, "use_dpop_nonce", HTTPStatus.BAD_REQUEST),
    (ProofError, "invalid_dpop_proof", HTTPStatus.BAD_REQUEST),
    (TokenError, "invalid_client", HTTPStatus.UNAUTHORIZED),
    (TokenExpiredError, "invalid_client", HTTPStatus.UNAUTHORIZED),
    (TokenReplayError, "invalid_client", HTTPStatus.UNAUTHORIZED),
    (UnknownMemberError, "invalid_client", HTTPStatus.UNAUTHORIZED),
    (AgreementError, "unauthorized_client", HTTPStatus.BAD_REQUEST),
    (PurposeNotAgreedError, "invalid_scope", HTTPStatus.BAD_REQUEST),
    (TokenScopeError, "invalid_scope", HTTPStatus.BAD_REQUEST),
    (GrantTypeError, "unsupported_grant_type", HTTPStatus.BAD_REQUEST),
    (BadInputError, "invalid_request", HTTPStatus.BAD_REQUEST),
    (RateLimitedError, "temporarily_unavailable", HTTPStatus.TOO_MANY_REQUESTS),
    (UnavailableError, "temporarily_unavailable", HTTPStatus.SERVICE_UNAVAILABLE),
)


def refusal(error: CroceviaError) -> tuple[HTTPStatus, bytes]:
    """Return status and body of a refused token request: `error` as OAuth has it, beside our code and its details."""
    known = ((name, status) for kind, name, status in _OAUTH if isinstance(error, kind))
    name, status = next(known, ("server_error", HTTPStatus.INTERNAL_SERVER_ERROR))
    said: dict[str, Any] = {"error": name, "error_description": error.message, "code": error.code}
    return status, msgspec.json.encode({**said, **error.extensions})
