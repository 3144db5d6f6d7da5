"""What a member says to the pseudonym exchange to get its own pseudonyms of citizens whose codes it knows.

Two steps for each batch. `evaluate`: the codes travel blinded, and come back evaluated (RFC 9497). `issue`: the values
that the member made of them come back as its own pseudonyms. The exchange sees no code, the member no subject.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from federation.contract.canonical import b64url, from_b64url
from federation.contract.errors import BadInputError

ENROL_PATH: Final = "/enrol"
"""Below the exchange's endpoint on the member list."""
MAX_ENROLLED: Final = 250
"""Citizens in one message: a tenth of a second of the exchange's time."""


class EnrolStep(StrEnum):
    """What is asked for."""

    EVALUATE = "evaluate"
    ISSUE = "issue"


class EnrolRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Blinded elements, or values; base64url."""

    step: EnrolStep
    values: tuple[str, ...]

    @classmethod
    def of(cls, step: EnrolStep, values: tuple[bytes, ...]) -> EnrolRequest:
        """Return a request that carries these bytes."""
        return cls(step, tuple(b64url(each) for each in values))

    @classmethod
    def parse(cls, body: bytes) -> EnrolRequest:
        """Read a request.

        Raises:
            BadInputError: not one, or too large.
        """
        try:
            request = msgspec.json.decode(body, type=cls)
        except (ValueError, RecursionError) as error:
            raise BadInputError(f"enrolment cannot be read: {error}") from error
        if not 0 < len(request.values) <= MAX_ENROLLED:
            raise BadInputError(f"expected 1 to {MAX_ENROLLED} values, got {len(request.values)}")
        return request

    def decoded(self) -> tuple[bytes, ...]:
        """Return the values.

        Raises:
            BadInputError: one is not base64url.
        """
        return tuple(from_b64url(each) for each in self.values)

    def to_bytes(self) -> bytes:
        """Return the request as JSON."""
        return msgspec.json.encode(self)


class EnrolAnswer(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One value for each that was sent, in order: evaluated elements in base64url, or pseudonyms."""

    values: tuple[str, ...]

    @classmethod
    def parse(cls, body: bytes) -> EnrolAnswer:
        """Read an answer.

        Raises:
            BadInputError: not one.
        """
        try:
            return msgspec.json.decode(body, type=cls)
        except (ValueError, RecursionError) as error:
            raise BadInputError(f"answer to an enrolment cannot be read: {error}") from error

    def to_bytes(self) -> bytes:
        """Return the answer as JSON."""
        return msgspec.json.encode(self)
