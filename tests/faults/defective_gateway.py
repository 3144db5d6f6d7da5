"""A gateway with a planted defect: it believes every answer, whoever signed it."""

from __future__ import annotations

from federation.contract.process_entry import run
from federation.gateway import sending
from federation.gateway.app import serve

if __name__ == "__main__":
    vars(sending)["verify_response"] = lambda *_: None  # the defect
    run(serve, "federation.gateway")
