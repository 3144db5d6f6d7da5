"""Taking in a member's signals of change: every one at least once, in order, and the place kept after each page.

* Signals are handed over first, and only then is their cursor kept; the next question, after that cursor, tells the
  member that they were taken in. Whoever stops in between is told again, under the same ids.
* A federation that does not answer is asked again after 1, 2, 4, … up to 60 seconds, a part of it by chance, so that
  many subscribers do not come back at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from federation.contract.errors import (
    BadInputError,
    ChangesGoneError,
    ConfigurationError,
    RateLimitedError,
    UnavailableError,
)
from federation.contract.settings_files import replace_file

LONGEST_PAUSE: Final = 60.0
_FIRST_PAUSE: Final = 1.0
CHANGES: Final = """query Changes($member: ID!, $after: String) {
  changes(member: $member, after: $after) { signals { id citizen kind type fields } cursor more }
}"""
_CHANGES_FROM_THE_REMEMBERED_PLACE: Final = """query Changes($member: ID!) {
  changes(member: $member) { signals { id citizen kind type fields } cursor more }
}"""

Signal = Mapping[str, Any]


class Page(msgspec.Struct, frozen=True):
    """What one question was told."""

    signals: tuple[dict[str, Any], ...]
    cursor: str
    more: bool


class Asking(Protocol):
    """Asks the federation in the subscriber's name."""

    async def __call__(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the content of a GraphQL response.

        Raises:
            UnavailableError: the gateway does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A file with the cursor of what was taken in. Without it the member goes on from what it remembers."""

    path: Path

    def cursor(self) -> str | None:
        """Return the cursor, None if nothing was kept.

        Raises:
            ConfigurationError: the file holds something else.
        """
        try:
            return str(msgspec.json.decode(self.path.read_bytes(), type=dict[str, str])["cursor"])
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, KeyError) as error:
            raise ConfigurationError(
                f"`{self.path}` holds no cursor; remove it to go on from what the member remembers"
            ) from error

    def keep(self, cursor: str) -> None:
        """Keep a cursor; the file is the old one or the new one, whenever this process ends."""
        replace_file(self.path, msgspec.json.encode({"cursor": cursor}))


@dataclass(frozen=True, slots=True)
class Subscription:
    """One member's signals. `sleep` waits for seconds; `chance` gives a number from 0 to 1."""

    member: str
    ask: Asking
    kept: Kept
    take_in: Callable[[Sequence[Signal]], None]
    sleep: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]

    async def catch_up(self) -> int:
        """Take in everything that there is now; return how many signals that were.

        Raises:
            UnavailableError, RateLimitedError: the member cannot be asked now.
            BadInputError: it refuses the cursor; says why.
        """
        count = 0
        while True:
            page = await self._page(self.kept.cursor())
            self.take_in(page.signals)
            self.kept.keep(page.cursor)
            count += len(page.signals)
            if not page.more:
                return count

    async def follow(self, every: float) -> None:
        """Take in what comes, looking `every` so many seconds, until cancelled; who does not answer is waited for.

        Raises:
            BadInputError: the member refuses the cursor.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.catch_up()
            except (UnavailableError, RateLimitedError) as error:
                await self.sleep(max(float(error.extensions.get("retryAfter") or 0), pause * (0.5 + self.chance() / 2)))
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                await self.sleep(every)

    async def _page(self, cursor: str | None) -> Page:
        if cursor is None:
            content = await self.ask(_CHANGES_FROM_THE_REMEMBERED_PLACE, {"member": self.member})
        else:
            content = await self.ask(CHANGES, {"member": self.member, "after": cursor})
        found = (content.get("data") or {}).get("changes")
        if found is None:
            raise _refusal(content)
        return msgspec.convert(found, Page)


def _refusal(content: dict[str, Any]) -> BadInputError | UnavailableError | RateLimitedError:
    """Return what a refusal means to somebody who asks again and again."""
    error = (content.get("errors") or [{}])[0]
    extensions, message = error.get("extensions") or {}, str(error.get("message", "no answer"))
    code = extensions.get("code", "")
    if code in {"RATE_LIMITED", "QUOTA_EXCEEDED"}:
        return RateLimitedError(message, retryAfter=extensions.get("retryAfter"))
    if code == ChangesGoneError.code:
        return ChangesGoneError(f"{message} (`crocevia changes --oldest`)")
    if code in {"BAD_USER_INPUT", "FIELD_DENIED", "AGREEMENT_INACTIVE", "PURPOSE_NOT_AGREED"}:
        return BadInputError(f"{message} ({code})")
    return UnavailableError(f"{message} ({code})")
