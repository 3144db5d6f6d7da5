"""The Italian tax code (codice fiscale): its shape, its check character and its omocodia variants.

Source: ministerial decree of 23 December 1976, as restated by the Agenzia delle Entrate. The code is an attribute of a
person and never a key: two people may share a base code (omocodia) and one person may have several over time.
"""

import re

_PERSON = re.compile(r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]")
_PROVISIONAL = re.compile(r"[0-9]{11}")

# Value of a character at an odd position, counting from 1: the letters A to Z; digits have the values of A to J.
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
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
