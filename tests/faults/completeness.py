"""Hold random questions against the ledgers: is every one recorded once, before its answer, and exactly as it was?

    python tests/faults/completeness.py [--questions 10000] [--quick] [--planted-defect]

Every partner asks, for every purpose, through the gateway and past it: fields that are open, masked, denied and not
agreed, citizens who are known and unknown, questions that are wrong, too dear, with another's token and sent twice.
Gateway, exchange and nodes are the real ones in one process (`tests/support/simulator.py`), and what each says is seen
as it arrives. For each question, criterion A9:

* one entry at the gateway, and at each party one for every request to it, on disk before the answer is there
* a node's entry names the fields that have a value in its answer, each with a form that the value can have, and nothing
  that was not asked
* the gateway's entry names what its nodes' entries name, and that covers every value of the consumer's answer
* a refusal's entry has the code that was told
* criterion H2: nodes told of no more objects than the gateway estimated beforehand

With `--planted-defect` nodes leave one field out of their entries, though not out of their answers. The last line
counts; exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.consumer.client import PartnerClient
from federation.contract.decisions import DENY
from federation.contract.entries import Entry, EntryKind
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import PERSON
from federation.contract.on_denied import OnDenied
from federation.execution.transport.message import HttpAnswer
from federation.ledger.leaf import Leaf
from federation.ledger.store import SqliteStore
from node.demo.seed import TRUTH, read_truth
from node.enforcement import answer as node_answer
from node.enforcement.record import disclosure
from tests.faults.field import say, verdict
from tests.faults.what_left import Reader, fits, objects
from tests.support.demo import demo_charter
from tests.support.simulator import Simulator, found, simulated

TEXTS = 800
"""Different documents; each is asked about many citizens."""
DEEP = 3
NOBODY = ("AAAAAA00A00A000A", "RSSMRA80A01H501U")
WRONG = (
    "{ citizen { nothing } }",
    "{ citizen(by: ",
    f"query($by: CitizenKey!) {{ {'citizen(by: $by) { household { members { givenName } } } ' * 200} }}",
    "{ citizens(first: 1000) { edges { node { benefits(first: 1000) { amount } } } } }",
    'query($by: CitizenKey!) { citizen(by: $by) { dateOfBirthMatches(value: "x") } }',
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes random documents on what clients may see."""

    schema: GraphQLSchema
    dice: Random

    def document(self, roots: Sequence[str]) -> str:
        """Write a question with one of these roots; `$by` names a citizen."""
        root = self.dice.choice(roots)
        if root == "citizen":
            return f"query($by: CitizenKey!) {{ citizen(by: $by) {self.selection('Citizen', DEEP)} }}"
        below = str(get_named_type(self._fields("Query")[root].type)).removesuffix("Connection")
        first = self.dice.randint(1, 5)
        return f"{{ {root}(first: {first}) {{ edges {{ node {self.selection(below, DEEP - 1)} }} }} }}"

    def selection(self, type_name: str, deep: int) -> str:
        """Write some fields of a type."""
        fields = self._fields(type_name)
        parts = []
        for name in self.dice.sample(sorted(fields), min(len(fields), self.dice.randint(1, 7))):
            below = get_named_type(fields[name].type)
            if not isinstance(below, GraphQLObjectType):
                guess = {"taxCodeMatches": NOBODY[1], "dateOfBirthMatches": "1984-06-17"}.get(name)
                parts.append(name if guess is None else f'{name}(value: "{guess}")')
            elif deep > 0:
                few = f"(first: {self.dice.randint(1, 4)})" if "first" in fields[name].args else ""
                parts.append(f"{name}{few} {self.selection(below.name, deep - 1)}")
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def _fields(self, type_name: str) -> dict[str, Any]:
        found = self.schema.type_map[type_name]
        assert isinstance(found, GraphQLObjectType)
        return dict(found.fields)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a party said to the gateway, to which body, and how many entries its ledger had when that was there."""

    party: str
    sent: Mapping[str, Any]
    said: Mapping[str, Any]
    entries: int

    @property
    def position(self) -> int | None:
        """The position of the entry that a node names; None for a refusal, and at the exchange."""
        extension = (self.said.get("extensions") or {}).get("crocevia")
        return None if extension is None else int(extension["receipt"]["index"])


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: who asks, under which agreement, for which purpose, and what about whom."""

    consumer: str
    purpose: str
    agreement: str
    document: str
    variables: dict[str, Any]


@dataclass(slots=True)
class Campaign:
    """Asks, and holds what was said against what was recorded."""

    federation: Simulator
    clients: Mapping[str, PartnerClient]
    ledgers: Mapping[str, SqliteStore]
    readers: Mapping[str, Reader]
    dice: Random
    codes: Sequence[str]
    heard: list[Heard] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    answers: int = 0
    values: int = 0

    def watch(self, party: str, body: bytes, answer: HttpAnswer) -> None:
        """Take in what a party said, and how far its ledger was then."""
        said = msgspec.json.decode(answer.body)
        self.heard.append(Heard(party, msgspec.json.decode(body), said, self.ledgers[party].size()))

    async def ask(self, consumer: str, purpose: str, agreement: str, document: str) -> None:
        """Ask one question in some way, and judge it."""
        way, client = self.dice.random(), self.clients[consumer]
        code = self.dice.choice(NOBODY if self.dice.random() < 0.03 else self.codes)
        document = self.dice.choice(WRONG) if way < 0.04 else document
        asked = Asked(consumer, purpose, agreement, document, {"by": {"taxCode": code}} if "$by" in document else {})
        if 0.04 <= way < 0.09:
            await self._past_the_gateway(asked)
            return
        token = await client._token(purpose, agreement)
        if 0.09 <= way < 0.11:
            token = await self._token_of_another(consumer)
        on_denied = OnDenied.REJECT if self.dice.random() < 0.08 else None
        body = msgspec.json.encode({"query": document, "variables": asked.variables})
        self._begin()
        answer = await client.post("/graphql", body, token, on_denied)
        self._judge(asked, answer.content)
        if way > 0.99:  # the very same once more
            self._begin()
            headers = answer.request.headers
            again = await client.http.post(client.gateway + "/graphql", content=body, headers=headers)
            self._judge(asked, again.json())

    async def _token_of_another(self, consumer: str) -> str:
        other = next(each for each in demo_charter().agreements if each.consumer != consumer)
        return await self.clients[other.consumer]._token(next(iter(other.purposes)), other.id)

    async def _past_the_gateway(self, asked: Asked) -> None:
        member = self.dice.choice(sorted(self.federation.nodes))
        self._begin()
        said = await self.federation.ask_node(member, asked.consumer, asked.purpose, asked.document, asked.variables)
        self.outcomes["past the gateway"] += 1
        new = self._new()
        self._same("entries", _counts(new), {member: 1})
        for entry in new[member]:
            self._node(member, asked.document, said, entry)

    def _begin(self) -> None:
        self.before = {party: ledger.size() for party, ledger in self.ledgers.items()}
        self.heard.clear()

    def _judge(self, asked: Asked, said: Mapping[str, Any]) -> None:
        new = self._new()
        self._same("entries", _counts(new), {**Counter(each.party for each in self.heard), "gateway": 1})
        done: Counter[str] = Counter()
        for each in self.heard:
            done[each.party] += 1
            if each.entries < self.before[each.party] + done[each.party]:
                self.wrong.append(f"`{each.party}` answered before its entry was on disk")
            if each.party != "exchange":
                self._node(each.party, each.sent["query"], each.said, self._entry(each, new[each.party]))
        for entry in new["gateway"]:
            nodes = [each for party, entries in new.items() if party != "gateway" for each in entries]
            self._gateway(asked, said, entry, nodes)

    def _entry(self, heard: Heard, entries: list[Entry]) -> Entry | None:
        """Return the entry of a node's answer: by its receipt, or a refusal that was not looked at yet."""
        if heard.position is not None:
            return dict(enumerate(entries, self.before[heard.party])).get(heard.position)
        refusals = [each for each in entries if each.kind is EntryKind.REFUSAL]
        return refusals[0] if refusals else None

    def _node(self, member: str, query: str, said: Mapping[str, Any], entry: Entry | None) -> None:
        """Hold a node's answer against its entry."""
        self.answers += 1
        if entry is None:
            self.wrong.append(f"an answer of `{member}` has no entry")
            return
        if said.get("data") is None:
            code = said["errors"][0]["extensions"]["code"]
            self._same(f"refusal of `{member}`", (entry.kind, entry.code), (EntryKind.REFUSAL, code))
            return
        self._same(f"answer of `{member}`", entry.kind, EntryKind.DISCLOSURE)
        reader = self.readers[member]
        for left in reader.values(query, said["data"]):
            self.values += 1
            told = [
                each
                for each in entry.decisions
                if (each.coordinate, each.join_key) == (left.coordinate, left.key) and each.form != DENY
            ]
            if not told:
                self.wrong.append(f"`{left.coordinate}` left `{member}` and is not in its entry")
            elif left.value is not None and not any(fits(each, left.value) for each in told):
                self.wrong.append(f"`{left.coordinate}` left `{member}` otherwise than as `{told[0].form}`")
        for coordinate in {each.coordinate for each in entry.decisions} - reader.asked(query):
            self.wrong.append(f"`{coordinate}` is in an entry of `{member}` and was not asked")

    def _gateway(self, asked: Asked, said: Mapping[str, Any], entry: Entry, nodes: list[Entry]) -> None:
        """Hold the gateway's answer against its entry, and its entry against those of its nodes."""
        if entry.kind is EntryKind.REFUSAL:
            refused = said["errors"][0]["extensions"]
            self.outcomes[refused["code"]] += 1
            self._same("refusal of the gateway", (entry.code, entry.trace_id), (refused["code"], refused["traceId"]))
            return
        self.outcomes["answered" if said.get("data") is not None else "rejected as agreed"] += 1
        self._same(
            "trace", {entry.trace_id}, {said["extensions"]["traceId"], *(each.trace_id for each in nodes)} - {""}
        )
        told = {each.coordinate for each in entry.decisions if each.disclosed}
        recorded = {each.coordinate for node in nodes for each in node.decisions if each.disclosed}
        self._same("fields of the gateway's entry", told, recorded)
        # A citizen's `id` is the consumer's own pseudonym: what nodes record is a key, and the exchange a translation.
        translated = any(each.kind is EntryKind.TRANSLATION for each in nodes)
        for left in self.readers["gateway"].values(asked.document, said.get("data")):
            if left.coordinate not in told and not (left.coordinate == f"{PERSON}.id" and translated):
                self.wrong.append(f"`{left.coordinate}` left the gateway and is not in its entry")
        process = self.federation.process
        agreement = process.registry.current().agreement(asked.agreement)
        request = GraphQLRequest(asked.document, None, None, asked.variables, {})
        estimated = process.gateway.questions.question(request, agreement).estimate.most(asked.variables)
        were = sum(objects(each.said.get("data")) for each in self.heard if each.party != "exchange")
        if were > estimated:
            self.wrong.append(f"{were} objects where at most {estimated} were estimated")

    def _new(self) -> dict[str, list[Entry]]:
        """Return the entries since the question began, by party."""
        return {
            party: [Entry.parse(Leaf.parse(leaf).entry) for leaf in ledger.leaves(self.before[party], ledger.size())]
            for party, ledger in self.ledgers.items()
        }

    def _same(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self.wrong.append(f"{what}: {found!r:.200} and not {expected!r:.200}")


def _counts(new: Mapping[str, list[Entry]]) -> dict[str, int]:
    return {party: len(entries) for party, entries in new.items() if entries}


def forgetful(entry_of: Any) -> Any:
    """Return what makes entries, but for the last field of those that name several: the planted defect."""

    def made(*arguments: Any, **named: Any) -> Entry:
        entry: Entry = entry_of(*arguments, **named)
        return msgspec.structs.replace(
            entry, decisions=entry.decisions[:1] if len(entry.decisions) > 5 else entry.decisions
        )

    return made


async def campaign(count: int, *, planted: bool) -> int:
    """Ask so many questions."""
    if planted:
        vars(node_answer)["disclosure"] = forgetful(disclosure)
    dice = Random(20261128)
    with tempfile.TemporaryDirectory(prefix="crocevia-complete-") as folder:
        founded = found(Path(folder) / "founded")
        async with simulated(founded, Path(folder) / "home") as federation, AsyncExitStack() as stack:
            agreements = demo_charter().agreements
            clients = {
                str(each.consumer): await stack.enter_async_context(federation._partner(each.consumer))
                for each in agreements
            }
            parties = ("gateway", "exchange", *federation.nodes)
            ledgers = {
                each: SqliteStore.open_to_read(federation.home.party(each) / "state" / "ledger.db") for each in parties
            }
            for ledger in ledgers.values():
                stack.callback(ledger.close)
            api = federation.process.gateway.questions.supergraph.api_schema
            readers = {member: Reader(node.node().documents.schema) for member, node in federation.nodes.items()}
            codes = [person.tax_code for person in read_truth(federation.home.root / TRUTH)]
            asking = Campaign(federation, clients, ledgers, {**readers, "gateway": Reader(api)}, dice, codes)
            federation.wire.watch = asking.watch
            writer = Writer(api, dice)
            texts = {
                each.id: [
                    writer.document(
                        ("citizen", *(name for names in each.lists.values() for name in names if name != "changes"))
                    )
                    for _ in range(TEXTS // len(agreements))
                ]
                for each in agreements
            }
            for number in range(count):
                federation.wire.heard.clear()
                each = dice.choice(agreements)
                await asking.ask(
                    each.consumer, dice.choice(sorted(each.purposes)), each.id, dice.choice(texts[each.id])
                )
                if number % 1_000 == 999:
                    say(f"{number + 1} questions, {len(asking.wrong)} differences")
    for line, times in Counter(asking.wrong).most_common(12):
        say(f"{times:6} {line}")
    for outcome, times in asking.outcomes.most_common():
        say(f"{times:6} {outcome}")
    told = f"{count} questions, {asking.answers} answers of nodes, {asking.values} values"
    return verdict(f"{told}: {len(asking.wrong)} differences from the ledgers", len(asking.wrong))


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="random questions held against the ledgers")
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="400 questions")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return asyncio.run(campaign(400 if asked.quick else asked.questions, planted=asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
