"""What a ledger writes is read back the same, and no text or bytes break a reader."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.contract.canonical import canonical
from federation.contract.errors import CroceviaError
from federation.ledger.checkpoint import Checkpoint
from federation.ledger.leaf import Leaf, LeafSubject, SubjectKey
from federation.ledger.note import Ed25519Verifier, NoteSignature, SignedNote, open_note, sign_note
from federation.ledger.tiles import TilePath
from federation.ledger.witness import AddCheckpoint
from tests.support.ledger import SIGNER

pytestmark = pytest.mark.property

lines = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), min_size=1, max_size=40)
names = st.from_regex(r"[a-z][a-z0-9./_-]{0,30}", fullmatch=True)
hashes = st.binary(min_size=32, max_size=32)
signatures = st.builds(NoteSignature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
leaves = st.builds(
    Leaf,
    st.dictionaries(lines, lines, max_size=3).map(canonical),
    st.binary(min_size=16, max_size=16),
    st.lists(st.builds(LeafSubject, st.binary(min_size=1, max_size=16), st.binary(max_size=30)), max_size=3).map(tuple),
)


@given(st.lists(lines, min_size=1, max_size=4), st.lists(signatures, min_size=1, max_size=4))
@settings(max_examples=100)
def test_a_note_is_read_as_it_was_written(text: list[str], signed: list[NoteSignature]) -> None:
    note = SignedNote("\n".join(text) + "\n", tuple(signed))
    assert SignedNote.parse(str(note)) == note


@given(st.lists(lines, min_size=1, max_size=4))
@settings(max_examples=50)
def test_a_signed_note_opens(text: list[str]) -> None:
    note = "\n".join(text) + "\n"
    assert open_note(str(sign_note(note, [SIGNER])), [SIGNER.verifier]).text == note


@given(names, st.integers(0, 10**18), hashes)
@settings(max_examples=100)
def test_a_checkpoint_is_read_as_it_was_written(origin: str, size: int, root: bytes) -> None:
    assert Checkpoint.parse(str(Checkpoint(origin, size, root))) == Checkpoint(origin, size, root)


@given(leaves)
@settings(max_examples=100)
def test_a_leaf_is_read_as_it_was_written(leaf: Leaf) -> None:
    assert Leaf.parse(leaf.to_bytes()) == leaf


@given(st.integers(0, 10**12), st.integers(1, 256), st.none() | st.integers(0, 63))
@settings(max_examples=100)
def test_a_tile_path_is_read_as_it_was_written(number: int, width: int, level: int | None) -> None:
    path = TilePath(level, number, width)
    assert TilePath.parse(str(path)) == path


@given(st.integers(0, 10**18), st.lists(hashes, max_size=5), st.builds(Checkpoint, names, st.integers(0, 99), hashes))
@settings(max_examples=50)
def test_a_witness_request_is_read_as_it_was_written(old: int, proof: list[bytes], checkpoint: Checkpoint) -> None:
    asked = AddCheckpoint(old, tuple(proof), str(sign_note(str(checkpoint), [SIGNER])))
    assert AddCheckpoint.parse(str(asked)) == asked


READERS = (SignedNote.parse, NoteSignature.parse, Checkpoint.parse, Ed25519Verifier.parse, TilePath.parse)


@given(st.sampled_from(READERS), st.text(max_size=200))
@settings(max_examples=400)
def test_no_text_breaks_a_reader(reader: object, text: str) -> None:
    assert callable(reader)
    with pytest.raises(CroceviaError):
        reader(text)


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_break_the_leaf_reader(content: bytes) -> None:
    with pytest.raises(CroceviaError):
        Leaf.parse(content)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16), st.binary(min_size=1, max_size=50))
@settings(max_examples=50)
def test_what_was_sealed_opens_for_its_entry_only(secret: bytes, nonce: bytes, personal: bytes) -> None:
    key = SubjectKey(secret)
    sealed = key.seal(nonce, personal, b"entry")
    assert key.unseal(nonce, sealed, b"entry") == personal
    with pytest.raises(CroceviaError):
        key.unseal(nonce, sealed, b"another")
