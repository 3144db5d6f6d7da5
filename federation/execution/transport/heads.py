"""Heads of answers that were read before: a server says the same thing again and again.

What a head means depends on nothing but its bytes, so one that the parser has read is not read twice. Only heads of
answers that came whole and alone are kept, with a length that is known: then the bytes up to the first empty line are
the head, and nothing else can be. A head with a signature is of one answer and never comes again.
"""

from __future__ import annotations

import msgspec

MOST_HEADS = 256
"""Kept for one origin; a date in them makes new ones every second."""
LONGEST_HEAD = 1_024
END = b"\r\n\r\n"
_SIGNATURE = b"signature"


class Head(msgspec.Struct, frozen=True, gc=False):
    """What a head says; `length` is that of the body."""

    status: int
    media_type: str
    headers: tuple[tuple[bytes, bytes], ...]
    length: int
    keep: bool


class KnownHeads:
    """The heads of one origin, by their bytes."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[bytes, Head] = {}

    def of(self, data: bytes) -> tuple[Head, int] | None:
        """Return the head with which these bytes begin and where the body begins, None if it was not read before."""
        if not self._known:
            return None
        end = data.find(END, 0, LONGEST_HEAD) + len(END)
        head = self._known.get(data[:end])
        return None if head is None else (head, end)

    def keep(self, written: bytes, head: Head) -> None:
        """Remember a head by its bytes, the empty line included, unless it is long or signed."""
        if len(written) <= LONGEST_HEAD and not any(name.lower() == _SIGNATURE for name, _ in head.headers):
            if len(self._known) >= MOST_HEADS:
                self._known.clear()
            self._known[written] = head
