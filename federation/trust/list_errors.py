"""Why a member list is not taken: each reason with a code of its own, so that an operator sees what to look for."""

from __future__ import annotations

from http import HTTPStatus

from tuf.api.exceptions import (
    BadVersionNumberError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)

from federation.contract.errors import BadInputError, CroceviaError, RegistryStaleError, SignatureError


class UndersignedListError(SignatureError):
    """Fewer operators than the threshold signed the member list."""

    code = "REGISTRY_UNDERSIGNED"
    status = HTTPStatus.UNAUTHORIZED


class ListRollbackError(SignatureError):
    """The registry offered is older than the one in force."""

    code = "REGISTRY_ROLLBACK"
    status = HTTPStatus.UNAUTHORIZED


class MixedListError(SignatureError):
    """The registry's files do not belong together: one is not the one that another names."""

    code = "REGISTRY_MIXED"
    status = HTTPStatus.UNAUTHORIZED


class ExpiredListError(RegistryStaleError):
    """The member list offered has expired."""

    code = "REGISTRY_EXPIRED"
    status = HTTPStatus.SERVICE_UNAVAILABLE


_REASONS: tuple[tuple[type[RepositoryError], type[CroceviaError]], ...] = (
    (UnsignedMetadataError, UndersignedListError),
    (BadVersionNumberError, ListRollbackError),
    (ExpiredMetadataError, ExpiredListError),
    (LengthOrHashMismatchError, MixedListError),
    (RepositoryError, BadInputError),
)


def reason(error: RepositoryError) -> CroceviaError:
    """Return the refusal that a fault of the update framework stands for."""
    kind = next(ours for theirs, ours in _REASONS if isinstance(error, theirs))
    return kind(f"member list is not taken: {error}")
