"""What a rule over merged subgraphs is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from federation.composition.errors import Finding
from federation.composition.merged import Merged


class MergedRule(Protocol):
    """A rule that merged subgraphs keep together: reads them, yields findings, changes nothing, knows no other rule."""

    def __call__(self, merged: Merged, /) -> Iterator[Finding]:
        """Yield a finding for every place where the rule is broken."""
