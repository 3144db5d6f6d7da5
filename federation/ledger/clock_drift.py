"""Whether this process's clock is right, by what its ledger's witnesses sign (criterion S7).

Nobody trusts one clock: a process is not ready once as many witnesses as it takes to cosign a head find it wrong in the
same direction. A cosignature says in which second it was made (C2SP tlog-cosignature), so no time server is asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from federation.contract.errors import ClockDriftError


def seconds_ahead(asked_at: int, made_at: int, answered_at: int) -> int:
    """Return by how much a clock that asked and was answered is ahead of the one that signed in between, at least.

    A signature made between the two is no sign of a difference, however long the way was.
    """
    if made_at < asked_at:
        return asked_at - made_at
    return min(0, answered_at - made_at)


def require_agreement(ahead: Mapping[str, int], quorum: int, skew: float) -> None:
    """Refuse a clock that a quorum finds wrong.

    Args:
        ahead: by how many seconds this clock is ahead of each witness that answered in the last round.
        quorum: so many of them are believed, or all where there are fewer.
        skew: seconds that clocks may differ.

    Raises:
        ClockDriftError: names the least drift on which they agree.
    """
    enough = min(quorum, len(ahead))
    for word, sign in (("ahead of", 1), ("behind", -1)):
        found = {name: sign * seconds for name, seconds in ahead.items() if sign * seconds > skew}
        if enough and len(found) >= enough:
            raise ClockDriftError(
                f"this clock is {min(found.values())} s {word} {len(found)} of {len(ahead)} witnesses "
                f"({', '.join(sorted(found))}), expected at most {skew:g}: set it by a time server "
                "(`timedatectl set-ntp true`); readiness returns within a minute",
                seconds=sign * min(found.values()),
            )
