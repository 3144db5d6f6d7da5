"""Tax codes: check character, shape and omocodia, against published values and two outside libraries."""

import pytest
from codicefiscale import codicefiscale
from stdnum.it import codicefiscale as stdnum_codicefiscale

from node.vocabulary.tax_code import OMOCODIA_VARIANTS, check_letter, is_tax_code, omocodia_variant

VALID = ["RSSMRA80A01H501U", "RSSMRA79B11C566R", "CCCFBA85D03L219P", "00743110157", "80185690585", "97735020584"]
INVALID = {
    "wrong check letter, as in a published sample": "VRANGL74M28R701X",
    "lower case": "rssmra80a01h501u",
    "too short": "RSSMRA80A01H501",
    "month letter that does not exist": "RSSMRA80F01H501U",
    "trailing newline": "RSSMRA80A01H501U\n",
    "letters beyond ASCII": "RSSMRÀ80A01H501U",
    "provisional with a wrong check digit": "00743110158",
    "digits beyond ASCII": "\u0660\u0660743110157",
    "empty": "",
}


@pytest.mark.parametrize("code", VALID)
def test_a_published_value_is_a_tax_code(code: str) -> None:
    assert is_tax_code(code)


@pytest.mark.parametrize("code", INVALID.values(), ids=INVALID.keys())
def test_a_malformed_value_is_not_a_tax_code(code: str) -> None:
    assert not is_tax_code(code)


def test_the_check_letter_changes_with_any_character() -> None:
    assert check_letter("RSSMRA80A01H501") == "U"
    assert check_letter("RSSMRA80A01H502") != "U"


def test_there_are_128_omocodia_variants_and_outside_libraries_know_them_all() -> None:
    base = "RSSMRA80A01H501U"
    variants = {omocodia_variant(base, number) for number in range(OMOCODIA_VARIANTS)}
    assert len(variants) == 128
    assert variants == {str(code) for code in codicefiscale.decode(base)["omocodes"]}
    assert all(stdnum_codicefiscale.is_valid(code) and is_tax_code(code) for code in variants)


def test_the_first_variants_replace_the_rightmost_digits() -> None:
    assert omocodia_variant("RSSMRA80A01H501U", 0) == "RSSMRA80A01H501U"
    assert omocodia_variant("RSSMRA80A01H501U", 1)[:15] == "RSSMRA80A01H50M"
    assert omocodia_variant("RSSMRA80A01H501U", 3)[:15] == "RSSMRA80A01H5LM"
