"""What an answer lacks beside a whole one: null where there was a value, and nothing else that differs."""

from __future__ import annotations

from typing import Any


def lost(whole: Any, part: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the places where a value became null; anything else that differs is wrong data."""
    if part is None:
        return [] if whole is None else [at]
    if isinstance(whole, dict):
        assert whole.keys() == part.keys(), at
        return [place for name in whole for place in lost(whole[name], part[name], (*at, name))]
    if isinstance(whole, list):
        assert len(whole) == len(part), at
        return [place for index, item in enumerate(whole) for place in lost(item, part[index], (*at, index))]
    assert whole == part, at
    return []
