"""How long a list may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from federation.contract.errors import BadInputError

MOST: Final = 100
"""Elements of a list in one answer."""


def page_size(arguments: Mapping[str, Any], most: int) -> int:
    """Return how many elements a list may have.

    Raises:
        BadInputError: `first` is negative or above the most.
    """
    first = arguments.get("first")
    if first is None:
        return most
    if not 0 <= first <= most:
        raise BadInputError(f"`first` is from 0 to {most}")
    return int(first)
