"""A node with a planted defect: it does not hold the gateway's question against the consumer's."""

from __future__ import annotations

from federation.contract.process_entry import run
from node.enforcement import answer
from node.server.app import serve

if __name__ == "__main__":
    for check in ("require_within_consumers_operation", "require_translated_keys"):
        vars(answer)[check] = lambda *_: None  # the defect
    run(serve, "node.server")
