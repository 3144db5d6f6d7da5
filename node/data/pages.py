"""How long a list may be."""

from __future__ import annotations

from federation.contract.errors import BadInputError
from federation.contract.members import LONGEST_AGREED_LIST
from node.data.selection import Selected


def page_size(selected: Selected, most: int, otherwise: int | None = None) -> int:
    """Return how many elements a list may have.

    Args:
        selected: the list; nobody asked for the default of its `first`, so that an agreement may allow less.
        most: what the agreement says.
        otherwise: how many where `first` is null; `most` if left out.

    Raises:
        BadInputError: `first` is negative or above the most.
    """
    first = selected.arguments.get("first")
    if first is None:
        first = most if otherwise is None else min(otherwise, most)
    elif "first" in selected.unsaid:
        first = min(first, most)
    if not 0 <= first <= most:
        way = "read the next page with `after`"
        if most < LONGEST_AGREED_LIST:
            way += f", or agree with the provider on up to {LONGEST_AGREED_LIST}"
        raise BadInputError(f"`first` is from 0 to {most} under this agreement; {way}")
    return int(first)
