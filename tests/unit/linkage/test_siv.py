"""Each member knows a citizen by a name of its own, and only the exchange can tell that they are one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from federation.contract.errors import BadInputError
from federation.contract.identifiers import DIRECTORY, MemberId, Pseudonym
from federation.linkage.siv import SivSuite

SUITE = SivSuite(bytes(range(32)))
TOWN, HEALTH = MemberId("c_m999"), MemberId("aslvs")
SUBJECTS = [number.to_bytes(16) for number in range(50)]


def test_a_pseudonym_is_stable_and_goes_back_to_its_subject() -> None:
    for subject in SUBJECTS:
        pseudonym = SUITE.pseudonym(TOWN, subject)
        assert pseudonym == SivSuite(bytes(range(32))).pseudonym(TOWN, subject)
        assert SUITE.subject(Pseudonym.parse(str(pseudonym))) == subject


def test_conversion_goes_everywhere_and_back() -> None:
    for subject in SUBJECTS:
        at_town = SUITE.pseudonym(TOWN, subject)
        at_health = SUITE.convert(at_town, HEALTH)
        assert at_health == SUITE.pseudonym(HEALTH, subject)
        assert SUITE.convert(SUITE.convert(at_health, DIRECTORY), TOWN) == at_town


def test_two_members_have_nothing_in_common() -> None:
    town = {SUITE.pseudonym(TOWN, subject).token for subject in SUBJECTS}
    health = {SUITE.pseudonym(HEALTH, subject).token for subject in SUBJECTS}
    other = {SivSuite(bytes(32)).pseudonym(TOWN, subject).token for subject in SUBJECTS}
    assert len(town) == len(health) == len(other) == len(SUBJECTS)
    assert not town & health
    assert not town & other


GOOD = SUITE.pseudonym(TOWN, SUBJECTS[7])
NOT_ISSUED = {
    "made up": Pseudonym("siv", TOWN, bytes(32)),
    "one bit off": Pseudonym("siv", TOWN, bytes([GOOD.token[0] ^ 1]) + GOOD.token[1:]),
    "moved to another member": Pseudonym("siv", HEALTH, GOOD.token),
    "short": Pseudonym("siv", TOWN, GOOD.token[:-1]),
    "long": Pseudonym("siv", TOWN, GOOD.token + b"\x00"),
    "another suite": Pseudonym("rbp", TOWN, GOOD.token),
}


@pytest.mark.parametrize("pseudonym", NOT_ISSUED.values(), ids=NOT_ISSUED.keys())
def test_a_pseudonym_that_was_not_issued_is_refused_without_repeating_it(pseudonym: Pseudonym) -> None:
    with pytest.raises(BadInputError) as refused:
        SUITE.convert(pseudonym, HEALTH)
    assert str(pseudonym) not in refused.value.message


def test_subjects_and_master_keys_have_their_length() -> None:
    with pytest.raises(BadInputError):
        SUITE.pseudonym(TOWN, b"short")
    with pytest.raises(BadInputError):
        SivSuite(b"short")


def test_the_master_key_is_not_shown() -> None:
    assert repr(bytes(range(32)))[2:20] not in repr(SUITE)


def test_the_cipher_is_that_of_rfc_5297() -> None:
    """RFC 5297 appendix A.1: deterministic authenticated encryption."""
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    associated = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    sealed = AESSIV(key).encrypt(bytes.fromhex("112233445566778899aabbccddee"), [associated])
    assert sealed.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"
