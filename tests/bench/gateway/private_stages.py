"""Where the time of the classic request goes with everything on: `python tests/bench/gateway/private_stages.py`.

Best of seven, microseconds of CPU, in one process without sockets; what HTTP on both sides costs comes on top. The
second column is how often one request needs the stage, the last its share of the sum.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
import time
import timeit
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvloop

sys.path.insert(0, str(Path(__file__).parents[3]))

from federation.contract.clock import SystemClock, day_in_rome, rfc3339  # found through the line above
from federation.contract.entries import Entry, EntryKind
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.identifiers import MemberId
from federation.contract.messages import EXTENSION, ConsumerRequest, NodeAnswerExtension, NodeRequestExtension
from federation.execution.execute import execute
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.execution.run import Outside
from federation.execution.transport.message import HttpAnswer
from federation.gateway.disclosure import joined_decisions, privacy_extension
from federation.gateway.egress import own_pseudonyms
from federation.gateway.pseudonyms import Translator
from federation.gateway.recorded import require_recorded
from federation.gateway.sending import Peer, Sender
from federation.ledger.log import Ledger
from federation.trust.http_messages import HttpRequest, HttpResponse, single_headers
from federation.trust.http_signatures import sign_request, sign_response, verify_request
from federation.trust.keys import message_keys
from federation.trust.rates import RateSettings, count_question
from federation.trust.tokens import AccessTokens, dpop_proof, make_dpop, verify_dpop
from tests.bench.gateway.private import AGREEMENT, CONSUMER, FEDERATION, PURPOSE, Setting
from tests.bench.gateway.private_gateway import open_process
from tests.bench.gateway.private_subgraphs import content
from tests.bench.gateway.workload import classic


@dataclass(slots=True)
class Sum:
    """Adds up what one request spends."""

    rows: list[tuple[str, int, float]] = field(default_factory=list)

    def show(self, name: str, times: int, act: Callable[[], Any], repeat: int = 200) -> None:
        """Measure and print one stage."""
        best = min(timeit.repeat(act, number=repeat, repeat=7, timer=time.process_time)) / repeat * 1e6
        self.add(name, times, best)

    def add(self, name: str, times: int, best: float) -> None:
        """Note one stage that was measured."""
        self.rows.append((name, times, best))

    def print(self) -> None:
        """Print every stage with its share."""
        total = sum(times * best for _, times, best in self.rows)
        for name, times, best in self.rows:
            print(f"{name:52}{best:9.1f} x{times:2}{best * times:9.1f}{best * times / total:6.0%}")
        print(f"{'sum of these':52}{total:21.1f}")


async def main() -> None:
    """Measure every stage."""
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder) / "private", classic(), 1, 2)
        setting.found()
        process = open_process(setting)
        await measure(setting, process)
        process.close()


async def measure(setting: Setting, process: Any) -> None:
    """Measure with an open gateway."""
    clock, members, work = SystemClock(), setting.members(), setting.work
    key, target, token = setting.key(CONSUMER), setting.url + "/graphql", setting.token()
    body = json.dumps({"query": work.query}).encode()
    bare = {"content-type": "application/json", "authorization": f"DPoP {token}"}
    signed = sign_request(HttpRequest("POST", target, bare, body), key, clock, secrets.token_urlsafe(18))
    proof = make_dpop(dpop_proof("POST", target, secrets.token_urlsafe(18), clock, token), key)
    raw = [(name.encode(), value.encode()) for name, value in {**bare, **signed, "dpop": proof}.items()]
    request = HttpRequest("POST", target, single_headers(raw), body)
    tokens = AccessTokens(FEDERATION, target, clock)
    consumer = members.member(CONSUMER)
    stages = Sum()
    stages.show("headers of the request", 1, lambda: single_headers(raw))
    gateway_keys = message_keys(members.gateway.keys, clock.now())
    stages.show("token, verified before", 1, lambda: tokens.verify(token, gateway_keys))
    stages.show("proof of possession", 1, lambda: verify_dpop(proof, "POST", target, clock, token))
    stages.show(
        "the consumer's signature",
        1,
        lambda: verify_request(request, message_keys(consumer.keys, clock.now()), clock),
    )
    asked = GraphQLRequest.parse(body, Limits())
    agreement = members.agreements[0]
    stages.show("reading the request", 1, lambda: GraphQLRequest.parse(body, Limits()))
    await remembering(stages, process, clock)
    stages.show("question, planned before", 1, lambda: process.gateway.questions.question(asked, agreement))
    question = process.gateway.questions.question(asked, agreement)
    stages.show("variables", 1, lambda: process.gateway.questions.coerced(question, {}))
    forwarded = {name: request.headers[name] for name in (*bare, *signed)}
    consumers = ConsumerRequest("POST", target, forwarded, b64encode(body).decode())
    extension = {EXTENSION: NodeRequestExtension(consumers, (), "trace", 1000)}
    stages.show("the consumer's request for a node", 3, lambda: msgspec.json.encode(extension))
    peer = Peer.at(setting.endpoint("stock"), message_keys(members.member(MemberId("stock")).keys, clock.now()))
    sender = Sender(process.client, setting.key("gateway"), clock, lambda: secrets.token_urlsafe(18))
    representations = b'{"representations":[%b]}' % b",".join([b'{"__typename":"Product","id":"p10"}'] * 40)
    sent = b'{"query":"{ nothing }","variables":%b,"extensions":%b}' % (representations, msgspec.json.encode(extension))
    stages.show("signing a fetch", 3, lambda: sender.signed(peer, sent))
    fetch = sender.signed(peer, sent)
    stages.show("writing a fetch", 3, lambda: peer.endpoint.request(fetch.headers, sent))
    bodies = {name: content(setting, name, "sha256:" + "0" * 64) for name in work.subgraphs}
    response = HttpResponse(200, {"content-type": "application/json"}, bodies["stock"])
    answer_headers = {
        **response.headers,
        **sign_response(response, fetch.binding, setting.key("stock"), clock),
    }
    answer = HttpAnswer(
        200, "application/json", tuple((a.encode(), b.encode()) for a, b in answer_headers.items()), response.body
    )
    stages.show("verifying an answer", 3, lambda: sender.require_answer(peer, fetch, answer))
    said = {name: msgspec.json.decode(each)["extensions"] for name, each in bodies.items()}
    stages.show(
        "what a node says beside its data",
        3,
        lambda: require_recorded(bodies["stock"], "stock", said["stock"][EXTENSION]["requestDigest"]),
    )
    heard = [msgspec.convert(each[EXTENSION], NodeAnswerExtension) for each in said.values()]
    form = question.plan.form({})
    start = time.process_time()
    for _ in range(200):
        await execute(question.plan, {}, Outside(Ready(bodies)), asyncio.get_running_loop().time() + 10)
    stages.add("the plan: decoding, joining, scheduling", 1, (time.process_time() - start) / 200 * 1e6)
    stages.show(
        "extension: what was decided", 1, lambda: privacy_extension(heard, form.provenance, PURPOSE, AGREEMENT, ())
    )
    shown = json.dumps({"data": work.expected}).encode()
    translator = Translator(_nobody(), _nobody(), frozenset(), CONSUMER)
    start = time.process_time()
    for _ in range(200):
        await own_pseudonyms(shown, translator)
    stages.add("last door: no foreign pseudonym", 1, (time.process_time() - start) / 200 * 1e6)
    entry = Entry(
        kind=EntryKind.MEDIATION,
        at=rfc3339(clock.now()),
        writer=MemberId("gateway"),
        trace_id="trace",
        consumer=CONSUMER,
        decisions=joined_decisions(heard),
    )
    stages.show("ledger entry", 1, lambda: (joined_decisions(heard), entry.to_bytes()))
    await recording(stages, process.ledger, entry.to_bytes())
    stages.print()
    public, base = key.public(), b"x" * 600
    curve = Sum()
    curve.show("of these, the curve: verifying", 5, partial(public.verify, key.sign(base), base))
    curve.show("of these, the curve: signing", 3, partial(key.sign, base))
    curve.print()


@dataclass(frozen=True, slots=True)
class Ready:
    """A fetcher whose answers are there already."""

    bodies: Mapping[str, bytes]

    def fetch(self, request: FetchRequest) -> asyncio.Future[FetchAnswer]:
        """Return a future that is done."""
        future: asyncio.Future[FetchAnswer] = asyncio.get_running_loop().create_future()
        future.set_result(FetchAnswer(self.bodies[request.member]))
        return future


async def remembering(stages: Sum, process: Any, clock: SystemClock) -> None:
    """Measure what one request must have remembered before it goes on: two names and two budgets, in shared commits."""

    def judged() -> None:
        for _ in range(2):
            process.replay.first_time("nonce", secrets.token_urlsafe(18), 2**40)
        count_question(CONSUMER, PURPOSE, RateSettings(), process.counters, clock)
        process.counters.add("agreement", day_in_rome(clock.now()), 2**40)

    for count in (1, 4, 16):
        best = float("inf")
        for _ in range(20):
            start = time.process_time()
            await asyncio.gather(*(process.gateway.together.judge(judged) for _ in range(count)))
            best = min(best, (time.process_time() - start) / count * 1e6)
        if count == 4:
            stages.add("names used once, budgets: with three others", 1, best)
        else:
            print(f"{f'(names and budgets, {count} at once)':52}{best:9.1f}")


async def recording(stages: Sum, ledger: Ledger, entry: bytes) -> None:
    """Measure the processor time of an append, 64 at once and alone; the disk's time is not in it."""
    for count in (64, 1):
        best = float("inf")
        for _ in range(5):
            start = time.process_time()
            await asyncio.gather(*(ledger.append(entry) for _ in range(count)))
            best = min(best, (time.process_time() - start) / count * 1e6)
        if count == 1:
            print(f"{'(an append alone)':52}{best:9.1f}")
        else:
            stages.add("append, with 63 others", 1, best)


def _nobody() -> Any:
    return None


if __name__ == "__main__":
    uvloop.run(main())
