"""Names of purposes are read from the policy vocabulary, whole or not at all."""

import pytest

from federation.contract.errors import BadInputError
from federation.membership.purpose_names import read_purpose_names


def test_the_names_are_the_vocabularys_and_nothing_else_of_it() -> None:
    content = b"purposes: {a: {it: Uno, en: One}, b: {parent: a, iri: 'https://x', it: Due, en: Two}}\nrequester: {}"
    assert read_purpose_names(content) == {"a": {"it": "Uno", "en": "One"}, "b": {"it": "Due", "en": "Two"}}


@pytest.mark.parametrize(
    "content",
    [b"", b"purposes: [a]", b"purposes: {a: {it: Uno}}", b"{", b"\xff\xfe\x00", b"purposes: {a: {it: 1, en: x}}"],
)
def test_what_is_no_vocabulary_is_refused_with_the_way_out(content: bytes) -> None:
    with pytest.raises(BadInputError, match="expected `purposes:`"):
        read_purpose_names(content)
