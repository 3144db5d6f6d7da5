"""How long a list may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from federation.contract.errors import BadInputError
from federation.contract.members import LONGEST_AGREED_LIST


def page_size(arguments: Mapping[str, Any], most: int) -> int:
    """Return how many elements a list may have; `most` is what the agreement says.

    Raises:
        BadInputError: `first` is negative or above the most.
    """
    first = arguments.get("first")
    if first is None:
        return most
    if not 0 <= first <= most:
        way = "read the next page with `after`"
        if most < LONGEST_AGREED_LIST:
            way += f", or agree with the provider on up to {LONGEST_AGREED_LIST}"
        raise BadInputError(f"`first` is from 0 to {most} under this agreement; {way}")
    return int(first)
