"""Names that travel: members, agreements, and the pseudonyms that stand for citizens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType, Self

from typing_extensions import override

from federation.contract.canonical import b64url, from_b64url
from federation.contract.errors import BadInputError

MemberId = NewType("MemberId", str)
"""An IPA-style code, lower case: `c_m999`."""

DIRECTORY = MemberId("directory")
"""The reference directory is a pseudonym domain of its own, beside the members'."""

PORTAL = MemberId("portal")
"""The citizens' own access point, a pseudonym domain of its own."""

PERSON = "Citizen"
"""The type of the shared vocabulary whose objects are citizens."""

INTERNAL_PREFIX = "_k_"
"""Response keys that begin so carry join keys and `@requires` inputs: for gateway and nodes, never for the consumer."""

_MEMBER = re.compile(r"[a-z][a-z0-9_]{1,31}")
_CAPACITY = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SUITE = re.compile(r"[a-z0-9-]{1,24}")
_MAX_TOKEN_BYTES = 128


def member_id(text: str) -> MemberId:
    """Read a member's code.

    Raises:
        BadInputError: not 2 to 32 lower-case letters, digits and underscores beginning with a letter.
    """
    if not _MEMBER.fullmatch(text):
        raise BadInputError("expected a member code of lower-case letters, digits and `_`, such as `c_m999`")
    return MemberId(text)


def capacity_code(text: str) -> str:
    """Read in which capacity somebody is known: `resident`, `patient`, `insured`, `pupil`.

    Raises:
        BadInputError: not 1 to 32 lower-case letters, digits and hyphens beginning with a letter.
    """
    if not _CAPACITY.fullmatch(text):
        raise BadInputError("expected a capacity of lower-case letters, digits and `-`, such as `resident`")
    return text


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """How one member knows one subject, written `v1.<suite>.<member>.<base64url>` (directory section 1).

    It means something only to `member`: two members' pseudonyms of one subject have nothing in common.
    """

    suite: str
    member: MemberId
    token: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pseudonym.

        Raises:
            BadInputError: the text is not one; the message never repeats it.
        """
        parts = text.split(".")
        if len(parts) != 4 or parts[0] != "v1" or not _SUITE.fullmatch(parts[1]):  # noqa: PLR2004  # version.suite.member.token
            raise BadInputError("expected a pseudonym of the form `v1.<suite>.<member>.<token>`")
        token = from_b64url(parts[3])
        if not 0 < len(token) <= _MAX_TOKEN_BYTES:
            raise BadInputError("expected a pseudonym of the form `v1.<suite>.<member>.<token>`")
        return cls(parts[1], member_id(parts[2]), token)

    @override
    def __str__(self) -> str:
        return f"v1.{self.suite}.{self.member}.{b64url(self.token)}"
