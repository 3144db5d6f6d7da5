"""What is counted by the day: an agreement's requests, and messages of a member that no agreement covers.

An agreement's are counted where the question arrives, and again at every node that answers it. The others are those by
which a member enrols citizens at the exchange, and tells the gateway's directory of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from federation.contract.clock import ROME, Clock, day_in_rome
from federation.contract.errors import QuotaExceededError
from federation.contract.identifiers import MemberId
from federation.contract.members import Agreement
from federation.trust.counters import Counters


def count_request(agreement: Agreement, counters: Counters, clock: Clock) -> None:
    """Count one request under an agreement.

    Raises:
        QuotaExceededError: today's are used up; `retryAfter` are the seconds until midnight in Rome.
    """
    limit = agreement.daily_requests
    if not _counted(f"agreement:{agreement.id}", limit, counters, clock):
        said = f"the {limit} requests a day of agreement `{agreement.id}` are used up"
        raise QuotaExceededError(said, retryAfter=seconds_to_midnight(clock.now()), scope="agreement")


def count_message(of: str, member: MemberId, limit: int, counters: Counters, clock: Clock) -> None:
    """Count one message of a member's `enrolment` or `publication`.

    Raises:
        QuotaExceededError: today's are used up; see `count_request`.
    """
    if not _counted(f"{of}:{member}", limit, counters, clock):
        said = f"the {limit} messages of {of} a day of `{member}` are used up"
        raise QuotaExceededError(said, retryAfter=seconds_to_midnight(clock.now()), scope=of)


def _counted(name: str, limit: int, counters: Counters, clock: Clock) -> bool:
    return counters.add(name, day_in_rome(clock.now()), limit) is not None


def seconds_to_midnight(now: datetime) -> int:
    """Return the seconds until what is counted by the day begins anew: midnight in Rome."""
    tomorrow = day_in_rome(now) + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ROME)
    return max(1, int((midnight - now).total_seconds()))
