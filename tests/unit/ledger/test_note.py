"""Signed notes and checkpoints are read and written as C2SP says."""

from __future__ import annotations

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.contract.errors import BadInputError, SignatureError
from federation.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from federation.ledger.note import Ed25519Signer, Ed25519Verifier, SignedNote, open_note, sign_note

PUBLISHED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLISHED_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
PUBLISHED_CHECKPOINT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

LOG = Ed25519Signer.of("node-a.example/ledger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER = Ed25519Signer.of("node-a.example/ledger", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))


def test_the_published_note_verifies_under_its_published_key() -> None:
    verifier = Ed25519Verifier.parse(PUBLISHED_KEY)
    assert str(verifier) == PUBLISHED_KEY
    assert open_note(PUBLISHED_NOTE, [verifier]).text == "This is an example message.\n"
    assert str(SignedNote.parse(PUBLISHED_NOTE)) == PUBLISHED_NOTE


def test_the_published_checkpoint_is_read_and_printed_back() -> None:
    checkpoint = Checkpoint.parse(PUBLISHED_CHECKPOINT)
    assert checkpoint.size == 20852163
    assert checkpoint.root == b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert str(checkpoint) == PUBLISHED_CHECKPOINT


def test_a_checkpoint_is_signed_and_opened() -> None:
    checkpoint = Checkpoint("node-a.example/ledger", 3, bytes(32))
    note = str(sign_checkpoint(checkpoint, LOG))
    assert open_checkpoint(note, LOG.verifier).checkpoint == checkpoint


def test_a_note_that_no_trusted_key_signed_is_refused() -> None:
    note = str(sign_note("text\n", [OTHER]))
    with pytest.raises(SignatureError, match="no trusted key"):
        open_note(note, [LOG.verifier])


def test_signatures_of_unknown_keys_are_ignored() -> None:
    note = str(sign_note("text\n", [OTHER, LOG]))
    opened = open_note(note, [LOG.verifier])
    assert [signature.key_id for signature in opened.signatures] == [LOG.verifier.key_id]


def test_a_wrong_signature_of_a_trusted_key_refuses_the_whole_note() -> None:
    good = sign_note("text\n", [LOG, OTHER])
    moved = SignedNote("text!\n", good.signatures[:1])
    both = SignedNote("text!\n", (*moved.signatures, *sign_note("text!\n", [OTHER]).signatures))
    for note in (moved, both):
        with pytest.raises(SignatureError, match="does not verify"):
            open_note(str(note), [LOG.verifier, OTHER.verifier])


def test_a_checkpoint_of_another_origin_is_refused() -> None:
    note = str(sign_checkpoint(Checkpoint("node-b.example/ledger", 3, bytes(32)), LOG))
    with pytest.raises(BadInputError, match="expected a checkpoint of"):
        open_checkpoint(note, LOG.verifier)


NOT_NOTES = {
    "empty": "",
    "no signature": "text\n\n",
    "no empty line": "text\n— a AAAAAAA=\n",
    "control character": "te\txt\n\n— a AAAAAAA=\n",
    "no final newline": "text\n\n— a AAAAAAA=",
    "hyphen for the dash": "text\n\n- a AAAAAAA=\n",
    "name with plus": "text\n\n— a+b AAAAAAA=\n",
    "two spaces": "text\n\n—  a AAAAAAA=\n",
    "key id alone": "text\n\n— a AAAAAA==\n",
    "trailing bits": "text\n\n— a AAAAAAB=\n",
    "not base64": "text\n\n— a AAA\n",
    "too many signatures": "text\n\n" + "— a AAAAAAA=\n" * 65,
}


@pytest.mark.parametrize("note", NOT_NOTES.values(), ids=NOT_NOTES.keys())
def test_text_that_is_not_a_note_is_refused(note: str) -> None:
    with pytest.raises(BadInputError):
        SignedNote.parse(note)


NOT_CHECKPOINTS = {
    "two lines": "o\n1\n",
    "extension line": PUBLISHED_CHECKPOINT + "more\n",
    "no origin": "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    "leading zero": "o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    "negative": "o\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    "other digits": "o\n\u0661\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    "short root": "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n",
    "trailing bits": "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
}


@pytest.mark.parametrize("text", NOT_CHECKPOINTS.values(), ids=NOT_CHECKPOINTS.keys())
def test_text_that_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        Checkpoint.parse(text)


NOT_VERIFIER_KEYS = {
    "no key": "example.com/foo",
    "wrong key id": PUBLISHED_KEY.replace("530d903a", "530d903b"),
    "wrong type": "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "short key": "example.com/foo+530d903a+Aeky",
}


@pytest.mark.parametrize("vkey", NOT_VERIFIER_KEYS.values(), ids=NOT_VERIFIER_KEYS.keys())
def test_text_that_is_not_a_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(BadInputError):
        Ed25519Verifier.parse(vkey)
