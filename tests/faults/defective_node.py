"""A node with a planted defect: its ledger acknowledges entries that only every twentieth batch brings to disk."""

from __future__ import annotations

from typing_extensions import override

from federation.contract.process_entry import run
from federation.ledger import place
from federation.ledger.store import SqliteStore
from node.server.app import serve


class ForgetfulStore(SqliteStore):
    """Commits only now and then."""

    __slots__ = ("batches",)
    batches: int

    @override
    def begin(self) -> int:
        return self.size() if self._connection.in_transaction else super().begin()

    @override
    def commit(self) -> None:
        self.batches = getattr(self, "batches", 0) + 1
        if self.batches % 20 == 0:
            super().commit()


if __name__ == "__main__":
    vars(place)["SqliteStore"] = ForgetfulStore  # the defect
    run(serve, "node.server")
