"""Part of stage 3: what is being looked for, the outermost first, in a search that meets its own questions again.

A question that is asked while it is being answered is cut: it finds nothing. What was found meanwhile for the questions
in between may be less than there is, and must not be kept for those who ask from outside.
"""

from __future__ import annotations

Token = tuple[object, ...]
"""What tells one question from others."""


class Underway:
    """The questions that are being answered, and how far out the outermost of them is that was cut."""

    def __init__(self) -> None:
        self._open: list[Token] = []
        self._cut = 0

    def times(self, token: Token) -> int:
        """Return how many times a question is being answered."""
        return self._open.count(token)

    def cut(self, token: Token) -> None:
        """Note that a question found nothing because it is being answered."""
        self._cut = min(self._cut, self._open.index(token))

    def begin(self, token: Token) -> int:
        """Begin a question; what is returned belongs to its end."""
        before, self._cut = self._cut, len(self._open)
        self._open.append(token)
        return before

    def end(self, before: int) -> bool:
        """End the innermost question, and say whether what it found holds for everybody who asks."""
        self._open.pop()
        whole = self._cut >= len(self._open)
        self._cut = before if whole else min(before, self._cut)
        return whole
