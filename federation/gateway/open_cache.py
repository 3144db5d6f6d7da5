"""A cache whose hit is one dictionary look-up, and whose size has a bound."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TwoGenerations(Generic[K, V]):
    """Keeps what was used lately: when the young generation is full it becomes the old one, and the old one is dropped.

    So what is asked for often stays, and a flood of different keys costs at most twice `size` entries.
    """

    def __init__(self, size: int) -> None:
        """Begin empty; `size` is the length of one generation."""
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return the value kept under a key."""
        value = self._young.get(key)
        if value is None and key in self._old:
            value = self._old[key]
            self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())
