"""The gateway with everything on, as one process: `python private_gateway.py FOLDER PORT SUBGRAPH_PORT`.

It is the product's `GatewayProcess`: tokens with proof of possession, signatures both ways, scope, replay store and a
ledger in files, synced before each answer. Only the registry is a ready member list instead of a TUF repository.
"""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from starlette.applications import Starlette
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.clock import SystemClock  # found through the line above
from federation.contract.members import MemberList
from federation.directory.directory import Directory
from federation.gateway.app import _question
from federation.gateway.pipeline import GATEWAY
from federation.gateway.process import SUBJECTS_KEY, GatewayProcess
from federation.gateway.settings import GatewaySettings
from federation.ledger.keeping import Keeping
from federation.ledger.log import Ledger
from federation.ledger.names import ledger_origin
from federation.ledger.note import Ed25519Signer
from federation.ledger.place import open_store, open_subject_keys
from federation.ledger.reader import LedgerReader
from federation.serving.limits import ClientLimits
from federation.serving.server import run_server
from federation.trust.counters import SharedCounters
from federation.trust.keys import LEDGER_KEY, load_ed25519, read_secret
from federation.trust.registry import Registry
from federation.trust.replay import SharedReplayStore
from tests.bench.gateway.private import FEDERATION, Setting
from tests.bench.gateway.workload import classic


@dataclass(frozen=True, slots=True)
class ReadyList:
    """What the gateway reads of a registry."""

    members: MemberList
    supergraph: str

    def current(self) -> MemberList:
        """Return the list."""
        return self.members

    def document(self, _: str) -> str:
        """Return the supergraph."""
        return self.supergraph


def open_process(setting: Setting) -> GatewayProcess:
    """Open the gateway's files in the setting's folder."""
    keys, state, clock = setting.folder / "gateway", setting.folder / "state", SystemClock()
    state.mkdir()
    settings = GatewaySettings(f"127.0.0.1:{setting.port}", setting.url, keys, state, setting.folder, deadline=10.0)
    place, origin = settings.shared_place, ledger_origin(FEDERATION, GATEWAY)
    subject_keys = open_subject_keys(place, read_secret(keys / SUBJECTS_KEY), secrets.token_bytes)
    signer = Ed25519Signer.of(origin, load_ed25519(keys / LEDGER_KEY))
    ledger = Ledger.open(signer, lambda: open_store(place, origin), subject_keys, secrets.token_bytes)
    reader = LedgerReader.of(open_store(place, origin), signer.verifier)
    return GatewayProcess(
        settings=settings,
        registry=cast("Registry", ReadyList(setting.members(), setting.work.sdl(setting.subgraph_port))),
        clock=clock,
        key=setting.key("gateway"),
        ledger=ledger,
        reader=reader,
        keeping=Keeping.open(state, reader, settings.witnessing, None, clock),
        directory=Directory.open(place),
        replay=SharedReplayStore.open(place, clock),
        counters=SharedCounters.open(place),
        channel=None,
        subject_keys=subject_keys,
    )


def main(folder: Path, port: int, subgraph_port: int) -> None:
    """Serve until the process is ended."""
    setting = Setting(folder, classic(), port, subgraph_port)

    def app() -> Starlette:
        question = _question(open_process(setting))
        return Starlette(routes=[Route(question.path, question, methods=["POST"])])

    run_server(app, f"127.0.0.1:{port}", ClientLimits())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
