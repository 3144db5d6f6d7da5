"""The Italian tax code (codice fiscale): its shape, its check character and its omocodia variants.

Source: ministerial decree of 23 December 1976, as restated by the Agenzia delle Entrate. The code is an attribute of a
person and never a key: two people may share a base code (omocodia) and one person may have several over time.
"""

import re
import unicodedata
from datetime import date

_PERSON = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")
_PROVISIONAL = re.compile(r"[0-9]{11}")

# Value of a character at an odd position, counting from 1: the letters A to Z; digits have the values of A to J.
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_MONTHS = "ABCDEHLMPRST"
_WOMEN_DAYS = 40
_VOWELS = "AEIOU"
_NAME_LENGTH = 3
_OMOCODIA_LETTERS = "LMNPQRSTUV"
_OMOCODIA_POSITIONS = (14, 13, 12, 10, 9, 7, 6)
OMOCODIA_VARIANTS = 1 << len(_OMOCODIA_POSITIONS)


def is_tax_code(text: str) -> bool:
    """Say whether `text` is a well-formed tax code: 16 characters, or the 11 digits of a provisional one."""
    if _PERSON.fullmatch(text):
        return text[15] == check_letter(text[:15])
    if _PROVISIONAL.fullmatch(text):
        return int(text[10]) == _check_digit(text[:10])
    return False


def check_letter(first_fifteen: str) -> str:
    """Return the check letter of the first 15 characters of a personal tax code."""
    total = 0
    for index, character in enumerate(first_fifteen):
        value = int(character) if character.isdigit() else ord(character) - ord("A")
        # Positions count from 1 in the decree, so an even index is an odd position.
        total += _ODD[value] if index % 2 == 0 else value
    return chr(ord("A") + total % 26)


def omocodia_variant(code: str, variant: int) -> str:
    """Return the `variant`-th (0 to 127) omocodia variant of a code without replaced digits.

    The rightmost digits are replaced first: bit 0 of `variant` stands for the last digit.
    """
    characters = list(code[:15])
    for bit, position in enumerate(_OMOCODIA_POSITIONS):
        if variant >> bit & 1:
            characters[position] = _OMOCODIA_LETTERS[int(characters[position])]
    body = "".join(characters)
    return body + check_letter(body)


def _check_digit(first_ten: str) -> int:
    total = 0
    for index, digit in enumerate(first_ten):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of the two digits of a doubled one
    return -total % 10


def encode_tax_code(family_name: str, given_name: str, sex: str, born: date, birthplace: str) -> str:
    """Return the base tax code of a person; `sex` is `male` or `female`, `birthplace` a cadastral code.

    Two people may have the same base code: the administration then gives one of them an omocodia variant.
    """
    day = born.day + (_WOMEN_DAYS if sex == "female" else 0)
    body = (
        f"{_name_part(family_name)}{_given_name_part(given_name)}"
        f"{born.year % 100:02}{_MONTHS[born.month - 1]}{day:02}{birthplace}"
    )
    return body + check_letter(body)


def _given_name_part(name: str) -> str:
    """Take the first, third and fourth consonant of a given name that has more than three."""
    consonants = [letter for letter in _letters(name) if letter not in _VOWELS]
    return consonants[0] + consonants[2] + consonants[3] if len(consonants) > _NAME_LENGTH else _name_part(name)


def _name_part(name: str) -> str:
    """Take three letters: consonants, then vowels, then X."""
    letters = _letters(name)
    consonants = "".join(letter for letter in letters if letter not in _VOWELS)
    vowels = "".join(letter for letter in letters if letter in _VOWELS)
    return (consonants + vowels + "XXX")[:_NAME_LENGTH]


def _letters(name: str) -> str:
    """Return the letters of a name as the code writes them: upper case, without accents, spaces and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", name).upper()
    return "".join(character for character in decomposed if "A" <= character <= "Z")
