"""Attack a running federation as a malicious gateway, node, consumer and log, and list what becomes of each attack.

    python tests/faults/adversaries.py [--quick] [--planted-defect]

The gateway's attacks are made with its real keys against real nodes; the node's with its real keys against the real
gateway; the consumer's with its own. With `--planted-defect` nodes do not hold the gateway's question against the
consumer's, and the gateway's attacks must get through. The last line counts those that did; exit code 1 when any did.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import dataclasses
import json
import sqlite3
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.consumer.evidence import Bundle, Verified, verify_bundle
from federation.consumer.ledgers import LedgersOutside, Verdict
from federation.contract.clock import FixedClock, SystemClock
from federation.contract.identifiers import MemberId
from federation.contract.members import MemberList
from federation.contract.messages import ConsumerRequest, NodeRequestExtension, Translation
from federation.exchange.messages import CONVERT_PATH, Conversion, ConvertRequest
from federation.ledger.note import Ed25519Signer
from federation.trust.http_messages import HttpRequest, HttpResponse, single_headers
from federation.trust.http_signatures import RequestBinding, sign_request, sign_response
from federation.trust.keys import LEDGER_KEY, MESSAGE_KEY, SigningKey, load_ed25519
from federation.trust.translations import sign_translation
from node.demo.seed import demo_files
from tests.faults.field import QUESTION, Field, founded, say, verdict
from tests.faults.wire import Wire, _with_length, standing_at, whole
from tests.support.demo import nonce, question, token

ENTITIES = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Citizen { %s } } }"
Outcome = tuple[bool, str]


@dataclass(slots=True)
class Attacker:
    """Everybody's keys, as whoever seized that party would have them, and one honest question to abuse."""

    field: Field
    by: dict[str, Any]

    def key(self, party: str) -> SigningKey:
        """A party's message key."""
        return SigningKey.load(self.field.demo.home.keys(party) / MESSAGE_KEY)

    def honest(self, query: str = QUESTION, purpose: str = "benefit-assessment", **changes: Any) -> HttpRequest:
        """A question that the consumer signed, in an hour of trust."""
        partner = self.field.demo.partner("inprev")
        content = {"query": query, "variables": {"by": self.by}}
        access = self.token(purpose=purpose, **changes)
        return question(partner, self.field.demo.gateway + "/graphql", access, content)

    def token(self, **changes: Any) -> str:
        """An access token as the gateway makes them for the consumer."""
        partner = self.field.demo.partner("inprev")
        nodes = (member.endpoint for member in partner.members.members)
        everybody = (partner.members.gateway.endpoint, partner.members.exchange.endpoint, *filter(None, nodes))
        return token(self.field.demo, partner, "benefit-assessment", **({"audience": everybody} | changes))

    def exchange(self, own: HttpRequest, member: str, pid: str) -> Translation:
        """A statement of the real exchange, asked for as the gateway asks."""
        convert = ConvertRequest(_sent(own), (Conversion(MemberId("inprev"), MemberId(member), (pid,)),))
        url = self.field.demo.partner("inprev").members.exchange.endpoint + CONVERT_PATH
        answer = _post(self.signed(url, msgspec.json.encode(convert), self.key("gateway")))
        found = msgspec.json.decode(answer.content, type=dict[str, Any])
        return msgspec.convert(found["translations"][0], Translation)

    def signed(self, url: str, body: bytes, key: SigningKey) -> HttpRequest:
        """A message signed by whoever has the key."""
        bare = HttpRequest("POST", url, {"content-type": "application/json"}, body)
        return replace(bare, headers={**bare.headers, **sign_request(bare, key, SystemClock(), nonce())})

    def to_node(
        self,
        query: str,
        variables: dict[str, Any],
        own: HttpRequest,
        statements: tuple[Translation, ...],
        member: str = "c_m999",
    ) -> HttpRequest:
        """What a gateway sends a node."""
        extension = NodeRequestExtension(_sent(own), statements, "trace", 1500)
        content = {"query": query, "variables": variables, "extensions": {"crocevia": extension}}
        url = self.field.node_url(member) + "/graphql"
        return self.signed(url, msgspec.json.encode(content), self.key("gateway"))


def _sent(own: HttpRequest) -> ConsumerRequest:
    names = ("authorization", "content-digest", "content-type", "signature", "signature-input")
    headers = {name: own.headers[name] for name in names}
    return ConsumerRequest(own.method, own.target_uri, headers, b64encode(own.body).decode())


def _post(request: HttpRequest) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=10) as http:
        return http.request(request.method, request.target_uri, content=request.body, headers=dict(request.headers))


def _codes(response: httpx.Response) -> list[str]:
    try:
        found = response.json()
    except ValueError:
        return [str(response.status_code)]
    errors = found.get("errors") or [found]
    return [str(e.get("extensions", {}).get("code") or e.get("code") or response.status_code) for e in errors]


def refused(response: httpx.Response) -> Outcome:
    """An attack is refused when nothing of data came back."""
    data = (
        response.json().get("data") if response.headers.get("content-type", "").startswith("application/json") else None
    )
    got = isinstance(data, dict) and any(value is not None for value in data.values())
    return not got, ", ".join(dict.fromkeys(_codes(response)))[:70]


Attack = Callable[[Attacker], Outcome]
Asked = tuple[str, tuple[Translation, ...], HttpRequest]
"""What a seized gateway sends: whose pseudonym, which statements, whose question."""
Change = Callable[[Attacker, Asked], Asked]


def gateway_attacks() -> Iterator[tuple[str, Attack]]:
    """What a seized gateway would try at a node."""
    person = "Citizen"

    def asks(fields: str, change: Change | None = None, member: str = "c_m999") -> Attack:
        def attack(attacker: Attacker) -> Outcome:
            own = attacker.honest()
            statement = attacker.exchange(own, member, attacker.by["id"])
            pid = statement.statement.pids[0] or ""
            statements: tuple[Translation, ...] = (statement,)
            if change:
                pid, statements, own = change(attacker, (pid, statements, own))
            variables = {"r": [{"__typename": person, "id": pid}]}
            return refused(_post(attacker.to_node(ENTITIES % fields, variables, own, statements, member)))

        return attack

    yield "asks a field that nobody asked", asks("givenName taxCode")
    yield "asks an argument that nobody asked", asks("benefits(first: 50) { kind }", member="inprev")
    yield "asks under a join key's name", asks("_k_tax: taxCode")
    yield "names another citizen", asks("givenName", lambda _, asked: (_other(asked[0]), *asked[1:]))
    yield "names a citizen without a statement", asks("givenName", lambda _, asked: (asked[0], (), asked[2]))

    def forged(attacker: Attacker, asked: Asked) -> Asked:
        pid, (statement,), own = asked
        made = replace(statement.statement, pids=(_other(pid),))
        return _other(pid), (sign_translation(made, attacker.key("gateway")),), own

    def reused(attacker: Attacker, asked: Asked) -> Asked:
        return asked[0], asked[1], attacker.honest()

    def changed(_: Attacker, asked: Asked) -> Asked:
        own = asked[2]
        return (
            asked[0],
            asked[1],
            replace(own, body=own.body.replace(b"givenName", b"givenName taxCode", 1)),
        )

    def invented(attacker: Attacker, asked: Asked) -> Asked:
        own = asked[2]
        made = attacker.signed(own.target_uri, own.body, attacker.key("gateway"))
        return (
            asked[0],
            asked[1],
            replace(made, headers={**made.headers, "authorization": own.headers["authorization"]}),
        )

    def other_purpose(attacker: Attacker, asked: Asked) -> Asked:
        bearer = f"DPoP {attacker.token(purpose='statistics')}"
        return (
            asked[0],
            asked[1],
            replace(asked[2], headers={**asked[2].headers, "authorization": bearer}),
        )

    def old(attacker: Attacker, asked: Asked) -> Asked:
        own, then = asked[2], FixedClock(SystemClock().now() - timedelta(minutes=10))
        bare = replace(own, headers={name: own.headers[name] for name in ("content-type", "authorization")})
        signature = sign_request(bare, attacker.key("inprev"), then, nonce())
        return asked[0], asked[1], replace(bare, headers={**bare.headers, **signature})

    yield "signs the exchange's statement itself", asks("givenName", forged)
    yield "uses a statement of another request", asks("givenName", reused)
    yield "changes the consumer's question", asks("givenName taxCode", changed)
    yield "invents a consumer's question", asks("givenName", invented)
    yield "gives the question another purpose", asks("givenName", other_purpose)
    yield "asks an old question again", asks("givenName", old)

    def replays(attacker: Attacker) -> Outcome:
        own = attacker.honest()
        statement = attacker.exchange(own, "c_m999", attacker.by["id"])
        variables = {"r": [{"__typename": person, "id": statement.statement.pids[0]}]}
        sent = attacker.to_node(ENTITIES % "givenName", variables, own, (statement,))
        first = _post(sent)
        again = refused(_post(sent))
        return again[0] and first.status_code == 200 and not refused(first)[0], again[1]

    yield "sends its own message twice", replays

    def elsewhere(attacker: Attacker) -> Outcome:
        own = attacker.honest()
        statement = attacker.exchange(own, "c_m999", attacker.by["id"])
        variables = {"r": [{"__typename": person, "id": statement.statement.pids[0]}]}
        sent = attacker.to_node(ENTITIES % "isee", variables, own, (statement,))
        return refused(_post(replace(sent, target_uri=attacker.field.node_url("inprev") + "/graphql")))

    yield "sends a node's message to another node", elsewhere

    def alone(attacker: Attacker) -> Outcome:
        body = msgspec.json.encode({"query": "{ citizens(first: 5) { givenName } }"})
        return refused(
            _post(attacker.signed(attacker.field.node_url("c_m999") + "/graphql", body, attacker.key("gateway")))
        )

    yield "asks without any consumer", alone

    def translates(attacker: Attacker) -> Outcome:
        try:
            attacker.exchange(attacker.honest(), "ustat", attacker.by["id"])
        except (KeyError, msgspec.ValidationError):
            return True, "refused by the exchange"
        return False, "translated"

    yield "has a pseudonym translated for a stranger", translates


def judged(bundle: Bundle, members: MemberList) -> Verified:
    """Verify evidence as the consumer does, with everybody's keys from the member list."""
    consumer = members.member(bundle.consumer)
    return verify_bundle(bundle, members.ledgers(), consumer.keys, members.exchange.keys)


def answer_attacks(bundle: Bundle, members: MemberList) -> Iterator[tuple[str, int, int]]:
    """Alter, invent and drop every value of an answer; yield the attack, how often it was made and found."""
    raw = json.loads(bundle.to_bytes())

    def found(changed: dict[str, Any]) -> bool:
        return bool(judged(Bundle.parse(json.dumps(changed).encode()), members).faults)

    places = list(_scalars(raw["response"]["data"], ("response", "data")))
    for name, alter in (
        (
            "alters a value",
            lambda v: not v if isinstance(v, bool) else v + 1 if isinstance(v, int | float) else f"{v}x",
        ),
        ("drops a value", lambda _: None),
    ):
        made, caught = 0, 0
        for path in places:
            changed = copy.deepcopy(raw)
            parent, value = _parent(changed, path)
            if value is None or str(value).startswith("v1."):
                continue
            parent[path[-1]] = alter(value)
            made += 1
            caught += found(changed)
        yield name, made, caught
    proved = judged(bundle, members).proved
    changed = copy.deepcopy(raw)
    changed["response"]["data"]["citizen"]["income"] = 9
    yield "adds a value", 1, int(found(changed))
    made, caught = 0, 0
    for position in range(len(raw["evidence"])):
        changed = copy.deepcopy(raw)
        del changed["evidence"][position]
        if judged(Bundle.parse(json.dumps(changed).encode()), members).proved < proved:  # it gave values
            made += 1
            caught += found(changed)
    yield "drops a node's evidence", made, caught
    changed = copy.deepcopy(raw)
    changed["evidence"][0]["committed"][0]["hash"] = changed["evidence"][0]["committed"][-1]["hash"]
    yield "exchanges a commitment", 1, int(found(changed))
    changed = copy.deepcopy(raw)
    changed["request"]["headers"]["signature"] = "sig1=:" + "A" * 86 + "==:"
    yield "passes the answer for another request's", 1, int(found(changed))


def citizens_attacks(bundle: Bundle, members: MemberList, most: int) -> Iterator[tuple[str, int, int]]:
    """Exchange, between every two citizens of one answer, at most so many, what nodes gave of them."""
    raw = json.loads(bundle.to_bytes())
    # What one node gives of a citizen; then all but the list's own node, with the name that the list shows.
    for name, moved in (("exchanges two citizens' objects", ("isee",)), ("exchanges two citizens' names", NAMED)):
        made, caught = 0, 0
        for one, other in combinations(range(len(_nodes(raw))), 2):
            changed = copy.deepcopy(raw)
            first, second = _nodes(changed)[one], _nodes(changed)[other]
            if first["isee"] == second["isee"] or made == most:
                continue
            for field in moved:
                first[field], second[field] = second[field], first[field]
            made += 1
            caught += bool(judged(Bundle.parse(json.dumps(changed).encode()), members).faults)
        yield name, made, caught
    told = raw["recognition"]
    changes = [{**raw, "recognition": told[:at] + told[at + 1 :]} for at in range(len(told)) if told[at]["handles"]]
    caught = sum(bool(judged(Bundle.parse(json.dumps(each).encode()), members).faults) for each in changes)
    yield "keeps back what the exchange says of citizens", len(changes), caught


NAMED = ("id", "isee", "disability")


def _nodes(raw: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in raw["response"]["data"]["citizens"]["edges"]]


def _scalars(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _scalars(child, (*path, key))
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _scalars(child, (*path, position))
    else:
        yield path


def _parent(value: Any, path: tuple[Any, ...]) -> tuple[Any, Any]:
    for part in path[:-1]:
        value = value[part]
    return value, value[path[-1]]


def _other(pid: str) -> str:
    return pid[:-6] + ("AAAAAA" if not pid.endswith("AAAAAA") else "BBBBBB")


def consumer_attacks() -> Iterator[tuple[str, Attack]]:
    """What a malicious consumer would try at the gateway and at a node."""

    def at_gateway(change: Callable[[Attacker, HttpRequest], HttpRequest]) -> Attack:
        return lambda attacker: refused(_post(change(attacker, attacker.honest())))

    def header(name: str, value: str) -> Callable[[Attacker, HttpRequest], HttpRequest]:
        return lambda _, own: replace(own, headers={**own.headers, name: value})

    def without(name: str) -> Callable[[Attacker, HttpRequest], HttpRequest]:
        return lambda _, own: replace(own, headers={k: v for k, v in own.headers.items() if k != name})

    yield (
        "adds a field after signing",
        at_gateway(lambda _, own: replace(own, body=own.body.replace(b"isee", b"isee taxCode", 1))),
    )
    yield "sends no proof of possession", at_gateway(without("dpop"))
    yield "sends no signature", at_gateway(without("signature"))
    yield (
        "sends a token without algorithm",
        at_gateway(header("authorization", "DPoP eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30.")),
    )
    yield "uses the token of another member", at_gateway(lambda a, own: _by(a, "coop_ponte", own))
    yield "asks for a purpose not agreed", lambda a: refused(_post(a.honest(purpose="statistics")))
    yield "uses an expired token", lambda a: refused(_post(a.honest(iat=1_700_000_000, exp=1_700_000_300)))
    yield "uses another's agreement", lambda a: refused(_post(a.honest(agreement="acc-2026-004")))
    yield "asks by another member's pseudonym", _foreign_pseudonym

    def twice(attacker: Attacker) -> Outcome:
        own = attacker.honest()
        first = _post(own)
        again = refused(_post(own))
        return again[0] and not refused(first)[0], again[1]

    yield "sends its question twice", twice

    def direct(query: str) -> Attack:
        def attack(attacker: Attacker) -> Outcome:
            partner = attacker.field.demo.partner("inprev")
            access = token(attacker.field.demo, partner, "benefit-assessment")
            content = {"query": query, "variables": {"r": [{"__typename": "Citizen", "id": attacker.by["id"]}]}}
            return refused(_post(question(partner, attacker.field.node_url("c_m999") + "/graphql", access, content)))

        return attack

    yield "asks a node past the gateway for a pseudonym", direct(ENTITIES % "givenName")
    yield "asks a node for its own names of citizens", direct("query($r: [_Any!]) { citizens(first: 3) { id } }")
    yield "asks a node for its schema", direct("query($r: [_Any!]) { __schema { types { name } } }")

    def calls_itself(attacker: Attacker) -> Outcome:
        asks = "query($by: CitizenKey!) { citizen(by: $by) { taxCode contactPoints { email } isee } }"
        forged_headers = {"x-forwarded-for": "10.0.0.1", "x-consumer": "aslvs", "x-purpose": "emergency-care"}
        own = attacker.honest(asks)
        plain = _post(attacker.honest(asks)).json()
        dressed = _post(replace(own, headers={**own.headers, **forged_headers})).json()
        return plain["data"] == dressed["data"], "the same answer as without them"

    yield "calls itself another in headers", calls_itself


def _by(attacker: Attacker, thief: str, own: HttpRequest) -> HttpRequest:
    partner = attacker.field.demo.partner(thief)
    stolen = own.headers["authorization"].removeprefix("DPoP ")
    return question(partner, own.target_uri, stolen, json.loads(own.body))


def _foreign_pseudonym(attacker: Attacker) -> Outcome:
    partner = attacker.field.demo.partner("inprev")
    content = {"query": QUESTION, "variables": {"by": {"id": attacker.by["id"].replace(".inprev.", ".aslvs.")}}}
    access = token(attacker.field.demo, partner, "benefit-assessment")
    return refused(_post(question(partner, attacker.field.demo.gateway + "/graphql", access, content)))


async def node_attacks(attacker: Attacker) -> list[tuple[str, Outcome]]:
    """What a malicious node would answer, signed with its own key."""
    field_, found = attacker.field, []
    key = attacker.key("c_m999")

    def signing(change: Callable[[dict[str, Any]], None]) -> Callable[[Wire], Awaitable[None]]:
        async def mode(wire: Wire) -> None:
            if not wire.request.startswith(b"POST /graphql"):
                await whole(wire)
                return
            head, _, body = (await wire.node(wire.request)).partition(b"\r\n\r\n")
            content = json.loads(body)
            change(content)
            await wire.send(_resigned(wire.request, head, json.dumps(content).encode(), key))

        return mode

    def entity(content: dict[str, Any]) -> dict[str, Any]:
        return (content["data"].get("_entities") or [{}])[0] or {}

    attacks: dict[str, Callable[[dict[str, Any]], None]] = {
        "answers fields of others": lambda c: entity(c).update(isee="[0,1)", taxCode="XXX"),
        "answers a list for a value": lambda c: entity(c).update(givenName=["x"]),
        "answers an object for a value": lambda c: entity(c).update(familyName={"x": 1}),
        "answers one entity too many": lambda c: c["data"].get("_entities", []).append({"givenName": "x"}),
        "answers without a record": lambda c: c.pop("extensions"),
        "answers with another member's record": lambda c: c["extensions"]["crocevia"].update(member="inprev"),
        "answers with another request's record": lambda c: c["extensions"]["crocevia"].update(requestDigest="sha256:0"),
        "answers with a broken record": lambda c: c["extensions"]["crocevia"].update(receipt=7),
        "slips in its own pseudonyms": lambda c: entity(c).update(
            familyName="v1.siv.c_m999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        ),
    }
    async with standing_at(field_, "c_m999") as proxy:
        for name, change in attacks.items():
            proxy.mode = signing(change)
            agreement = field_.demo.partner("inprev").agreement_for(field_.purpose)
            async with field_.client() as client:
                answer = await client.ask(
                    QUESTION, field_.purpose, agreement.id, {"by": attacker.by}, None, {"evidence": True}
                )
            citizen = (answer.content.get("data") or {}).get("citizen") or {}
            expected = next(each for each in field_.expected.values() if each["id"] == attacker.by["id"])
            others = [n for n in ("isee", "benefits", "contributions") if citizen.get(n) != expected[n]]
            text = json.dumps(answer.content.get("data"))
            wrong = [n for n in ("givenName", "familyName") if citizen.get(n) not in (None, expected[n])]
            leaked = ".c_m999." in text or "taxCode" in text
            codes = {e["extensions"].get("code") for e in answer.content.get("errors", ())}
            found.append(
                (
                    name,
                    (
                        not others and not wrong and not leaked and bool(citizen),
                        ", ".join(sorted(map(str, codes)))[:70],
                    ),
                )
            )
        proxy.mode = whole
    return found


def _resigned(request: bytes, head: bytes, body: bytes, key: SigningKey) -> bytes:
    top, _, content = request.partition(b"\r\n\r\n")
    lines = top.split(b"\r\n")
    headers = single_headers([(n, v.strip()) for n, _, v in (line.partition(b":") for line in lines[1:])])
    target = f"http://{headers['host']}" + lines[0].split(b" ")[1].decode()
    binding = RequestBinding.of(HttpRequest("POST", target, headers, content))
    response = HttpResponse(200, {"content-type": "application/json", "cache-control": "no-store"}, body)
    signature = sign_response(response, binding, key, SystemClock())
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"signature", b"content-digest"))]
    signed = [f"{name}: {value}".encode() for name, value in signature.items()]
    return _with_length(b"\r\n".join([*kept, *signed]), body)


async def log_attacks(attacker: Attacker) -> list[tuple[str, Outcome]]:
    """A member rewrites its own ledger with its own key, or cuts it back: its witnesses must find out."""
    field_ = attacker.field
    members = field_.demo.partner("inprev").members
    found = []
    for name in ("cuts its ledger back", "rewrites its ledger"):
        party = "inprev" if "cuts" in name else "aslvs"
        await asyncio.sleep(7)  # witnesses have seen the head
        field_.kill(party)
        _tamper(field_.state(party) / "ledger.db", field_.demo.home.keys(party), "rewrites" in name)
        await field_.start(field_.program(party))
        with httpx.Client(trust_env=False) as http:
            views = [view for view in LedgersOutside(members, http).views() if view.ledger == party]
        verdicts = {view.verdict for view in views}
        found.append((name, (verdicts <= {Verdict.FORKED, Verdict.CUT_BACK}, ", ".join(sorted(verdicts)))))
    return found


def _tamper(path: Path, keys: Path, rewrite: bool) -> None:  # noqa: FBT001  # which of the two attacks
    """Remove the last entries of a ledger; rewriting, put others in their place, all signed as it should be."""
    from federation.ledger.log import Ledger  # noqa: PLC0415
    from federation.ledger.store import SqliteStore  # noqa: PLC0415
    from federation.ledger.subject_keys import SqliteSubjectKeys  # noqa: PLC0415

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        triggers = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        schema = [row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")]
        for trigger in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
        sizes = [row[0] for row in connection.execute("SELECT size FROM checkpoint ORDER BY size")]
        keep = sizes[-3]
        connection.execute("DELETE FROM checkpoint WHERE size > ?", (keep,))
        for table in ("entry", "subject"):
            connection.execute(f"DELETE FROM {table} WHERE idx >= ?", (keep,))
        connection.execute("DELETE FROM tile")
        for statement in schema:
            connection.execute(statement)
        origin = connection.execute("SELECT origin FROM ledger").fetchone()[0]
        gone = sizes[-1] - keep
    if rewrite:
        subject_keys = SqliteSubjectKeys.open(path.with_name("subjects.db"), b"x" * 32, lambda size: b"r" * size)
        signer = Ed25519Signer.of(origin, load_ed25519(keys / LEDGER_KEY))
        ledger = Ledger.open(signer, lambda: SqliteStore.open(path, origin), subject_keys, lambda size: b"r" * size)
        for _ in range(gone + 2):
            ledger.append_blocking(b'{"kind":"refusal"}')
        ledger.close()
        subject_keys.close()


async def _about_several(field_: Field) -> Bundle:
    """Ask about several citizens at once, with evidence."""
    asking = dataclasses.replace(field_, consumer="ustat", purpose="statistics")
    query = (demo_files() / "queries" / "statistics.graphql").read_text().replace(', dateOfBirth: { eq: "1984" }', "")
    agreement = asking.demo.partner("ustat").agreement_for(asking.purpose)
    async with asking.client() as client:
        answer = await client.ask(query, asking.purpose, agreement.id, {}, None, {"evidence": True})
    return Bundle.of("ustat", answer)


async def campaign(quick: bool, planted: bool) -> int:  # noqa: FBT001  # arguments of the command
    """Attack, and list the outcomes."""
    through, total = 0, 0

    def note(actor: str, name: str, held: bool, how: str) -> None:  # noqa: FBT001  # an outcome
        nonlocal through, total
        total += 1
        through += not held
        say(f"{actor:9} {name:48} {'held' if held else 'GOT THROUGH':12} {how}")

    with founded() as demo:
        field_ = Field(demo)
        await field_.learn(20)
        if planted:
            field_.kill("c_m999")
            await field_.start(dataclasses.replace(field_.program("c_m999"), module="tests.faults.trusting_node"))
        richest = max(field_.expected.values(), key=lambda citizen: len(json.dumps(citizen)))
        attacker = Attacker(field_, {"id": richest["id"]})
        for name, attack in gateway_attacks():
            note("gateway", name, *await asyncio.to_thread(attack, attacker))
        async with field_.client() as client:
            agreement = demo.partner("inprev").agreement_for(field_.purpose)
            answer = await client.ask(
                QUESTION, field_.purpose, agreement.id, {"by": attacker.by}, None, {"evidence": True}
            )
        bundle = Bundle.of("inprev", answer)
        members = demo.partner("inprev").members
        note("gateway", "(an honest answer verifies)", not judged(bundle, members).faults, "")
        several = await _about_several(field_)
        honest = judged(several, members)
        note("gateway", "(an honest one about several citizens too)", not (honest.faults or honest.untied), "")
        for name, made, caught in (
            *answer_attacks(bundle, members),
            *citizens_attacks(several, members, 30 if quick else 10_000),
        ):
            note("gateway", name, made == caught > 0, f"found {caught} of {made} by crocevia verify")
        for name, attack in consumer_attacks():
            note("consumer", name, *await asyncio.to_thread(attack, attacker))
        for name, outcome in await log_attacks(attacker) if not quick else ():
            note("log", name, *outcome)
        for name, outcome in await node_attacks(attacker):
            note("node", name, *outcome)
    return verdict(f"{total} attacks: {through} got through", through)


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="malicious gateway, node, consumer and log")
    parser.add_argument("--quick", action="store_true", help="without the logs that witnesses find out")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return asyncio.run(campaign(asked.quick, asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
