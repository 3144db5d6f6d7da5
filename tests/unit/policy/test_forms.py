"""Which forms exist, with which arguments, and which shows more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from node.policy.errors import FormError
from node.policy.forms import (
    AgeOver,
    Band,
    Level,
    Partial,
    Pseudonym,
    Truncate,
    comparable,
    discloses_at_least,
    form_text,
    meet,
    parse_form,
)

RIGHT: dict[str, tuple[object, object]] = {
    "band": ({"band": [0, 9360.5]}, Band((Decimal(0), Decimal("9360.5")))),
    "partial": ({"partial": {"prefix": 3, "n": 8, "pad": "*"}}, Partial(3, 8, "*")),
    "truncate": ({"truncate": "province"}, Truncate(Level.PROVINCE)),
    "ages": ({"age_over": [14, 18, 65]}, AgeOver((14, 18, 65))),
    "pseudonym": ("pseudonym", Pseudonym()),
    "shared pseudonym": ({"pseudonym": {"scope": "joint-study"}}, Pseudonym("joint-study")),
}


@pytest.mark.parametrize(("written", "form"), RIGHT.values(), ids=RIGHT.keys())
def test_a_form_is_read_with_its_arguments(written: object, form: object) -> None:
    assert parse_form(written) == form


WRONG: dict[str, tuple[object, str]] = {
    "unknown": ("claer", "form `claer` does not exist; did you mean `clear`?"),
    "deny": ("deny", "`deny` is never written"),
    "noise": ({"noise": 1}, "`noise` is written under `aggregates`"),
    "number": (3, "expected a form such as `clear`"),
    "two keys": ({"year": None, "month": None}, "expected a form such as `clear`"),
    "arguments of clear": ({"clear": 1}, "`clear` takes no arguments"),
    "band without bounds": ("band", "`band` needs a list of numbers"),
    "band of nothing": ({"band": []}, "`band` needs a list of numbers"),
    "falling band": ({"band": [2, 1]}, "`band` needs increasing bounds"),
    "band of truths": ({"band": [True]}, "`band` needs a list of numbers"),
    "partial without pad": ({"partial": {"prefix": 3, "n": 8}}, "`partial` needs exactly: `prefix`, `n`, `pad`"),
    "partial too short": ({"partial": {"prefix": 8, "n": 8, "pad": "*"}}, "`prefix` below `n`"),
    "long pad": ({"partial": {"prefix": 1, "n": 8, "pad": "**"}}, "one padding character"),
    "ages without thresholds": ("age_over", "`age_over` needs a list of 1 to 5 thresholds"),
    "every age": ({"age_over": [*range(14, 20)]}, "`age_over` needs a list of 1 to 5 thresholds"),
    "no age": ({"age_over": [0]}, "`age_over` needs whole years from 1 to 99"),
    "half an age": ({"age_over": [17.5]}, "`age_over` needs whole years from 1 to 99"),
    "an age of three digits": ({"age_over": [100]}, "`age_over` needs whole years from 1 to 99"),
    "falling ages": ({"age_over": [18, 14]}, "`age_over` needs increasing thresholds"),
    "an age twice": ({"age_over": [18, 18]}, "`age_over` needs increasing thresholds"),
    "round to nothing": ({"round": 0}, "`round` needs a whole number above 0"),
    "round to a fraction": ({"round": 0.5}, "`round` needs a whole number above 0"),
    "top of text": ({"top_code": "a"}, "`top_code` needs a whole number"),
    "truncate to street": ({"truncate": "street"}, "`truncate` needs `province` or `region`"),
    "redact nothing": ("redact", "`redact` needs the text to show"),
    "shift by nothing": ({"date_shift": {"days": 0}}, "`date_shift` needs `days` from 1"),
    "nameless scope": ({"token": {"scope": ""}}, "`token` needs a name as its scope"),
}


@pytest.mark.parametrize(("written", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_form_is_refused_with_the_way_out(written: object, message: str) -> None:
    with pytest.raises(FormError) as refusal:
        parse_form(written)

    assert message in str(refusal.value)


ABOVE: dict[str, tuple[object, object]] = {
    "clear over all": ("clear", "verify"),
    "mask over redact": ("year", {"redact": "x"}),
    "verify over redact": ("verify", {"redact": "x"}),
    "month over year": ("month", "year"),
    "province over region": ({"truncate": "province"}, {"truncate": "region"}),
    "finer band": ({"band": [0, 10, 20]}, {"band": [0, 20]}),
    "clear over ages": ("clear", {"age_over": [18]}),
    "ages over redact": ({"age_over": [18]}, {"redact": "x"}),
    "more thresholds": ({"age_over": [14, 18, 65]}, {"age_over": [14, 65]}),
    "longer prefix": (
        {"partial": {"prefix": 2, "n": 8, "pad": "*"}},
        {"partial": {"prefix": 1, "n": 8, "pad": "*"}},
    ),
}


@pytest.mark.parametrize(("finer", "coarser"), ABOVE.values(), ids=ABOVE.keys())
def test_the_finer_form_shows_more(finer: object, coarser: object) -> None:
    assert discloses_at_least(parse_form(finer), parse_form(coarser))
    assert not discloses_at_least(parse_form(coarser), parse_form(finer))
    assert meet([parse_form(finer), parse_form(coarser)]) == parse_form(coarser)


APART: dict[str, tuple[object, object]] = {
    "two constants": ({"redact": "x"}, {"redact": "y"}),
    "age band and year": ("age_band", "year"),
    "partial and year": ({"partial": {"prefix": 2, "n": 8, "pad": "*"}}, "year"),
    "other length": ({"partial": {"prefix": 2, "n": 8, "pad": "*"}}, {"partial": {"prefix": 1, "n": 9, "pad": "*"}}),
    "two steps": ({"round": 5}, {"round": 10}),
    "verify and mask": ("verify", "year"),
    "other thresholds": ({"age_over": [14, 18]}, {"age_over": [18, 65]}),
    "ages and a guess": ({"age_over": [18]}, "verify"),
    "ages and the year": ({"age_over": [18]}, "year"),
    "ages and a band of them": ({"age_over": [20, 30, 40, 50, 60]}, "age_band"),
    "overlapping bands": ({"band": [0, 10]}, {"band": [0, 20]}),
    "two scopes": ({"pseudonym": {"scope": "a"}}, "pseudonym"),
}


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART.keys())
def test_r10_other_pairs_cannot_be_compared(one: object, other: object) -> None:
    assert not comparable(parse_form(one), parse_form(other))
    assert meet([parse_form(one), parse_form(other)]) is None


def test_forms_print_on_one_line() -> None:
    assert form_text(parse_form({"band": [0, 9360]})) == "band[0,9360]"
    assert form_text(parse_form({"partial": {"prefix": 3, "n": 8, "pad": "*"}})) == "partial(prefix=3,n=8,pad=*)"
    assert form_text(None) == "deny"
