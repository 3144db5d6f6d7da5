"""A proposal is examined in order, and the first thing that is wrong with it is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from federation.composition.compose import compose
from federation.composition.subgraph import Subgraph
from federation.contract.clock import FixedClock
from federation.contract.errors import UnavailableError
from federation.contract.governed import governed_fields
from federation.contract.identifiers import DIRECTORY, MemberId
from federation.contract.members import KeyUse
from federation.contract.proposals import SignedProposal
from federation.directory.schema import DIRECTORY_SDL
from federation.membership.admission import Check, Edition, Examination, Examiner, composed_edition
from federation.membership.workspace import with_agreement, without
from federation.trust.keys import SigningKey, load_ed25519, new_nonce
from federation.trust.party_keys import make_party_keys
from federation.trust.proposals import answer_challenge, sign_proposal
from federation.trust.trusted_list import API_FILE, schema_file
from node.membership.joining import Description, Serving, propose
from tests.support.agreements import DRAFT
from tests.support.members import NOW, members

ENDPOINT = "https://node.example/graphql"
HEADER = """extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])
  @link(url: "https://w3id.org/crocevia/privacy/v1.0", import: ["@privacy"])
directive @privacy(category: String, sensitivity: String) on FIELD_DEFINITION
"""
SDL = HEADER + 'type Query { registers: [Register] }\ntype Register { name: String @privacy(sensitivity: "personal") }'


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_party_keys(folder)
    return folder


def proposal(
    keys: Path, clock: FixedClock, member: str = "c_m999", sdl: str = SDL, governed: Iterable[str] | None = None
) -> SignedProposal:
    described = Description(MemberId(member), {"it": "Comune"}, "municipality", "M999")
    fields = governed_fields(sdl) if governed is None and "type" in sdl else governed or ()
    return propose("demo", described, keys, Serving(ENDPOINT, sdl, "sha256:0", tuple(sorted(fields))), clock)


def examiner(keys: Path, clock: FixedClock, current: Edition | None = None) -> Examiner:
    key = SigningKey.load(keys / "message.pem")

    def challenge(endpoint: str, nonce: str) -> str:
        return answer_challenge(nonce, MemberId("c_m999"), endpoint, key, clock)

    return Examiner(current or empty(clock), challenge, new_nonce, clock)


def empty(clock: FixedClock) -> Edition:
    bare = Edition(members(0), {schema_file(DIRECTORY): DIRECTORY_SDL.encode()})
    graph = compose([Subgraph(DIRECTORY, bare.members.gateway.endpoint, DIRECTORY_SDL)]).supergraph
    return composed_edition(bare, graph, clock)


def failed(examination: Examination) -> tuple[Check, str]:
    assert not examination.admitted
    assert [bool(each.faults) for each in examination.findings[:-1]] == [False] * (len(examination.findings) - 1)
    last = examination.findings[-1]
    return last.check, "\n".join(last.faults)


def test_a_good_proposal_becomes_the_next_edition(keys: Path, clock: FixedClock) -> None:
    found = examiner(keys, clock).examine(proposal(keys, clock))
    assert [each.check for each in found.findings] == list(Check)
    assert found.edition is not None
    assert found.edition.members.version == 2
    assert [each.id for each in found.edition.members.members] == ["c_m999"]
    assert b"registers" in found.edition.documents[API_FILE]


def test_1_every_key_must_prove_itself(keys: Path, clock: FixedClock) -> None:
    signed = proposal(keys, clock)
    for proofs in (signed.proofs[1:], signed.proofs[:1]):
        check, said = failed(examiner(keys, clock).examine(msgspec.structs.replace(signed, proofs=proofs)))
        assert (check, "did not sign the proposal" in said) == (Check.KEYS, True)
    other = msgspec.structs.replace(signed.proposal, member=msgspec.structs.replace(signed.proposal.member, area="*"))
    check, said = failed(examiner(keys, clock).examine(SignedProposal(other, signed.proofs)))
    assert (check, "does not verify the proposal" in said) == (Check.KEYS, True)


def test_1_an_old_proposal_is_made_anew(keys: Path, clock: FixedClock) -> None:
    signed = proposal(keys, clock)
    clock.instant += timedelta(days=8)
    assert failed(examiner(keys, clock).examine(signed))[0] is Check.KEYS


def test_1_a_proposal_without_a_message_key_is_refused(keys: Path, clock: FixedClock) -> None:
    signed = proposal(keys, clock)
    officers = tuple(key for key in signed.proposal.member.keys if key.use is not KeyUse.MESSAGE)
    member = msgspec.structs.replace(signed.proposal.member, keys=officers)
    bare = SignedProposal(msgspec.structs.replace(signed.proposal, member=member), signed.proofs)
    assert failed(examiner(keys, clock).examine(bare)) == (Check.KEYS, "proposal names no key for messages")


@pytest.mark.parametrize("name", ["directory", "gateway", "exchange"])
def test_2_names_of_the_federation_are_taken(keys: Path, clock: FixedClock, name: str) -> None:
    assert failed(examiner(keys, clock).examine(proposal(keys, clock, name)))[0] is Check.NAME


def test_2_only_the_member_itself_changes_what_is_listed(keys: Path, clock: FixedClock, tmp_path: Path) -> None:
    admitted = examiner(keys, clock).examine(proposal(keys, clock)).edition
    make_party_keys(tmp_path)
    check, said = failed(examiner(tmp_path, clock, admitted).examine(proposal(tmp_path, clock)))
    assert (check, "another key" in said) == (Check.NAME, True)
    assert examiner(keys, clock, admitted).examine(proposal(keys, clock)).admitted


def test_2_a_new_key_is_admitted_beside_the_old_one(keys: Path, clock: FixedClock, tmp_path: Path) -> None:
    """Rotation with overlap: the old key signs too, and both are listed for as long as messages by it are under way."""
    admitted = examiner(keys, clock).examine(proposal(keys, clock)).edition
    make_party_keys(tmp_path)
    before, after = proposal(keys, clock).proposal.member, proposal(tmp_path, clock).proposal.member
    both = msgspec.structs.replace(after, keys=(*after.keys, *(k for k in before.keys if k.use is KeyUse.MESSAGE)))
    rotated = msgspec.structs.replace(proposal(tmp_path, clock).proposal, member=both)
    officers = [load_ed25519(path) for path in sorted(tmp_path.glob("officer-*.pem"))]
    new = sign_proposal(rotated, [SigningKey.load(tmp_path / "message.pem")], officers)
    old = sign_proposal(rotated, [SigningKey.load(keys / "message.pem")], ())
    signed = SignedProposal(rotated, (*new.proofs, *old.proofs))
    assert examiner(tmp_path, clock, admitted).examine(signed).admitted


def test_3_the_address_must_answer_as_that_node(keys: Path, clock: FixedClock, tmp_path: Path) -> None:
    make_party_keys(tmp_path)
    other = SigningKey.load(tmp_path / "message.pem")
    own = SigningKey.load(keys / "message.pem")

    def silent(endpoint: str, _nonce: str) -> str:
        raise UnavailableError(f"nothing answers at `{endpoint}`")

    answers = {
        "nothing answers": silent,
        "another key": lambda url, nonce: answer_challenge(nonce, MemberId("c_m999"), url, other, clock),
        "but as `aslvs`": lambda url, nonce: answer_challenge(nonce, MemberId("aslvs"), url, own, clock),
        "at `https://elsewhere`": lambda _, nonce: answer_challenge(
            nonce, MemberId("c_m999"), "https://elsewhere", own, clock
        ),
        "but as `c_m999`": lambda url, _: answer_challenge(new_nonce(), MemberId("c_m999"), url, own, clock),
        "is not a node": lambda _, _nonce: "<html>",
    }
    for expected, challenge in answers.items():
        check, said = failed(replace(examiner(keys, clock), challenge=challenge).examine(proposal(keys, clock)))
        assert (check, expected in said) == (Check.ADDRESS, True), said


def test_4_a_schema_that_does_not_compose_is_explained(keys: Path, clock: FixedClock) -> None:
    wrong = HEADER + "type Query { registers: [Nothing] }"
    check, said = failed(examiner(keys, clock).examine(proposal(keys, clock, sdl=wrong)))
    assert (check, "Nothing" in said) == (Check.SCHEMA, True)


def test_5_what_breaks_nobody_may_be_taken_away(keys: Path, clock: FixedClock) -> None:
    admitted = examiner(keys, clock).examine(proposal(keys, clock)).edition
    less = HEADER + "type Query { registers: [Register] }\ntype Register { title: String }"
    judge = examiner(keys, clock, admitted)
    check, said = failed(judge.examine(proposal(keys, clock, sdl=less)))
    assert (check, "Register.name" in said) == (Check.USAGE, True)
    assert failed(replace(judge, used={"Register.name"}).examine(proposal(keys, clock, sdl=less)))[0] is Check.USAGE
    assert replace(judge, used={"Register.other"}).examine(proposal(keys, clock, sdl=less)).admitted


def test_6_a_field_does_not_become_less_sensitive(keys: Path, clock: FixedClock) -> None:
    admitted = examiner(keys, clock).examine(proposal(keys, clock)).edition
    judge = examiner(keys, clock, admitted)
    check, said = failed(judge.examine(proposal(keys, clock, sdl=SDL.replace("personal", "public"))))
    assert (check, said) == (Check.PRIVACY, "`Register.name` was stated as `personal` and would be `public`")
    assert judge.examine(proposal(keys, clock, sdl=SDL.replace('"personal"', '"special"'))).admitted


def test_7_r34_a_field_without_a_policy_is_not_admitted(keys: Path, clock: FixedClock) -> None:
    more = SDL.replace("{ name", "{ since: String place: String nameMatches(value: String): Boolean name")
    signed = proposal(keys, clock, sdl=more, governed=["Register.name", "Register.place"])
    assert failed(examiner(keys, clock).examine(signed)) == (
        Check.POLICY,
        "policy `sha256:0` governs 66 % of the schema; no policy for Register.since",
    )
    assert examiner(keys, clock).examine(proposal(keys, clock, sdl=more)).admitted


def test_a_removed_member_takes_its_fields_and_agreements_along(keys: Path, clock: FixedClock) -> None:
    admitted = examiner(keys, clock).examine(proposal(keys, clock)).edition
    assert admitted is not None
    agreement = msgspec.structs.replace(DRAFT, consumer=MemberId("c_m999"), providers=())
    agreed = with_agreement(admitted, agreement, clock)
    left = without(agreed, "c_m999", clock)
    assert (left.members.members, left.members.agreements) == ((), ())
    assert b"registers" not in left.documents[API_FILE]
    assert left.members.version == agreed.members.version + 1
