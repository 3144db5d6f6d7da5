"""Representations leave under the receiver's pseudonym, to holders only; foreign pseudonyms never leave at all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from federation.contract.canonical import b64url
from federation.contract.errors import BadInputError
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.messages import Translation, TranslationStatement
from federation.exchange.messages import Conversion
from federation.execution.ports import FetchRequest, KeyedRepresentation
from federation.gateway import directory_subgraph
from federation.gateway.directory_subgraph import DirectorySubgraph
from federation.gateway.egress import own_pseudonyms
from federation.gateway.finding import Found, Wanted
from federation.gateway.pseudonyms import PseudonymRouter, Translator
from federation.planning.plan import OperationKind


def pid(member: str, subject: str) -> str:
    return f"v1.siv.{member}.{b64url(subject.encode())}"


@dataclass
class PlainExchange:
    """Translates by reading the subject, which is in clear here; refuses `stranger`."""

    messages: int = 0
    asked: list[Conversion] = field(default_factory=list)

    async def convert(self, conversions: Sequence[Conversion]) -> Sequence[Translation]:
        self.messages += 1
        self.asked += conversions
        return [
            Translation(
                TranslationStatement(
                    each.source, each.to, "p", "d", tuple(self._one(p, each.to) for p in each.pids), 0
                ),
                "k",
                "s",
            )
            for each in conversions
        ]

    def _one(self, text: str, to: str) -> str | None:
        token = text.rpartition(".")[2]
        return None if token == b64url(b"stranger") else f"v1.siv.{to}.{token}"


@dataclass
class Rows:
    holding: dict[str, frozenset[str]]

    def require_own_file(self, subject: str | None) -> None:
        """Ask for none."""

    def members_holding(self, subjects: Collection[str]) -> Mapping[str, frozenset[str]]:
        return {subject: self.holding[subject] for subject in subjects if subject in self.holding}


@pytest.fixture
def exchange() -> PlainExchange:
    return PlainExchange()


@pytest.fixture
def translator(exchange: PlainExchange) -> Translator:
    rows = Rows(
        {
            pid("directory", "anna"): frozenset({"c_m999", "inprev"}),
            pid("directory", "bruno"): frozenset({"inprev"}),
        }
    )
    return Translator(exchange, rows, frozenset({"c_m999", "inprev", "aslvs"}), "ustat")


def citizens(source: str, *subjects: str) -> list[KeyedRepresentation]:
    return [KeyedRepresentation(source, {"__typename": "Citizen", "id": pid(source, subject)}) for subject in subjects]


async def test_a_member_receives_its_own_pseudonym_and_only_of_those_it_holds(translator: Translator) -> None:
    routed = await PseudonymRouter(translator).route("c_m999", citizens("directory", "anna", "bruno"))
    assert routed == [{"__typename": "Citizen", "id": pid("c_m999", "anna")}, None]


async def test_members_without_a_file_cause_no_translation(translator: Translator, exchange: PlainExchange) -> None:
    router = PseudonymRouter(translator)
    assert await router.route("aslvs", citizens("directory", "anna")) == [None]
    assert {conversion.to for conversion in exchange.asked} == {"c_m999", "inprev"}


async def test_one_message_translates_for_every_member_of_the_plan(
    translator: Translator, exchange: PlainExchange
) -> None:
    router = PseudonymRouter(translator)
    for member in ("c_m999", "inprev", "aslvs"):
        await router.route(member, citizens("directory", "anna", "bruno"))
    assert exchange.messages == 1


async def test_one_message_is_enough_for_one_citizen(translator: Translator, exchange: PlainExchange) -> None:
    subject = await translator.found("ustat", pid("ustat", "anna"))
    assert subject == pid("directory", "anna")
    router = PseudonymRouter(translator)
    routed = {member: await router.route(member, citizens("directory", "anna")) for member in ("c_m999", "inprev")}
    assert routed == {member: [{"__typename": "Citizen", "id": pid(member, "anna")}] for member in routed}
    response = msgspec.json.encode({"data": {"citizen": {"id": pid("inprev", "anna")}}})
    shown = msgspec.json.decode(await own_pseudonyms(response, translator))
    assert shown == {"data": {"citizen": {"id": pid("ustat", "anna")}}}
    assert exchange.messages == 1


async def test_a_member_without_a_file_receives_neither_the_citizen_nor_a_statement(translator: Translator) -> None:
    await translator.found("ustat", pid("ustat", "anna"))
    assert await PseudonymRouter(translator).route("aslvs", citizens("directory", "anna")) == [None]
    assert translator.statements.keys() == {"c_m999", "inprev"}


async def test_a_stranger_is_nobody(translator: Translator) -> None:
    assert await translator.found("ustat", pid("ustat", "stranger")) is None
    assert not translator.statements


async def test_keys_of_a_node_go_through_the_directorys_domain(translator: Translator, exchange: PlainExchange) -> None:
    routed = await PseudonymRouter(translator).route("inprev", citizens("c_m999", "anna"))
    assert routed == [{"__typename": "Citizen", "id": pid("inprev", "anna")}]
    assert exchange.asked[0] == Conversion(MemberId("c_m999"), DIRECTORY, (pid("c_m999", "anna"),))


async def test_other_entities_pass_as_they_are(translator: Translator) -> None:
    case = KeyedRepresentation("c_m999", {"__typename": "ServiceCase", "id": "7"})
    assert await PseudonymRouter(translator).route("inprev", [case]) == [case.representation]


async def test_statements_are_kept_for_the_member_they_are_about(translator: Translator) -> None:
    await PseudonymRouter(translator).route("c_m999", citizens("directory", "anna"))
    assert translator.statements["c_m999"][0].statement.pids == (pid("c_m999", "anna"),)


async def test_foreign_pseudonyms_become_the_consumers_own_or_null(translator: Translator) -> None:
    response = msgspec.json.encode(
        {
            "data": {
                "citizen": {"id": pid("c_m999", "anna"), "familyName": pid("inprev", "bruno")},
                "other": {"id": pid("directory", "stranger")},
                "own": {"id": pid("ustat", "carla")},
            }
        }
    )
    data = msgspec.json.decode(await own_pseudonyms(response, translator))["data"]
    assert data == {
        "citizen": {"id": pid("ustat", "anna"), "familyName": pid("ustat", "bruno")},
        "other": {"id": None},
        "own": {"id": pid("ustat", "carla")},
    }


async def test_a_response_without_pseudonyms_asks_nobody(translator: Translator, exchange: PlainExchange) -> None:
    response = b'{"data":{"citizen":{"givenName":"v1"}}}'
    assert await own_pseudonyms(response, translator) is response
    assert exchange.messages == 0


@dataclass
class Finding:
    pseudonyms: dict[str, str]
    tax_codes: dict[str, str]
    told: str | None = None
    denied: bool = False

    async def by_pseudonym(self, pseudonym: str) -> Found | None:
        key = self.pseudonyms.get(pseudonym)
        return None if key is None else Found(key, key)

    async def by_tax_code(self, tax_code: str, wanted: Wanted) -> Found | None:
        key = self.tax_codes.get(tax_code)
        return None if key is None else Found(key, self.told if wanted.ids else None, self.denied)

    async def report(self, pseudonym: str, before: Mapping[str, int]) -> dict[str, object]:
        assert not before
        return {"accesses": [{"member": "c_m999", "leaf": pseudonym, "receipt": "{}"}], "gaps": ["aslvs"]}

    async def changes(self, arguments: dict[str, object]) -> dict[str, object]:
        return {"signals": [], "cursor": str(arguments), "more": False}

    async def my_fields(self, type_name: str | None) -> dict[str, object]:
        return {"fields": [], "gaps": [type_name or "all"]}

    async def why_denied(self, coordinate: str) -> dict[str, object]:
        return {"verdicts": [], "gaps": [coordinate]}


async def ask_directory(by: dict[str, str]) -> dict[str, object]:
    finder = Finding({pid("inprev", "anna"): pid("directory", "anna")}, {"RSSMRA80A01H501U": pid("directory", "anna")})
    operation = "query($by: CitizenKey!) { who: citizen(by: $by) { __typename _k_id: id } }"
    request = FetchRequest(
        0, "directory", OperationKind.QUERY, msgspec.json.encode(operation), msgspec.json.encode({"by": by}), 0.0
    )
    answer = await DirectorySubgraph(finder, finder, finder, finder, "inprev").fetch(request)
    found: dict[str, object] = msgspec.json.decode(answer.body)
    return found


@pytest.mark.parametrize("by", [{"id": pid("inprev", "anna")}, {"taxCode": "RSSMRA80A01H501U"}])
async def test_the_directory_answers_with_its_own_key(by: dict[str, str]) -> None:
    assert await ask_directory(by) == {"data": {"who": {"__typename": "Citizen", "_k_id": pid("directory", "anna")}}}


@pytest.mark.parametrize(
    "by",
    [
        {"id": pid("inprev", "anna")},
        {"id": pid("inprev", "nobody")},
        {"id": pid("c_m999", "anna")},
        {},
        {"id": 7},
        {"x": "1"},
        {"id": None},
        {"id": pid("inprev", "anna"), "taxCode": None},
    ],
)
async def test_the_executor_would_say_the_same(by: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    plainly = await ask_directory(by)  # type: ignore[arg-type]  # what a defective planner might send
    monkeypatch.setattr(directory_subgraph, "_naming", lambda _: None)
    executed = await ask_directory(by)  # type: ignore[arg-type]  # see above
    assert plainly["data"] == executed["data"]
    assert len(plainly.get("errors", ())) == len(executed.get("errors", ()))  # type: ignore[arg-type]  # lists


@pytest.mark.parametrize("by", [{}, {"taxCode": None}, {"id": "a", "taxCode": "b"}])
async def test_what_does_not_name_one_citizen_is_the_callers_mistake(by: dict[str, str]) -> None:
    answer = await ask_directory(by)
    assert answer.pop("errors") == [
        {
            "message": "an argument does not fit its type; `by` takes exactly one of `id` and `taxCode`",
            "extensions": {"code": "BAD_USER_INPUT"},
        }
    ]


@pytest.mark.parametrize("by", [{"id": pid("inprev", "bruno")}, {"taxCode": "RSSMRA79B11C566R"}])
async def test_a_citizen_nobody_knows_is_null_without_an_error(by: dict[str, str]) -> None:
    assert await ask_directory(by) == {"data": {"who": None}}


@pytest.mark.parametrize(
    "by",
    [{"id": pid("c_m999", "anna")}, {"id": pid("directory", "anna")}, {"id": "anna"}],
    ids=["another member's", "the directory's own", "no pseudonym"],
)
async def test_only_the_consumers_own_pseudonym_names_a_citizen(by: dict[str, str]) -> None:
    answer = await ask_directory(by)
    assert answer["data"] == {"who": None}
    assert msgspec.json.encode(answer["errors"]).count(BadInputError.code.encode()) == 1
