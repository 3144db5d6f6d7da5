"""A process of the federation that notes what it spends its time on: `python -m tests.bench.federation.sampled`.

    … sampled OUT MODULE --settings FILE

Every two milliseconds of processor time a signal looks at the main thread's stack and counts the stage to which the
innermost function of ours belongs. What no stage claims is the event loop's, or that of threads: the ledger's writer
and the database's. The counts are written as JSON to OUT when the process ends.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

SECONDS = 0.002
STAGES = (
    ("federation/trust/keys", "signatures: the curve"),
    ("federation/trust/replay", "replay store and quotas"),
    ("federation/trust/counters", "replay store and quotas"),
    ("federation/trust/registry", "member list and agreement"),
    ("federation/contract/members", "member list and agreement"),
    ("federation/trust/", "tokens, signatures: the rest"),
    ("federation/contract/graphql_request", "reading the request"),
    ("federation/serving/", "HTTP as a server"),
    ("uvicorn/", "HTTP as a server"),
    ("federation/execution/transport/", "HTTP as a client"),
    ("federation/gateway/sending", "HTTP as a client"),
    ("federation/execution/", "execution of the plan"),
    ("federation/ledger/witness", "witnesses"),
    ("httpx/", "witnesses"),
    ("federation/trust/outgoing", "witnesses"),
    ("federation/ledger/", "ledger: handing over"),
    ("node/journal/", "ledger: handing over"),
    ("federation/linkage/", "pseudonyms"),
    ("federation/exchange/", "pseudonyms"),
    ("federation/gateway/pseudonyms", "pseudonyms"),
    ("federation/gateway/exchange_client", "pseudonyms"),
    ("federation/gateway/egress", "pseudonyms"),
    ("federation/directory/", "directory"),
    ("federation/gateway/directory", "directory"),
    ("node/data/", "database and answer"),
    ("node/enforcement/", "scope, decisions, record"),
    ("node/policy/", "scope, decisions, record"),
    ("node/server/", "scope, decisions, record"),
    ("federation/gateway/", "the gateway's pipeline"),
    ("federation/contract/", "messages"),
)
ADDED = frozenset({"signatures: the curve", "tokens, signatures: the rest", "ledger: handing over"})
"""What there would not be if nothing were signed and recorded."""
OTHER = "event loop, kernel, threads"
_LOOP = "asyncio/runners.py"


class Sampler:
    """Counts stages."""

    def __init__(self) -> None:
        """Begin with no counts."""
        self.counts: Counter[str] = Counter()
        self._known: dict[str, str | None] = {}

    def start(self) -> None:
        """Look at the stack from now on."""
        signal.signal(signal.SIGPROF, self._look)
        signal.siginterrupt(signal.SIGPROF, False)  # noqa: FBT003  # system calls go on as if nothing had been
        signal.setitimer(signal.ITIMER_PROF, SECONDS, SECONDS)

    def _look(self, _: int, frame: FrameType | None) -> None:
        stage: str | None = None
        while frame is not None:
            file = frame.f_code.co_filename
            if file.endswith(_LOOP):
                self.counts[stage or OTHER] += 1
                return
            stage = stage or self._stage(file)
            frame = frame.f_back  # without an event loop below, the process is only starting or stopping

    def _stage(self, file: str) -> str | None:
        if file not in self._known:
            self._known[file] = next((stage for part, stage in STAGES if f"/{part}" in file), None)
        return self._known[file]


def main(out: Path, module: str, arguments: list[str]) -> None:
    """Run the module's process under the sampler."""
    sampler = Sampler()
    sys.argv = [module, *arguments]
    sampler.start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write_text(json.dumps(sampler.counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
