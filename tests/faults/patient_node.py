"""A node with a planted defect: it believes messages of clocks that differ by a day."""

from __future__ import annotations

from federation.contract.process_entry import run
from federation.trust import http_signatures, translations
from node.server.app import serve


def wait_a_day() -> None:
    """Believe what was signed within a day."""
    vars(http_signatures)["SKEW"] = 86_400
    vars(translations)["MAX_AGE"] = 86_400


if __name__ == "__main__":
    wait_a_day()  # the defect
    run(serve, "node.server")
