"""What each mask makes of a value (R19)."""

from __future__ import annotations

import math
from calendar import isleap, monthrange
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.policy.forms import KEYED, parse_form
from node.policy.keyed_masks import KeyScope, date_shift, derive_key, keyed_hash, pseudonym, token, token_data
from node.policy.masks import apply, band_labels, matches, reached
from tests.support.policies import ANYTHING

TODAY = date(2026, 3, 1)
MASKED: dict[str, tuple[object, object, object]] = {
    "clear": ("clear", "Rossi", "Rossi"),
    "redact": ({"redact": "riservato"}, "Rossi", "riservato"),
    "partial": ({"partial": {"prefix": 3, "n": 8, "pad": "*"}}, "Rossi", "Ros*****"),
    "partial of less": ({"partial": {"prefix": 3, "n": 8, "pad": "*"}}, "D", "D*******"),
    "partial of nothing": ({"partial": {"prefix": 3, "n": 8, "pad": "*"}}, "", "********"),
    "partial of more": ({"partial": {"prefix": 3, "n": 4, "pad": "*"}}, "Rossini", "Ros*"),
    "email": ("email", "anna.rossi@example.org", "a***@e***"),
    "email without domain": ("email", "anna", "a***@***"),
    "email of nothing": ("email", "", "***@***"),
    "email of two": ("email", "a@b@c", "a***@b***"),
    "year": ("year", "1980-05-17", "1980"),
    "year of a date": ("year", date(1980, 5, 17), "1980"),
    "year of a year": ("year", "1980", "1980"),
    "year of no date": ("year", "17/05/1980", None),
    "month": ("month", "1980-05-17", "1980-05"),
    "month of a year": ("month", "1980", "1980"),
    "age band": ("age_band", "1992-03-02", "30-39"),
    "age band on the birthday": ("age_band", "1986-03-01", "40-49"),
    "age band of 29 February": ("age_band", "2016-02-29", "10-19"),
    "age band of a child": ("age_band", "2020-01-01", "0-9"),
    "age band of the old": ("age_band", "1920-01-01", "100+"),
    "age band of the unborn": ("age_band", "2027-01-01", None),
    "age band of a year": ("age_band", "1980", None),
    "band": ({"band": [0, 9360, 15000]}, 9360, "[9360,15000)"),
    "band of text": ({"band": [0, 9360]}, "9359.99", "[0,9360)"),
    "band below": ({"band": [0, 9360]}, Decimal("-0.01"), "(,0)"),
    "band above": ({"band": [0, 9360]}, 1e300, "[9360,)"),
    "band of no number": ({"band": [0, 9360]}, "many", None),
    "band of infinity": ({"band": [0, 9360]}, math.inf, None),
    "round": ({"round": 10}, 44, 40),
    "round halves up": ({"round": 10}, 45, 50),
    "round a negative half": ({"round": 10}, -45, -40),
    "round money": ({"round": 50}, "1274.99", 1250),
    "round a huge number": ({"round": 10}, 10**30 + 4, 10**30),
    "top code": ({"top_code": 100}, 101, 100),
    "top code below": ({"top_code": 100}, "99.5", "99.5"),
    "postal province": ({"truncate": "province"}, "40121", "40"),
    "postal region": ({"truncate": "region"}, "40121", "4"),
    "ISTAT province": ({"truncate": "province"}, "037006", "037"),
    "ISTAT region": ({"truncate": "region"}, "037006", "08"),
    "ISTAT of no province": ({"truncate": "region"}, "999006", None),
    "no code": ({"truncate": "province"}, "M999", None),
}


@pytest.mark.parametrize(("form", "value", "shown"), MASKED.values(), ids=MASKED.keys())
def test_a_mask_shows(form: object, value: object, shown: object) -> None:
    assert apply(parse_form(form), value, TODAY) == shown


WRITTEN: list[object] = [
    "clear", "verify", {"age_over": [18]}, {"redact": "x"},
    {"partial": {"prefix": 1, "n": 3, "pad": "*"}}, "email", "year", "month",
    "age_band", {"band": [0, 1]}, {"round": 3}, {"top_code": 2}, {"truncate": "region"}, "hash", "pseudonym", "token",
    {"date_shift": {"days": 3}},
]  # fmt: skip


@pytest.mark.parametrize("form", WRITTEN, ids=str)
def test_r19_the_mask_of_null_is_null(form: object) -> None:
    assert apply(parse_form(form), None, TODAY) is None


@pytest.mark.parametrize("form", WRITTEN, ids=str)
@given(value=ANYTHING)
def test_r19_no_mask_raises_on_odd_input(form: object, value: object) -> None:
    apply(parse_form(form), value, TODAY)


def test_a_keyed_mask_shows_nothing_without_its_key() -> None:
    assert all(apply(parse_form(form), "x", TODAY) is None for form in WRITTEN if parse_form(form).name in KEYED)


def test_there_is_one_label_more_than_bounds() -> None:
    assert band_labels((Decimal(0), Decimal("9360.50"))) == ("(,0)", "[0,9360.50)", "[9360.50,)")


def test_verification_compares_the_texts() -> None:
    assert matches("RSSMRA80A01H501U", "RSSMRA80A01H501U") is True
    assert matches("RSSMRA80A01H501U", "RSSMRA80A01H501X") is False
    assert matches(None, "RSSMRA80A01H501X") is None


REACHED: dict[str, tuple[object, int, date, bool | None]] = {
    "the day before": ("2008-05-02", 18, date(2026, 5, 1), False),
    "the birthday": ("2008-05-01", 18, date(2026, 5, 1), True),
    "a date of a database": (date(2008, 5, 1), 18, date(2026, 5, 1), True),
    "29 February, on 28 February": ("2008-02-29", 18, date(2026, 2, 28), False),
    "29 February, on 1 March": ("2008-02-29", 18, date(2026, 3, 1), True),
    "29 February, on 29 February": ("2008-02-29", 20, date(2028, 2, 29), True),
    "28 February, on 29 February": ("2010-02-28", 18, date(2028, 2, 29), True),
    "1 March, on 29 February": ("2010-03-01", 18, date(2028, 2, 29), False),
    "before 1900": ("1899-12-31", 99, date(2026, 5, 1), True),
    "99 years": ("1927-05-02", 99, date(2026, 5, 1), False),
    "not yet born": ("2030-01-01", 1, date(2026, 5, 1), False),
    "only a year, long ago": ("1980", 18, date(2026, 5, 1), True),
    "only a year, that of the birthday": ("2008", 18, date(2026, 5, 1), None),
    "only a year, on its last day": ("2008", 18, date(2026, 12, 31), True),
    "only a year, not yet": ("2009", 18, date(2026, 12, 31), False),
    "only a month, before": ("2008-04", 18, date(2026, 5, 1), True),
    "only a month, that of the birthday": ("2008-05", 18, date(2026, 5, 30), None),
    "only a month, on its last day": ("2008-05", 18, date(2026, 5, 31), True),
    "only February of a leap year, on 28 February": ("2008-02", 18, date(2026, 2, 28), None),
    "only February, on 28 February": ("2006-02", 20, date(2026, 2, 28), True),
    "only December, in January": ("2007-12", 18, date(2026, 1, 15), True),
    "null": (None, 18, date(2026, 5, 1), None),
    "nothing": ("", 18, date(2026, 5, 1), None),
    "no date": ("12/05/1980", 18, date(2026, 5, 1), None),
}


@pytest.mark.parametrize(("born", "years", "day", "answer"), REACHED.values(), ids=REACHED.keys())
def test_an_age_is_reached_on_the_birthday(born: object, years: int, day: date, answer: bool | None) -> None:  # noqa: FBT001  # an answer
    assert reached(born, years, day) is answer


@given(
    st.dates(date(1850, 1, 1), date(2090, 12, 31)), st.integers(1, 99), st.dates(date(1990, 1, 1), date(2090, 12, 31))
)
def test_a_vague_date_tells_what_every_day_it_may_stand_for_tells(born: date, years: int, day: date) -> None:
    month = [date(born.year, born.month, each) for each in range(1, monthrange(born.year, born.month)[1] + 1)]
    year = [date(born.year, 1, 1) + timedelta(days=each) for each in range(366 if isleap(born.year) else 365)]
    for text, possible in ((born.isoformat()[:7], month), (born.isoformat()[:4], year)):
        answers = {reached(each, years, day) for each in possible}
        assert reached(text, years, day) is (answers.pop() if len(answers) == 1 else None)


SCOPE = KeyScope("inprev", "benefit-assessment", "2026")
MASTER = bytes(range(32))


def test_a_pseudonym_differs_per_consumer_purpose_epoch_and_type() -> None:
    scopes = [
        SCOPE,
        KeyScope("aslvs", "benefit-assessment", "2026"),
        KeyScope("inprev", "statistics", "2026"),
        KeyScope("inprev", "benefit-assessment", "2027"),
    ]
    keys = [derive_key(MASTER, "pseudonym", scope, None, "Citizen") for scope in scopes]
    keys.append(derive_key(MASTER, "pseudonym", SCOPE, None, "Benefit"))
    keys.append(derive_key(MASTER, "hash", SCOPE, None, "Citizen"))

    assert len({pseudonym(key, "42") for key in keys}) == len(keys)
    assert pseudonym(keys[0], "42") == pseudonym(keys[0], 42)
    assert len(str(pseudonym(keys[0], "42"))) == 32


def test_a_named_scope_is_shared_by_consumers_and_purposes() -> None:
    other = KeyScope("aslvs", "statistics", "2026")
    assert derive_key(MASTER, "pseudonym", SCOPE, "joint", "Citizen") == derive_key(
        MASTER, "pseudonym", other, "joint", "Citizen"
    )


def test_names_with_the_separator_are_refused() -> None:
    with pytest.raises(ValueError, match="expected names without"):
        derive_key(MASTER, "hash", KeyScope("a|b", "p", "e"), None, "Citizen")


def test_keyed_masks_of_null_are_null() -> None:
    key = derive_key(MASTER, "hash", SCOPE, None, "Citizen.taxCode")
    assert keyed_hash(key, None) is None
    assert date_shift(key, 30, "subject", None) is None
    assert token(lambda text, _data: text, SCOPE, None, "Citizen", None) is None


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.text())
def test_dates_of_one_subject_move_together(one: date, other: date, subject: str) -> None:
    key = derive_key(MASTER, "date_shift", SCOPE, None, "Citizen.dateOfBirth")
    moved = [date_shift(key, 30, subject, day) for day in (one, other)]

    assert all(day is not None for day in moved)
    assert date.fromisoformat(str(moved[0])) - one == date.fromisoformat(str(moved[1])) - other
    assert abs((date.fromisoformat(str(moved[0])) - one).days) <= 30


def test_a_date_that_is_none_or_leaves_the_calendar_gives_null() -> None:
    key = derive_key(MASTER, "date_shift", SCOPE, None, "Citizen.dateOfBirth")
    subjects = [str(number) for number in range(50)]
    assert date_shift(key, 30, "s", "1980") is None
    assert date_shift(key, 30, "s", "2026-02-30") is None
    assert None in {date_shift(key, 30, subject, date.max) for subject in subjects}


def test_a_token_is_bound_to_consumer_and_purpose() -> None:
    seen: list[tuple[bytes, ...]] = []

    def seal(text: bytes, data: object) -> bytes:
        assert isinstance(data, tuple)
        seen.append(data)
        return text

    assert token(seal, SCOPE, None, "Citizen", "42") == "GQZA===="
    assert seen == [(b"token", b"inprev", b"benefit-assessment", b"Citizen")]
    assert token_data(SCOPE, "joint", "Citizen") == (b"token", b"*", b"joint", b"Citizen")
