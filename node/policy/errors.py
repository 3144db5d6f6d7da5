"""What can be wrong with policies, as one tree with stable codes.

* PolicyError                POLICY_INVALID
  - ConditionError           CONDITION_INVALID       one condition; carries the offset of the offending word
  - FormError                FORM_INVALID            one disclosure form; carries the keys that lead to the wrong one
  - BundleError              POLICY_INVALID          a whole bundle; carries every finding at once

A request that names no purpose of the vocabulary is refused with `federation.contract.errors.PurposeError` (R4).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from node.policy.findings import Finding


class PolicyError(Exception):
    """Base of everything that is wrong with a policy."""

    code: ClassVar[str] = "POLICY_INVALID"


class ConditionError(PolicyError):
    """A condition that does not parse or whose types do not fit."""

    code = "CONDITION_INVALID"

    def __init__(self, message: str, offset: int) -> None:
        """Keep the message and the offset, in characters from 0, of the offending word."""
        super().__init__(message)
        self.message = message
        self.offset = offset


class FormError(PolicyError):
    """A disclosure form that does not exist or has wrong arguments."""

    code = "FORM_INVALID"

    def __init__(self, message: str, *path: str) -> None:
        """Keep the message and where in the form as it is written the wrong key stands; nothing for the whole form."""
        super().__init__(message)
        self.message = message
        self.path = path


class BundleError(PolicyError):
    """A bundle with at least one error; nothing of it is used."""

    code = "POLICY_INVALID"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        """Keep every finding of the bundle, warnings included, in the order of files and lines."""
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?` with the nearest known word, or the list of known words, or nothing."""
    words = sorted(set(known))
    same = [each for each in words if each.casefold() == word.casefold()]
    near = same or get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return message("; did you mean `{nearest}`?", nearest=near[0])
    return message("; known: {known}", known=", ".join(f"`{name}`" for name in words)) if words else ""
