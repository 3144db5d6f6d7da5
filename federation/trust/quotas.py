"""An agreement's daily quota: counted where the question arrives, and again at every node that answers it."""

from __future__ import annotations

from datetime import datetime, timedelta

from federation.contract.clock import ROME, Clock, day_in_rome
from federation.contract.errors import QuotaExceededError
from federation.contract.members import Agreement
from federation.trust.counters import Counters


def count_request(agreement: Agreement, counters: Counters, clock: Clock) -> None:
    """Count one request under an agreement.

    Raises:
        QuotaExceededError: today's are used up; `retryAfter` are the seconds until midnight in Rome.
    """
    now = clock.now()
    day = day_in_rome(now)
    if counters.add(f"agreement:{agreement.id}", day, agreement.daily_requests) is None:
        raise QuotaExceededError(
            f"the {agreement.daily_requests} requests a day of agreement `{agreement.id}` are used up",
            retryAfter=seconds_to_midnight(now),
            scope="agreement",
        )


def seconds_to_midnight(now: datetime) -> int:
    """Return the seconds until what is counted by the day begins anew: midnight in Rome."""
    tomorrow = day_in_rome(now) + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ROME)
    return max(1, int((midnight - now).total_seconds()))
