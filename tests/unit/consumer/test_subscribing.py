"""A subscriber loses nothing: signals are handed over before their cursor is kept, and who is silent is waited for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from federation.consumer.subscribing import Kept, Subscription
from federation.contract.errors import BadInputError, ConfigurationError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass
class Member:
    """A member with ten signals, told four at a time; it fails as often as it is told to."""

    failures: int = 0
    codes: list[str] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)

    async def __call__(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        assert ("$after" in query) == ("after" in variables)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("gateway does not answer")
        if self.codes:
            return {"data": None, "errors": [{"message": "no", "extensions": {"code": self.codes.pop(0)}}]}
        after = variables.get("after")
        self.asked.append(after)
        begin = int(after or 0)
        end = min(begin + 4, 10)
        signals = [{"id": str(number)} for number in range(begin, end)]
        return {"data": {"changes": {"signals": signals, "cursor": str(end), "more": end - begin == 4}}}


class Interrupted(Exception):  # noqa: N818  # what a test does to a subscriber, no error of ours
    """The subscriber is stopped here."""


@dataclass
class Reader:
    """Who takes signals in, until it is stopped."""

    stops_after: int = 99
    taken: list[str] = field(default_factory=list)

    def take_in(self, signals: Sequence[Any]) -> None:
        self.taken += [each["id"] for each in signals]
        if len(self.taken) >= self.stops_after:
            self.stops_after = 99
            raise Interrupted


def subscription(path: Path, member: Member, reader: Reader, pauses: list[float] | None = None) -> Subscription:
    async def sleep(seconds: float) -> None:
        assert pauses is not None
        pauses.append(seconds)
        if len(pauses) == 10:
            raise asyncio.CancelledError

    return Subscription("c_m999", member, Kept(path), reader.take_in, sleep, lambda: 1.0)


async def test_everything_is_taken_in_page_by_page(tmp_path: Path) -> None:
    member, reader = Member(), Reader()
    assert await subscription(tmp_path / "place", member, reader).catch_up() == 10
    assert reader.taken == [str(number) for number in range(10)]
    assert member.asked == [None, "4", "8"]
    assert await subscription(tmp_path / "place", member, reader).catch_up() == 0


async def test_who_stops_before_the_cursor_is_kept_is_told_again(tmp_path: Path) -> None:
    member, reader = Member(), Reader(stops_after=8)
    with pytest.raises(Interrupted):
        await subscription(tmp_path / "place", member, reader).catch_up()
    await subscription(tmp_path / "place", member, reader).catch_up()
    assert reader.taken == ["0", "1", "2", "3", *"4567", *"4567", "8", "9"]


async def test_who_does_not_answer_is_asked_again_after_longer_and_longer(tmp_path: Path) -> None:
    member, reader, pauses = Member(failures=8), Reader(), list[float]()
    with pytest.raises(asyncio.CancelledError):
        await subscription(tmp_path / "place", member, reader, pauses).follow(every=5)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 5, 5]
    assert len(reader.taken) == 10


async def test_a_refused_cursor_is_not_asked_again(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="BAD_USER_INPUT"):
        await subscription(tmp_path / "place", Member(codes=["BAD_USER_INPUT"]), Reader(), []).follow(every=5)


async def test_a_file_without_a_cursor_is_named(tmp_path: Path) -> None:
    (tmp_path / "place").write_text("{}")
    with pytest.raises(ConfigurationError, match="holds no cursor"):
        await subscription(tmp_path / "place", Member(), Reader()).catch_up()
