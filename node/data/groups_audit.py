"""Where an audit of overlapping questions looks at the counts that a node is about to tell (policy R26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from node.data.suppression import Cell


@dataclass(frozen=True, slots=True)
class AskedGroups:
    """One question for counts, and the counts that would be told; no value of any row but those of its dimensions.

    `where` is the client's filter as JSON with sorted keys: two equal texts ask about the same rows.
    """

    consumer: str
    purpose: str
    type_name: str
    by: tuple[str, ...]
    where: str
    counts: Mapping[Cell, int]


class GroupsAudit(Protocol):
    """Decides whether the counts of a question may be told beside those that were told before."""

    def admits(self, asked: AskedGroups) -> bool:
        """Say whether they may; what is admitted is told."""
        ...


class AdmitsEveryQuestion:
    """The audit of a node that keeps none."""

    def admits(self, _asked: AskedGroups) -> bool:
        """Admit whatever the size of cells admits."""
        return True
