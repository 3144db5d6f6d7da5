"""Tax codes of generated people: what an outside library makes of the same person."""

from datetime import date

import pytest
from codicefiscale import codicefiscale
from hypothesis import given
from hypothesis import strategies as st

from node.vocabulary.tax_code import OMOCODIA_VARIANTS, encode_tax_code, is_tax_code, omocodia_variant

pytestmark = pytest.mark.property

NAMES = st.text(alphabet="abcdefghilmnopqrstuvzàèéìòùç' ", min_size=2, max_size=18).filter(
    lambda name: any(letter.isalpha() for letter in name)
)
BIRTHPLACES = st.sampled_from(["F257", "I462", "D548", "D643", "E506", "G478", "D086", "F952", "Z100", "Z330"])


@given(
    family=NAMES,
    name=NAMES,
    sex=st.sampled_from(["male", "female"]),
    born=st.dates(date(1920, 1, 1), date(2026, 1, 1)),
    place=BIRTHPLACES,
)
def test_the_code_of_a_person_is_the_one_an_outside_library_computes(
    family: str, name: str, sex: str, born: date, place: str
) -> None:
    code = encode_tax_code(family, name, sex, born, place)
    assert is_tax_code(code)
    assert code == codicefiscale.encode(
        lastname=family,
        firstname=name,
        gender="F" if sex == "female" else "M",
        birthdate=born.isoformat(),
        birthplace=place,
    )


@given(number=st.integers(0, OMOCODIA_VARIANTS - 1), born=st.dates(date(1920, 1, 1), date(2026, 1, 1)))
def test_every_omocodia_variant_is_a_tax_code_of_the_same_person(number: int, born: date) -> None:
    base = encode_tax_code("Rossi", "Maria", "female", born, "F257")
    variant = omocodia_variant(base, number)
    assert is_tax_code(variant)
    decoded = codicefiscale.decode(variant)
    assert decoded["birthdate"].date() == born or born.year < 1927  # the library reads a century into two digits
    assert decoded["gender"] == "F"
