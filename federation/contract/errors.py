"""Every refusal and failure that crosses a border, as one tree with stable codes.

* CroceviaError
  - BadInputError              BAD_USER_INPUT          400
    + DocumentError            GRAPHQL_PARSE_FAILED    400
    + ValidationError          GRAPHQL_VALIDATION_FAILED 400
    + QueryTooComplexError     QUERY_TOO_COMPLEX       400
    + BodyTooLargeError        BODY_TOO_LARGE          413
    + WrittenInputError        INPUT_INVALID           400
    + IdempotencyError         IDEMPOTENCY_KEY_REUSED  409
    + ChangesGoneError         CHANGES_GONE            410
    + PersistedDocumentError   PERSISTED_DOCUMENT_NOT_FOUND 400
    + ConfigurationError       CONFIGURATION_INVALID   500 (start-up only)
  - AuthenticationError        UNAUTHENTICATED         401
    + TokenError               TOKEN_INVALID           401
    + TokenExpiredError        TOKEN_EXPIRED           401
    + TokenReplayError         TOKEN_REPLAY            401
    + ProofError               PROOF_MISMATCH          401
    + ProofNonceError          PROOF_NONCE_REQUIRED    400
    + SignatureError           SIGNATURE_INVALID       401
    + StaleSignatureError      SIGNATURE_STALE         401
    + DigestError              DIGEST_MISMATCH         401
    + ReplayError              REQUEST_REPLAYED        401
    + AddresseeError           ADDRESSEE_MISMATCH      401
  - AuthorisationError         FORBIDDEN               403
    + UnknownMemberError       MEMBER_UNKNOWN          403
    + PurposeError             PURPOSE_REQUIRED        403
    + PurposeNotAgreedError    PURPOSE_NOT_AGREED      403
    + AgreementError           AGREEMENT_INACTIVE      403
    + ScopeError               SCOPE_EXCEEDED          403
    + FieldDeniedError         FIELD_DENIED            403
    + NoOpenFileError          NO_OPEN_FILE            403
    + CombinationError         COMBINATION_DENIED      403
    + CountsOverlapError       COUNTS_OVERLAP          403
    + ThresholdError           THRESHOLD_NOT_GRANTED   403
  - NotFoundError              NOT_FOUND               404
  - RateLimitedError           RATE_LIMITED            429
    + QuotaExceededError       QUOTA_EXCEEDED          429
    + BudgetExhaustedError     BUDGET_EXHAUSTED        429
  - UnavailableError           UNAVAILABLE             503
    + OverloadedError          OVERLOADED              503
    + LedgerUnavailableError   LEDGER_UNAVAILABLE      503
    + LedgerUnwitnessedError   LEDGER_UNWITNESSED      503
    + ClockDriftError          CLOCK_DRIFT             503
    + RegistryStaleError       REGISTRY_STALE          503
    + PolicyUnavailableError   POLICY_UNAVAILABLE      503
    + DatabaseUnavailableError DATABASE_UNAVAILABLE    503
    + CustomFieldUnavailableError CUSTOM_FIELD_UNAVAILABLE 503
    + ExchangeUnavailableError EXCHANGE_UNAVAILABLE    503
    + NodeUnavailableError     NODE_UNAVAILABLE        503
    + NodeTimeoutError         NODE_TIMEOUT            504
    + NodeMisbehavedError      NODE_MISBEHAVED         502
  - LedgerCorruptError         LEDGER_CORRUPT          500
  - InternalError              INTERNAL                500

A message names the thing, the expectation and the way out, and never holds a value of a citizen. The same code stands
in `extensions.code` of a GraphQL error and in `code` of an RFC 9457 problem document.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar


class CroceviaError(Exception):
    """Base of everything that one party reports to another."""

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, **extensions: Any) -> None:
        """Keep the message and what else a client may read beside the code, such as `retryAfter` in seconds."""
        super().__init__(message)
        self.message = str(message)  # text of a type of its own is no JSON
        self.extensions = extensions

    def problem(self) -> dict[str, Any]:
        """Return the error as an RFC 9457 problem document."""
        return {
            "type": f"https://w3id.org/crocevia/errors#{self.code}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.message,
            "code": self.code,
            **self.extensions,
        }

    def graphql(self, path: list[str | int] | None = None) -> dict[str, Any]:
        """Return the error as an entry of a GraphQL response's `errors`."""
        entry: dict[str, Any] = {"message": self.message, "extensions": {"code": self.code, **self.extensions}}
        if path is not None:
            entry["path"] = path
        return entry


class BadInputError(CroceviaError):
    """What the caller sent cannot be understood or used."""

    code = "BAD_USER_INPUT"
    status = HTTPStatus.BAD_REQUEST


class DocumentError(BadInputError):
    """The GraphQL document does not parse."""

    code = "GRAPHQL_PARSE_FAILED"
    status = HTTPStatus.BAD_REQUEST


class ValidationError(BadInputError):
    """The GraphQL document does not fit the schema the caller may use."""

    code = "GRAPHQL_VALIDATION_FAILED"
    status = HTTPStatus.BAD_REQUEST


class QueryTooComplexError(BadInputError):
    """A limit on depth, aliases, tokens, root fields or cost was passed; the message names it."""

    code = "QUERY_TOO_COMPLEX"
    status = HTTPStatus.BAD_REQUEST


class BodyTooLargeError(BadInputError):
    """The body, or the question in a URL, is longer than the server reads; `limit` names the setting."""

    code = "BODY_TOO_LARGE"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, what: str, limit: int) -> None:
        """Say what is longer than `limit` bytes."""
        super().__init__(f"{what} is longer than {limit} bytes", limit="body")


class WrittenInputError(BadInputError):
    """What is to be written breaks a rule of its field; `field` names it."""

    code = "INPUT_INVALID"
    status = HTTPStatus.BAD_REQUEST


class IdempotencyError(BadInputError):
    """The idempotency key was used before, for another input."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status = HTTPStatus.CONFLICT


class ChangesGoneError(BadInputError):
    """Changes that follow the place asked after are no longer kept: read all anew, then begin with the oldest."""

    code = "CHANGES_GONE"
    status = HTTPStatus.GONE


class PersistedDocumentError(BadInputError):
    """No trusted document has this id for the caller."""

    code = "PERSISTED_DOCUMENT_NOT_FOUND"
    status = HTTPStatus.BAD_REQUEST


class ConfigurationError(BadInputError):
    """A configuration, mapping or key file cannot be used; the process does not start."""

    code = "CONFIGURATION_INVALID"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class AuthenticationError(CroceviaError):
    """The caller did not prove who it is."""

    code = "UNAUTHENTICATED"
    status = HTTPStatus.UNAUTHORIZED


class TokenError(AuthenticationError):
    """The access token or client assertion is malformed, wrongly signed or meant for somebody else."""

    code = "TOKEN_INVALID"
    status = HTTPStatus.UNAUTHORIZED


class TokenExpiredError(AuthenticationError):
    """The token is outside its validity, clock skew of 30 seconds allowed."""

    code = "TOKEN_EXPIRED"
    status = HTTPStatus.UNAUTHORIZED


class TokenReplayError(AuthenticationError):
    """The `jti` of an assertion or proof was already used."""

    code = "TOKEN_REPLAY"
    status = HTTPStatus.UNAUTHORIZED


class ProofError(AuthenticationError):
    """The DPoP proof is missing or does not fit the token, method or target (RFC 9449 section 4.3)."""

    code = "PROOF_MISMATCH"
    status = HTTPStatus.UNAUTHORIZED


class ProofNonceError(ProofError):
    """The DPoP proof lacks the server's present nonce, which is in the header `DPoP-Nonce` (RFC 9449 section 8)."""

    code = "PROOF_NONCE_REQUIRED"
    status = HTTPStatus.BAD_REQUEST


class SignatureError(AuthenticationError):
    """A message signature is missing or does not verify (RFC 9421)."""

    code = "SIGNATURE_INVALID"
    status = HTTPStatus.UNAUTHORIZED


class StaleSignatureError(AuthenticationError):
    """A message signature is too old, or comes from the future."""

    code = "SIGNATURE_STALE"
    status = HTTPStatus.UNAUTHORIZED


class DigestError(AuthenticationError):
    """The body is not the one whose digest was signed (RFC 9530)."""

    code = "DIGEST_MISMATCH"
    status = HTTPStatus.UNAUTHORIZED


class ReplayError(AuthenticationError):
    """A signed request with this nonce was already answered."""

    code = "REQUEST_REPLAYED"
    status = HTTPStatus.UNAUTHORIZED


class AddresseeError(AuthenticationError):
    """A correct signature, for another addressee."""

    code = "ADDRESSEE_MISMATCH"
    status = HTTPStatus.UNAUTHORIZED


class AuthorisationError(CroceviaError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"
    status = HTTPStatus.FORBIDDEN


class UnknownMemberError(AuthorisationError):
    """The member is not on the member list."""

    code = "MEMBER_UNKNOWN"
    status = HTTPStatus.FORBIDDEN


class PurposeError(AuthorisationError):
    """No purpose, more than one, or one that the vocabulary does not know (policy R4)."""

    code = "PURPOSE_REQUIRED"
    status = HTTPStatus.FORBIDDEN


class PurposeNotAgreedError(AuthorisationError):
    """The purpose is known and the agreement does not cover it."""

    code = "PURPOSE_NOT_AGREED"
    status = HTTPStatus.FORBIDDEN


class AgreementError(AuthorisationError):
    """No active agreement covers the request on this day."""

    code = "AGREEMENT_INACTIVE"
    status = HTTPStatus.FORBIDDEN


class ScopeError(AuthorisationError):
    """A gateway asked a node for more than the consumer's signed operation covers."""

    code = "SCOPE_EXCEEDED"
    status = HTTPStatus.FORBIDDEN


class FieldDeniedError(AuthorisationError):
    """A field, or an argument that names it, is denied to this requester for this purpose (policy R12, R21)."""

    code = "FIELD_DENIED"
    status = HTTPStatus.FORBIDDEN


class NoOpenFileError(AuthorisationError):
    """The consumer must hold an open file on the citizen in one of `capacities`; it has none, or nobody knows them."""

    code = "NO_OPEN_FILE"
    status = HTTPStatus.FORBIDDEN


class CombinationError(AuthorisationError):
    """Fields that a policy keeps apart would be known of one citizen together; `coordinates` names them."""

    code = "COMBINATION_DENIED"
    status = HTTPStatus.FORBIDDEN


class CountsOverlapError(AuthorisationError):
    """Beside counts that were told before, these would tell of a few persons (policy R26)."""

    code = "COUNTS_OVERLAP"
    status = HTTPStatus.FORBIDDEN


class ThresholdError(AuthorisationError):
    """An age may be asked about, and not this one; `thresholds` lists those that the policy grants to the asker."""

    code = "THRESHOLD_NOT_GRANTED"
    status = HTTPStatus.FORBIDDEN


class NotFoundError(CroceviaError):
    """The thing named does not exist for this caller."""

    code = "NOT_FOUND"
    status = HTTPStatus.NOT_FOUND


class RateLimitedError(CroceviaError):
    """Too many requests; `retryAfter` says when."""

    code = "RATE_LIMITED"
    status = HTTPStatus.TOO_MANY_REQUESTS


class QuotaExceededError(RateLimitedError):
    """The agreement's quota, or the day's messages of a member, are used up; `retryAfter` says when it is renewed."""

    code = "QUOTA_EXCEEDED"
    status = HTTPStatus.TOO_MANY_REQUESTS


class BudgetExhaustedError(RateLimitedError):
    """So many such questions would tell what no single answer may; `budget` names it, `retryAfter` says when."""

    code = "BUDGET_EXHAUSTED"
    status = HTTPStatus.TOO_MANY_REQUESTS


class UnavailableError(CroceviaError):
    """A part that an answer needs does not work now; try again."""

    code = "UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class OverloadedError(UnavailableError):
    """A process has as much in work as it can answer in time; `retryAfter` says when to come back."""

    code = "OVERLOADED"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class LedgerUnavailableError(UnavailableError):
    """The record cannot be written, so no data leaves (trust section 4)."""

    code = "LEDGER_UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class LedgerUnwitnessedError(UnavailableError):
    """No quorum of witnesses has seen the ledger for too long, so no more data leaves until one has."""

    code = "LEDGER_UNWITNESSED"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class ClockDriftError(UnavailableError):
    """The clock differs from those of a quorum of witnesses by more than it may; the process is not ready."""

    code = "CLOCK_DRIFT"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class RegistryStaleError(UnavailableError):
    """The member list expired and no newer one can be had."""

    code = "REGISTRY_STALE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class PolicyUnavailableError(UnavailableError):
    """No valid policy bundle is loaded: everything is denied (policy R37)."""

    code = "POLICY_UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class DatabaseUnavailableError(UnavailableError):
    """The member's database does not answer."""

    code = "DATABASE_UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class CustomFieldUnavailableError(UnavailableError):
    """A field that a member's own code resolves was not to be had; the rest of the answer stands."""

    code = "CUSTOM_FIELD_UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class ExchangeUnavailableError(UnavailableError):
    """The pseudonym exchange does not answer."""

    code = "EXCHANGE_UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class NodeUnavailableError(UnavailableError):
    """A node is down or refuses connections."""

    code = "NODE_UNAVAILABLE"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class NodeTimeoutError(UnavailableError):
    """A node did not answer within its share of the deadline."""

    code = "NODE_TIMEOUT"
    status = HTTPStatus.GATEWAY_TIMEOUT


class NodeMisbehavedError(UnavailableError):
    """A node's answer was discarded whole: wrong type, size, signature or binding."""

    code = "NODE_MISBEHAVED"
    status = HTTPStatus.BAD_GATEWAY


class LedgerCorruptError(CroceviaError):
    """The ledger does not verify; the message names the first bad entry."""

    code = "LEDGER_CORRUPT"
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class InternalError(CroceviaError):
    """A defect of ours; the message carries only a trace id."""

    code = "INTERNAL"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
