"""The mutations of the vocabulary: the rules of their input, and the record and event that each makes.

GraphQL has checked types and presence already; what stands here are the rules that a type cannot say. A message names
the field and the rule, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from federation.contract.errors import WrittenInputError

_IDEMPOTENCY_KEY: Final = re.compile(r"[A-Za-z0-9_.:-]{8,64}")
_WORD: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_CODE: Final = re.compile(r"[A-Za-z0-9_./-]{1,64}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_MEMBER: Final = re.compile(r"[a-z][a-z0-9_]{1,31}")
_HIGHEST_RATING: Final = 5


class Event(StrEnum):
    """What happened to an object."""

    CREATED = "created"
    UPDATED = "updated"


Given = Mapping[str, Any]
"""A mutation's input as GraphQL coerced it, without what was left out."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One mutation. `check` raises on the first rule that does not hold; `record` gives the fields of `type_name`."""

    name: str
    type_name: str
    event: Event
    check: Callable[[Given], None]
    record: Callable[[Given, str], dict[str, Any]]


def kind_of(mutation: str) -> Kind:
    """Return the rules of a mutation that the vocabulary has."""
    return _KINDS[mutation]


def require_key(text: str) -> None:
    """Check an idempotency key.

    Raises:
        WrittenInputError: it is not 8 to 64 letters, digits and `_ . : -`.
    """
    _require(_IDEMPOTENCY_KEY.fullmatch(text) is not None, "idempotencyKey", "8 to 64 letters, digits and `_.:-`")


def _require(holds: bool, field: str, rule: str) -> None:  # noqa: FBT001  # a truth, not a switch
    if not holds:
        raise WrittenInputError(f"`{field}` must be {rule}", field=field)


def _matches(given: Given, field: str, pattern: re.Pattern[str], rule: str) -> None:
    if field in given:
        _require(pattern.fullmatch(given[field]) is not None, field, rule)


def _text(given: Given, field: str, longest: int) -> None:
    if field in given:
        text = given[field]
        _require(len(text.strip()) > 0 and len(text) <= longest, field, f"a text of 1 to {longest} characters")
        _require(text.isprintable() or "\n" in text, field, "a text without control characters")


def _one_of(given: Given, field: str, words: tuple[str, ...]) -> None:
    if field in given:
        _require(given[field] in words, field, f"one of {', '.join(words)}")


def _check_interaction(given: Given) -> None:
    _matches(given, "channel", _WORD, "a word of lower-case letters, digits and `-`")
    _one_of(given, "direction", ("inbound", "outbound"))
    _text(given, "topic", 200)
    _matches(given, "outcome", _WORD, "a word of lower-case letters, digits and `-`")


def _check_case_status(given: Given) -> None:
    _matches(given, "case", _CODE, "1 to 64 letters, digits and `_./-`")
    _one_of(given, "status", ("open", "waiting", "closed", "rejected"))


def _check_feedback(given: Given) -> None:
    _matches(given, "service", _CODE, "1 to 64 letters, digits and `_./-`")
    _require(1 <= given["rating"] <= _HIGHEST_RATING, "rating", f"from 1 to {_HIGHEST_RATING}")
    _text(given, "comment", 2_000)


def _check_consent(given: Given) -> None:
    _matches(given, "purpose", _WORD, "a purpose of the vocabulary, such as `service-notices`")
    _matches(given, "consumer", _MEMBER, "a member's code, such as `c_m999`")
    _require(given["given"] or "expires" not in given, "expires", "left out when a consent is withdrawn")


def _check_preference(given: Given) -> None:
    _require(len(given) > 1, "input", "at least one of channel, language and hours")
    _matches(given, "channel", _WORD, "a word of lower-case letters, digits and `-`")
    _matches(given, "language", _LANGUAGE, "a language code such as `it`")
    _text(given, "hours", 100)


def _with_instant(*names: str) -> Callable[[Given, str], dict[str, Any]]:
    """Return a record of these fields, with the instant in `at` unless the writer gave one."""

    def record(given: Given, at: str) -> dict[str, Any]:
        return {**{name: given[name] for name in names if name in given}, "at": given.get("at", at)}

    return record


def _case(given: Given, _: str) -> dict[str, Any]:
    return {"id": given["case"], "status": given["status"]}


_KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "recordInteraction",
            "Interaction",
            Event.CREATED,
            _check_interaction,
            _with_instant("channel", "direction", "topic", "outcome"),
        ),
        Kind("changeCaseStatus", "ServiceCase", Event.UPDATED, _check_case_status, _case),
        Kind("giveFeedback", "Feedback", Event.CREATED, _check_feedback, _with_instant("service", "rating", "comment")),
        Kind(
            "recordConsent",
            "ConsentRecord",
            Event.CREATED,
            _check_consent,
            _with_instant("purpose", "consumer", "given", "expires"),
        ),
        Kind(
            "preferContact",
            "ContactPreference",
            Event.UPDATED,
            _check_preference,
            _with_instant("channel", "language", "hours"),
        ),
    )
}
