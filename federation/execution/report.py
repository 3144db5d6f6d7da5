"""The entries of a response's `errors`: which place they are about and who failed, and nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, assert_never

from federation.contract.errors import CroceviaError
from federation.execution.answer import MemberError
from federation.execution.complete import Reason, ResponsePath
from federation.execution.output import OutField, OutNode

MOST_ERRORS = 200
"""Entries in one response; a member cannot make the response grow without end."""

MOST_PATHS = 100
"""Affected places listed in one entry."""

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_PRIVATE = frozenset({"stacktrace", "exception", "debug", "stack", "trace", "url", "serviceName"})


class Messages(StrEnum):
    """What clients read of a member's own error messages."""

    RELAY = "relay"
    """The member's text and extensions, without stacks and addresses: for federations without private data."""
    REDACT = "redact"
    """A constant per code: a message could hold a value."""


def _codes(error: type[CroceviaError]) -> Iterator[str]:
    yield error.code
    for kind in error.__subclasses__():
        yield from _codes(kind)


KNOWN_CODES = frozenset(_codes(CroceviaError))

FOREIGN_CODE = "NODE_ERROR"
"""Stands for a code that is not on the closed list, where messages are redacted."""


class ErrorReport:
    """Collects the errors of one response, in the order in which they are found."""

    def __init__(self, messages: Messages) -> None:
        """Begin without errors."""
        self._messages = messages
        self._entries: dict[str, dict[str, Any]] = {}
        self._exact: set[ResponsePath] = set()
        self._above: set[ResponsePath] = set()

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries as they are sent."""
        return list(self._entries.values())

    def failed_fetch(self, error: CroceviaError, member: str, affected: Sequence[ResponsePath]) -> None:
        """Report a fetch that failed as a whole: one entry, with the first affected place as its path.

        `extensions.paths` lists all places when there are several, at most `MOST_PATHS`; `affected` is their number.
        """
        extensions = {**error.extensions, "code": error.code, "member": member}
        self._add(error.message, affected, extensions)

    def member_error(self, error: MemberError, member: str, affected: Sequence[ResponsePath]) -> None:
        """Report an error that a member reported: one entry for each place where the response shows it."""
        message, extensions = self._shown(error, member)
        for path in affected:
            self._add(message, (path,), extensions)
        if not affected:
            self._add(message, (), extensions)

    def member_failure(self, error: MemberError, member: str, affected: Sequence[ResponsePath]) -> None:
        """Report an error by which a member refused a whole fetch: one entry, as for a fetch that failed."""
        message, extensions = self._shown(error, member)
        self._add(message, affected, extensions)

    def field(self, node: OutNode, field: OutField, path: ResponsePath, reason: Reason, members: Sequence[str]) -> None:
        """Report a field without a usable value, unless an error about this place is reported already."""
        if reason is not Reason.DENIED and self._covered(path):
            return
        code, message = self._reason(node, field, reason)
        self._add(message, (path,), {"code": code, **({"member": members[0]} if len(members) == 1 else {})})

    def _reason(self, node: OutNode, field: OutField, reason: Reason) -> tuple[str, str]:
        match reason:
            case Reason.UNTYPED:
                return "NOT_FOUND", str(reason)
            case Reason.NULL if _comes_from_entity_fetch(node, field):
                return "NOT_FOUND", "no member knows this object"
            case Reason.NULL:
                return "NODE_MISBEHAVED", str(reason)
            case Reason.ENUM:
                return "NODE_MISBEHAVED", "the value is not in the schema"
            case Reason.DENIED:
                return "FIELD_DENIED", _DENIED[self._messages]
            case _:
                assert_never(reason)

    def _shown(self, error: MemberError, member: str) -> tuple[str, dict[str, Any]]:
        code = (error.extensions or {}).get("code")
        good = code if isinstance(code, str) and _CODE.fullmatch(code) else None
        match self._messages:
            case Messages.RELAY:
                kept = {name: value for name, value in (error.extensions or {}).items() if name not in _PRIVATE}
                return error.message, {**kept, "code": good or "DOWNSTREAM_ERROR", "member": member}
            case Messages.REDACT:
                shown = good if good in KNOWN_CODES else FOREIGN_CODE
                kept = _input_place(error) if shown == _INPUT_INVALID else {}
                message = _MESSAGES.get(shown or "", f"member `{member}` reported an error")
                return message, {"code": shown, "member": member, **kept}

    def _covered(self, path: ResponsePath) -> bool:
        return path in self._above or any(path[:length] in self._exact for length in range(1, len(path) + 1))

    def _add(self, message: str, affected: Sequence[ResponsePath], extensions: Mapping[str, Any]) -> None:
        for path in affected:
            self._exact.add(path)
            self._above.update(path[:length] for length in range(1, len(path) + 1))
        if len(self._entries) >= MOST_ERRORS:
            return
        entry: dict[str, Any] = {"message": message}
        shown = dict(extensions)
        if affected and affected[0]:
            entry["path"] = list(affected[0])
        if len(affected) > 1:
            shown["paths"] = [list(path) for path in affected[:MOST_PATHS]]
            shown["affected"] = len(affected)
        entry["extensions"] = shown
        self._entries.setdefault(f"{entry.get('path')}|{message}|{shown.get('code')}|{shown.get('member')}", entry)


_INPUT_INVALID = "INPUT_INVALID"
_DEEPEST_INPUT = 8
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,63}")


def _input_place(error: MemberError) -> dict[str, Any]:
    """Return the name of the input field that a member refused, and its path: names of the schema, never a value."""
    said = error.extensions or {}
    field, path = said.get("field"), said.get("path")
    place: dict[str, Any] = {"field": field} if _is_name(field) else {}
    if isinstance(path, list) and len(path) <= _DEEPEST_INPUT and all(map(_is_name, path)):
        place["path"] = path
    return place


def _is_name(text: object) -> bool:
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


_DENIED = {
    Messages.REDACT: "the field is denied for this purpose",
    Messages.RELAY: "the schema asks for more than this client may",
}

_MESSAGES = {
    _INPUT_INVALID: "what is to be written breaks a rule of the field",
    "IDEMPOTENCY_KEY_REUSED": "the idempotency key was used for another input: choose a new one",
    "FIELD_DENIED": _DENIED[Messages.REDACT],
    "INTERNAL": "the member could not answer",
    "BAD_USER_INPUT": "the member refused an argument: page size, cursor, filter or identifier",
    "DATABASE_UNAVAILABLE": "the member's database did not answer: try again later",
    "BODY_TOO_LARGE": "the question is longer than the member reads: ask for less at once",
    "QUERY_TOO_COMPLEX": "the question is larger than the member answers: ask for less at once",
}


def _comes_from_entity_fetch(node: OutNode, field: OutField) -> bool:
    """Say whether some object's field is written only by fetches that did not make the object."""
    if field.source is None:
        return True
    slot = node.position.slots.get(field.source)
    makers = {writer for other in node.position.slots.values() for writer in other.writers[:1]}
    return slot is not None and len(makers) > 1 and slot.writers[0] != min(makers)


def distinct(paths: Iterable[ResponsePath]) -> list[ResponsePath]:
    """Return each path once, in order."""
    return list(dict.fromkeys(paths))
