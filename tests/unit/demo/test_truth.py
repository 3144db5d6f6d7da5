"""The hand-written expectations: they agree with the published policies field by field, and compare as they should."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
    validate,
)

from node.data.mapping import Mapping
from node.demo.answers import Amount, AnyText, Rows, differences
from node.demo.facts import Person
from node.demo.seed import SeedReport, demo_files
from node.demo.truth import ABOUT_ONE, Expectation, Town, read_town, statistics
from node.policy.bundle import Bundle, load_bundle
from node.policy.compile import compile_type
from node.policy.forms import CLEAR
from node.policy.requesters import Requester

TODAY = date(2026, 11, 22)
POLICIES = Path(__file__).parents[3] / "policies"
MEMBERS = ("c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte")
REQUESTERS = {
    "benefit-assessment": Requester("national", frozenset({"6.1.c", "6.1.e", "9.2.g"}), "*"),
    "school-enrolment": Requester("school", frozenset({"6.1.e"}), "M999"),
    "emergency-care": Requester("health", frozenset({"6.1.d", "9.2.c"}), "3_12"),
    "social-support": Requester("social", frozenset({"6.1.e", "9.2.g"}), "M999"),
    "service-notices": Requester("municipality", frozenset({"6.1.a"}), "M999"),
    "statistics": Requester("statistics", frozenset({"6.1.e", "9.2.j"}), "*"),
}
PLUMBING = {"Query", "CitizenConnection", "CitizenEdge", "PageInfo"}


def _pseudonym(consumer: str, subject: bytes) -> str:
    return f"{consumer}:{subject.hex()}"


@pytest.fixture(scope="session")
def town(seeded: SeedReport) -> Town:
    return read_town(seeded.truth_file, lambda position, _person: position < 400)


@pytest.fixture(scope="session")
def expectations(town: Town) -> dict[str, Expectation]:
    """Return one expectation per query, about somebody whom it shows much of."""
    about = [query(town.documented("sofia"), town, TODAY, _pseudonym) for query in ABOUT_ONE]
    return {expectation.query: expectation for expectation in (*about, statistics(town))}


def _bundle(member: str) -> Bundle:
    folder = POLICIES / member
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.yaml")}
    return load_bundle({"vocabulary.yaml": (POLICIES / "vocabulary.yaml").read_bytes(), **files})


@pytest.fixture(scope="session")
def bundles() -> dict[str, Bundle]:
    return {member: _bundle(member) for member in MEMBERS}


@pytest.fixture(scope="session")
def owners() -> dict[str, str]:
    """Return the member that decides each coordinate; for the shared id, the municipality."""
    found: dict[str, str] = {}
    for member in MEMBERS:
        mapping = Mapping.parse((demo_files() / member / "node.yaml").read_text(encoding="utf-8"))
        for source in mapping.sources.values():
            names = {*source.fields, *source.relations}
            if source.key and source.key.field:
                names.add(source.key.field)
            found = {f"{source.type_name}.{name}": member for name in names} | found
    return found


def _asked(query: str, api: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Yield response path and coordinate of every governed field a showcase query asks for."""
    text = (demo_files() / "queries" / f"{query}.graphql").read_text(encoding="utf-8")
    document = parse(text)
    assert validate(api, document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    root = api.query_type
    assert root is not None
    yield from _selected(operation.selection_set, root, "")


def _selected(selections: SelectionSetNode, parent: GraphQLObjectType, above: str) -> Iterator[tuple[str, str]]:
    for selection in selections.selections:
        assert isinstance(selection, FieldNode)
        name = selection.name.value
        path = f"{above}.{name}".lstrip(".")
        if parent.name not in PLUMBING and not name.endswith("Matches"):  # policies decide it under `taxCode`
            yield path, f"{parent.name}.{name}"
        below = get_named_type(parent.fields[name].type)
        if selection.selection_set is not None:
            assert isinstance(below, GraphQLObjectType)
            yield from _selected(selection.selection_set, below, path)


@pytest.mark.parametrize("query", REQUESTERS)
def test_what_is_expected_denied_and_masked_is_what_the_policies_deny_and_mask(
    query: str,
    expectations: dict[str, Expectation],
    bundles: dict[str, Bundle],
    owners: dict[str, str],
    api_schema: GraphQLSchema,
) -> None:
    denied: set[str] = set()
    masked: set[str] = set()
    for path, coordinate in _asked(query, api_schema):
        if any(path.startswith(f"{above}.") for above in denied):
            continue
        type_name, field_name = coordinate.split(".")
        bundle = bundles[owners[coordinate]]
        plan = compile_type(bundle, type_name, REQUESTERS[query], query, TODAY).fields[field_name]
        if not plan.shown:
            denied.add(path)
        elif all(grant.form != CLEAR for grant in plan.shown):
            masked.add(coordinate)
    assert expectations[query].denied == denied
    assert expectations[query].masked == masked


@pytest.mark.parametrize("query", REQUESTERS)
def test_an_expectation_has_the_shape_of_its_query(
    query: str, expectations: dict[str, Expectation], api_schema: GraphQLSchema
) -> None:
    paths = {path for path, _ in _asked(query, api_schema)}
    assert _paths_of(expectations[query].data) <= paths | {
        "citizen",
        "citizen.taxCodeMatches",
        "citizens",
        "citizens.pageInfo",
        "citizens.pageInfo.hasNextPage",
        "citizens.edges",
        "citizens.edges.node",
    }


def _paths_of(tree: object, above: str = "") -> set[str]:
    match tree:
        case dict():
            below = [_paths_of(value, f"{above}.{name}".lstrip(".")) for name, value in tree.items()]
            return {f"{above}.{name}".lstrip(".") for name in tree}.union(*below)
        case list() | tuple():
            return set().union(*(_paths_of(value, above) for value in tree))
        case Rows(rows, _):
            return _paths_of(rows, above)
        case _:
            return set()


def test_every_denied_path_is_null_in_the_expected_answer(expectations: dict[str, Expectation]) -> None:
    for expectation in expectations.values():
        for path in expectation.denied:
            assert all(value is None for value in _values_at(expectation.data, path.split("."))), path


def _values_at(tree: object, path: list[str]) -> Iterator[object]:
    match tree:
        case list() | tuple():
            for value in tree:
                yield from _values_at(value, path)
        case Rows(rows, _):
            yield from _values_at(rows, path)
        case dict() if path:
            yield from _values_at(tree[path[0]], path[1:])
        case None if path:
            yield None  # nothing is below an object that is not there
        case _:
            assert not path
            yield tree


def test_three_partners_get_visibly_different_views_of_one_citizen(town: Town) -> None:
    laura = town.documented("laura")
    views = [query(laura, town, TODAY, _pseudonym).data["citizen"] for query in ABOUT_ONE]
    assert len({view["id"] for view in views}) == len(views)
    assert views[0]["isee"] == "[6000,9360)"
    assert views[1]["givenName"] is None  # an adult is none of the school's business
    assert views[2]["isee"] is None
    assert views[3]["familyName"] == "B*******"


def test_a_protected_person_is_found_by_the_ambulance_only(town: Town) -> None:
    giulia = town.documented("giulia")
    assert giulia.civil is not None
    street = giulia.civil.home.thoroughfare
    for query in ABOUT_ONE:
        expectation = query(giulia, town, TODAY, _pseudonym)
        assert (street in str(expectation.data)) == (expectation.query == "emergency-care")
    assert all(row["node"]["dateOfBirth"] == "1984" for row in statistics(town).data["citizens"]["edges"].rows)


def test_consent_decides_per_citizen(town: Town) -> None:
    notices = ABOUT_ONE[4]
    assert notices(town.documented("laura"), town, TODAY, _pseudonym).data["citizen"]["cases"]
    assert notices(town.documented("marco"), town, TODAY, _pseudonym).data["citizen"]["cases"] is None


def test_a_look_up_by_tax_code_finds_only_whom_the_municipality_may_show(town: Town, people: list[Person]) -> None:
    laura, sofia = town.documented("laura"), town.documented("sofia")
    by_query = {query(laura, town, TODAY, _pseudonym).query: query for query in ABOUT_ONE}
    assert by_query["benefit-assessment"](laura, town, TODAY, _pseudonym).found_by_tax_code
    assert not by_query["school-enrolment"](laura, town, TODAY, _pseudonym).found_by_tax_code
    assert by_query["school-enrolment"](sofia, town, TODAY, _pseudonym).found_by_tax_code
    stranger = next(person for person in people if person.civil is None)
    assert not any(query(stranger, town, TODAY, _pseudonym).found_by_tax_code for query in ABOUT_ONE)


def test_a_citizen_without_a_health_file_has_null_there(town: Town) -> None:
    citizen = ABOUT_ONE[2](town.documented("marco"), town, TODAY, _pseudonym).data["citizen"]
    assert citizen["healthExemptions"] is None
    assert citizen["disability"] is None
    assert citizen["givenName"] == "Marco"


def test_an_answer_that_equals_the_expectation_has_no_differences(town: Town, people: list[Person]) -> None:
    for person in people[:60]:
        for query in ABOUT_ONE:
            data = query(person, town, TODAY, _pseudonym).data
            assert list(differences(data, _as_answered(data))) == []


def _as_answered(tree: object) -> object:
    match tree:
        case dict():
            return {name: _as_answered(value) for name, value in tree.items()}
        case list():
            return [_as_answered(value) for value in tree]
        case Rows(rows):
            return [_as_answered(row) for row in reversed(rows)]
        case Amount(text):
            return text
        case _:
            return tree


DIFFERENT = {
    "another value": ({"a": 1}, {"a": 2}, ["data.a: another value"]),
    "null expected": ({"a": None}, {"a": "x"}, ["data.a: expected null"]),
    "a number in the place of a flag": ({"a": True}, {"a": 1}, ["data.a: another value"]),
    "a missing field": ({"a": 1, "b": 2}, {"a": 1}, ["data.b: missing"]),
    "a field nobody asked for": ({"a": 1}, {"a": 1, "b": 2}, ["data.b: not asked for"]),
    "a shorter list": ({"a": [1, 2]}, {"a": [1]}, ["data.a: expected 2 elements, got 1"]),
    "no object": ({"a": {"b": 1}}, {"a": None}, ["data.a: expected an object, got null"]),
    "no list": ({"a": [1]}, {"a": None}, ["data.a: expected 1 elements, got no list"]),
    "another amount": ({"a": Amount("1.50")}, {"a": "1.5000001"}, ["data.a: another amount"]),
    "no amount": ({"a": Amount("1.50")}, {"a": None}, ["data.a: another amount"]),
    "an empty pseudonym": ({"a": AnyText()}, {"a": ""}, ["data.a: expected some text"]),
    "too few rows": (Rows((1, 2), 100), [1], ["data: expected 2 rows, got 1"]),
    "a strange row": (Rows((1, 2), 100), [2, 3], ["data[1]: a row that nobody expected"]),
    "one row twice": (Rows((1, 2), 100), [1, 1], ["data[1]: a row that nobody expected"]),
}


@pytest.mark.parametrize(("expected", "actual", "found"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_a_difference_is_told_by_its_path_and_without_the_value(
    expected: object, actual: object, found: list[str]
) -> None:
    assert list(differences(expected, actual)) == found


EQUAL = {
    "amounts written otherwise": (Amount("480.00"), 480.0),
    "rows in another order": (Rows((1, 2), 100), [2, 1]),
    "a full page of a longer list": (Rows((1, 2, 3), 2), [3, 1]),
}


@pytest.mark.parametrize(("expected", "actual"), EQUAL.values(), ids=EQUAL.keys())
def test_what_means_the_same_is_no_difference(expected: object, actual: object) -> None:
    assert list(differences(expected, actual)) == []


def test_a_town_is_read_with_everybody_the_wanted_people_live_with(seeded: SeedReport) -> None:
    small = read_town(seeded.truth_file, lambda _position, person: person.showcase == "sofia")
    sofia = small.documented("sofia")
    assert sofia.civil is not None
    assert [record.given_name for record in small.living_with(sofia.civil)] == ["Paolo", "Laura", "Sofia"]
    with pytest.raises(KeyError):
        small.documented("nobody")
