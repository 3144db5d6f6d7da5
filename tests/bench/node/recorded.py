"""The node as `ours.py`, with signatures and ledger: `python recorded.py DATABASE-URL PORT [REQUESTS]`.

Every question is one that a consumer signed, with a token bound to its key and a proof of possession: the node verifies
them, remembers and counts the question in its files, decides, answers, writes the ledger's entry durably (a file, with
the subjects' keys) and signs what it answers. The questions are signed before the server listens, and each HTTP request
takes the next one, so that only the node's own work is measured. None asks for commitments to its values.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from typing_extensions import override

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.decisions import PolicyVersion  # found through the line above
from federation.contract.identifiers import MemberId
from federation.contract.members import AgreedProvider, MemberList
from federation.shared.place import SharedPlace
from federation.trust.counters import SharedCounters
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, sign_response
from federation.trust.replay import SharedReplayStore
from node.data.plane import DataPlane
from node.enforcement.answer import Node, answer
from node.enforcement.decide import Decisions
from tests.bench.node.ours import App, bundle, plane_on
from tests.support.nodes import DemoMember, WatchedDatabase, asked_node
from tests.support.parties import NODE_URL, PURPOSE, Parties

COORDINATES: Final = ("Query.citizens", "Citizen.*", "Address.*", "ServiceCase.*")
QUERY: Final = """{ citizens(first: 100) { edges { node { givenName familyName dateOfBirth sex taxCode
  address { street number postCode town } cases { id title status openedOn } } } } }"""
"""Without the citizens' own keys, which are answered through a gateway only."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The member list, read once as a node reads it."""

    members: MemberList

    def current(self) -> MemberList:
        """Return the list."""
        return self.members


class RecordedApp(App):
    """Answers `POST /graphql` with the next signed question's answer, signed."""

    def __init__(self, plane: DataPlane, node: Node, parties: Parties, questions: Iterator[HttpRequest]) -> None:
        """Keep what answers, and the questions."""
        super().__init__(plane)
        self._node, self._parties, self._questions = node, parties, questions

    @override
    async def answer(self, body: bytes) -> bytes:
        """Return the body of the answer to the next question; `body` is one like all others."""
        del body
        request = next(self._questions)
        answered = await answer(request, self._node)
        response = HttpResponse(200, {"content-type": "application/json", "cache-control": "no-store"}, answered)
        sign_response(response, RequestBinding.of(request), self._parties.node, self._parties.clock)
        return answered


def serve(url: str, port: int, requests: int) -> None:
    """Sign so many questions, then serve them."""
    plane, policy, parties = plane_on(url), bundle(), Parties()
    provider = AgreedProvider(MemberId("c_m999"), COORDINATES)
    parties.agreement = msgspec.structs.replace(parties.agreement, providers=(provider,))
    member = DemoMember(plane, Decisions(policy, PolicyVersion(policy.digest, 1)), WatchedDatabase(plane.database))
    token = parties.token(purpose=PURPOSE)
    questions = [parties.consumers({"query": QUERY}, NODE_URL, token) for _ in range(requests)]
    with (
        tempfile.TemporaryDirectory() as folder,
        asked_node(member, Path(folder), parties) as asked,
        closing(SharedReplayStore.open(SharedPlace(Path(folder)), parties.clock)) as used,
        closing(SharedCounters.open(SharedPlace(Path(folder)))) as counted,
    ):
        standing = Standing(parties.current())
        identity = replace(asked.node.identity, members=standing, replay=used, counters=counted)
        app = RecordedApp(plane, replace(asked.node, identity=identity), parties, iter(questions))
        uvicorn.run(app, port=port, log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 4_000)
