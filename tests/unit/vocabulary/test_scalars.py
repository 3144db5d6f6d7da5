"""The scalars: what they take, what they refuse, and the one text they make of a value."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from graphql import GraphQLError

from node.vocabulary.scalars import BY_NAME, SCALARS

CANONICAL = {
    ("PartialDate", "1980"): "1980",
    ("PartialDate", "1980-02"): "1980-02",
    ("PartialDate", "1980-02-29"): "1980-02-29",
    ("Date", "2026-11-22"): "2026-11-22",
    ("DateTime", "2026-11-22T09:30:00+01:00"): "2026-11-22T08:30:00Z",
    ("DateTime", "2026-11-22T09:30:00Z"): "2026-11-22T09:30:00Z",
    ("Decimal", "0.50"): "0.50",
    ("Decimal", "-12"): "-12",
    ("Banded", "18402.50"): "18402.50",
    ("Banded", "[0,9360)"): "[0,9360)",
    ("Banded", "[40000,)"): "[40000,)",
    ("Banded", "(,0)"): "(,0)",
    ("Banded", "[-5.5,0)"): "[-5.5,0)",
    ("Duration", "P30D"): "P30D",
    ("Duration", "PT1H30M"): "PT1H30M",
    ("Duration", "P2W"): "P2W",
    ("Email", "x***@d***"): "x***@d***",
    ("Email", "anna.verdi@example.org"): "anna.verdi@example.org",
    ("Url", "https://www.comune.example/a?b=c"): "https://www.comune.example/a?b=c",
    ("TaxCode", "rssmra80a01h501u"): "RSSMRA80A01H501U",
    ("Pseudonym", "v1.siv.c_m999.q83v-_Eg"): "v1.siv.c_m999.q83v-_Eg",
}
REFUSED = {
    ("PartialDate", "0000"),
    ("PartialDate", "1980-13"),
    ("PartialDate", "1981-02-29"),
    ("PartialDate", "198"),
    ("PartialDate", "19800229"),
    ("Date", "1980"),
    ("Date", "2026-11-31"),
    ("Date", "2026-11-22T00:00:00Z"),
    ("DateTime", "2026-11-22T09:30:00"),
    ("DateTime", "2026-11-22 09:30:00Z"),
    ("DateTime", "2026-11-22T25:30:00Z"),
    ("DateTime", "0001-01-01T00:00:00+14:00"),
    ("Decimal", "01"),
    ("Decimal", "1e3"),
    ("Decimal", "NaN"),
    ("Decimal", "1,5"),
    ("Banded", "[0,9360]x"),
    ("Banded", "low"),
    ("Banded", "[5,-)"),
    ("Banded", "(5,6)"),
    ("Banded", "[,)"),
    ("Duration", "P"),
    ("Duration", "PT"),
    ("Duration", "30 days"),
    ("Email", "anna"),
    ("Email", "anna verdi@example.org"),
    ("Email", "a" * 250 + "@example.org"),
    ("Url", "javascript:alert(1)"),
    ("Url", "https://"),
    ("Url", "http://[::1"),
    ("Url", "https://a b"),
    ("TaxCode", "RSSMRA80A01H501X"),
    ("TaxCode", "RSSMRA80A01H501Ü"),
    ("Pseudonym", "c_m999"),
    ("Pseudonym", "v1.siv.c_m999."),
}


@pytest.mark.parametrize(("scalar", "text"), CANONICAL.keys())
def test_a_value_becomes_its_canonical_text_in_both_directions(scalar: str, text: str) -> None:
    canonical = CANONICAL[scalar, text]
    assert BY_NAME[scalar].parse(text) == canonical
    assert BY_NAME[scalar].serialise(canonical) == canonical


@pytest.mark.parametrize(("scalar", "text"), sorted(REFUSED))
def test_a_malformed_value_is_refused_without_repeating_it(scalar: str, text: str) -> None:
    with pytest.raises(GraphQLError) as refused:
        BY_NAME[scalar].parse(text)
    assert refused.value.message == f"expected a value of scalar `{scalar}`, such as `{BY_NAME[scalar].example}`"


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda scalar: scalar.name)
def test_the_example_of_a_scalar_is_one_of_its_values(scalar: object) -> None:
    assert isinstance(scalar, type(SCALARS[0]))
    assert scalar.parse(scalar.example) == scalar.example


@pytest.mark.parametrize("value", [None, True, 1, 1.5, [], {}, b"1"])
def test_only_text_is_taken_from_a_client(value: object) -> None:
    for scalar in SCALARS:
        with pytest.raises(GraphQLError):
            scalar.parse(value)


@pytest.mark.parametrize("band", ["0-9", "30-39", "90-99", "100+"])
def test_an_age_band_may_leave_in_the_place_of_a_date_but_never_enter(band: str) -> None:
    assert BY_NAME["PartialDate"].serialise(band) == band
    with pytest.raises(GraphQLError):
        BY_NAME["PartialDate"].parse(band)


def test_python_values_of_a_register_leave_as_text() -> None:
    assert BY_NAME["Date"].serialise(date(2026, 1, 2)) == "2026-01-02"
    assert BY_NAME["DateTime"].serialise(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert BY_NAME["Decimal"].serialise(Decimal("1E+3")) == "1000"
    assert BY_NAME["Decimal"].serialise(7) == "7"
    yes: object = True
    with pytest.raises(GraphQLError):
        BY_NAME["Decimal"].serialise(yes)
