"""Allows few repetitions: a share of the requests, so that a full outage is not made worse by asking again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RetryBudget:
    """Every request earns `share` of a retry, up to `most` that may be saved. Begins with one."""

    share: float = 0.2
    most: float = 10.0
    saved: float = 1.0

    def earn(self) -> None:
        """Note a request."""
        self.saved = min(self.most, self.saved + self.share)

    def spend(self) -> bool:
        """Take one retry, or say that there is none."""
        if self.saved < 1.0:
            return False
        self.saved -= 1.0
        return True
