"""What a command's exit status means, the same for every command."""

from __future__ import annotations

from enum import IntEnum

from federation.contract.errors import (
    AuthenticationError,
    AuthorisationError,
    BadInputError,
    CroceviaError,
    LedgerCorruptError,
    NotFoundError,
    PolicyUnavailableError,
    RateLimitedError,
    UnavailableError,
)


class ExitCode(IntEnum):
    """The statuses."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    INTERNAL = 70


_BY_ERROR: tuple[tuple[type[CroceviaError], ExitCode], ...] = (
    (LedgerCorruptError, ExitCode.CHECK_FAILED),
    (PolicyUnavailableError, ExitCode.CHECK_FAILED),  # what is wrong lies in its files, and trying again does not help
    (BadInputError, ExitCode.USAGE),
    (AuthenticationError, ExitCode.REFUSED),
    (AuthorisationError, ExitCode.REFUSED),
    (RateLimitedError, ExitCode.REFUSED),
    (NotFoundError, ExitCode.NOT_FOUND),
    (UnavailableError, ExitCode.UNREACHABLE),
)


def exit_code(error: CroceviaError) -> ExitCode:
    """Return the exit status of a command that ended with `error`."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.INTERNAL)
