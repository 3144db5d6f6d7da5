"""A node with a planted defect: its ledger says that it committed, whatever the disk says."""

from __future__ import annotations

from federation.contract.process_entry import run
from federation.ledger import place
from node.server.app import serve
from tests.faults.ledger_disk import CarelessStore

if __name__ == "__main__":
    vars(place)["SqliteStore"] = CarelessStore  # the defect
    run(serve, "node.server")
