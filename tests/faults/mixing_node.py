"""A node with a planted defect: for half a second it decides by the policy before, and names the new one."""

from __future__ import annotations

import asyncio

from federation.contract.process_entry import run
from node.enforcement.decide import Decisions
from node.server.app import serve
from node.server.process import NodeProcess

_renew = NodeProcess.renew_policy


async def _renew_late(self: NodeProcess) -> None:
    before = self.decisions
    await _renew(self)
    after = self.decisions
    if after is not before:
        self.decisions = Decisions(before.bundle, after.version)
        await asyncio.sleep(0.5)
        self.decisions = after


if __name__ == "__main__":
    NodeProcess.renew_policy = _renew_late  # type: ignore[method-assign]  # the defect
    run(serve, "node.server")
