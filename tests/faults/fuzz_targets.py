"""The parsers that take bytes from outside, with valid inputs to begin from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from graphql import build_schema
from joserfc.jwk import RSAKey
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from federation.consumer.evidence import Bundle, verify_bundle
from federation.contract.canonical import b64url, from_b64url
from federation.contract.clock import FixedClock
from federation.contract.delegation import Delegation, DelegationBasis
from federation.contract.errors import CroceviaError
from federation.contract.graphql_request import GraphQLRequest, Limits, strict_json
from federation.contract.identifiers import Pseudonym
from federation.contract.members import MemberList
from federation.contract.messages import read_node_request
from federation.contract.on_denied import HEADER as ON_DENIED
from federation.contract.on_denied import OnDenied, wanted
from federation.execution.transport.errors import BadMessageError
from federation.execution.transport.heads import KnownHeads
from federation.execution.transport.limits import TransportLimits
from federation.execution.transport.reader import AnswerReader
from federation.gateway.find_usage import UsageWanted
from federation.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from federation.ledger.leaf import Leaf
from federation.ledger.tiles import TilePath
from federation.ledger.timestamps import read_roots, verify_timestamp
from federation.ledger.witness import AddCheckpoint
from federation.serving.http_graphql import accepted, check_content_type
from federation.trust.authority import Authority, certificate_request
from federation.trust.foreign_keys import PinnedKeys
from federation.trust.http_messages import HttpRequest, single_headers
from federation.trust.http_signatures import verify_request
from federation.trust.keys import SigningKey, message_keys
from federation.trust.pdnd import INTEGRITY_HEADER, verify_evidence, verify_integrity, verify_voucher
from federation.trust.registry import ROOT_FILE
from federation.trust.tokens import AccessTokens, verify_dpop
from federation.trust.trusted_list import Kept, federation_of, update
from node.data.mapping import Mapping as NodeMapping
from node.enforcement.documents import Documents
from node.importing.files import rows_of
from node.policy.bundle import read_bundle
from node.policy.errors import PolicyError
from node.policy.signing import Envelope
from tests.faults.fuzz import Target
from tests.support.data import SEALER
from tests.support.ledger import SIGNER, entry
from tests.support.members import NOW as LIST_NOW
from tests.support.members import found, members, publish, repository
from tests.support.parties import FEDERATION, GATEWAY_URL, NOW, Parties
from tests.support.timestamp_authority import TimestampAuthority
from tests.support.vouchers import CLIENT, ISSUER, PLATFORM, WithPlatform, public

ROOT = Path(__file__).parents[2]
OURS = (CroceviaError,)
QUESTION = """query Q($by: CitizenKey!, $n: Int = 5) { citizen(by: $by) { id ...F residence { municipality } } }
fragment F on Citizen { benefits(first: $n) @include(if: true) { kind amount } }"""


def targets() -> Iterator[Target]:
    """Yield every target."""
    parties = Parties()
    yield from _requests(parties)
    yield from _tokens(parties)
    yield from _vouchers()
    yield from _ledger()
    yield from _files()
    yield from _registry()
    yield from _rows()
    yield from _answers()


def _requests(parties: Parties) -> Iterator[Target]:
    schema = build_schema((ROOT / "schema.graphql").read_text(), assume_valid_sdl=True)
    limits = Limits()

    def question(content: bytes) -> None:
        asked = GraphQLRequest.parse(content, limits)
        if asked.query is not None:
            Documents(schema, limits).asked(asked.query, asked.operation_name, asked.variables)

    body = {"query": QUESTION, "operationName": "Q", "variables": {"by": {"taxCode": "RSSMRA80A01H501U"}, "n": 3}}
    yield Target("graphql request", [msgspec.json.encode(body)], question, OURS)
    variables = msgspec.json.encode(body["variables"])

    def only_variables(content: bytes) -> None:
        given = strict_json(content)
        Documents(schema, limits).asked(QUESTION, "Q", given if isinstance(given, dict) else {})

    yield Target("graphql variables", [variables, b'{"by":{"id":"v1.siv.a.b"},"n":null}'], only_variables, OURS)
    yield Target("json", [msgspec.json.encode(body), b'[1.5e3,"\\ud83d\\ude00",null,true]'], strict_json, OURS)
    own = parties.consumers({"query": QUESTION})
    relayed = msgspec.json.decode(parties.relayed({"query": QUESTION}, own).body)["extensions"]["crocevia"]

    def extension(content: bytes) -> None:
        found = read_node_request(strict_json(content))
        HttpRequest.of_consumer(found.consumer_request)

    yield Target("relayed request", [msgspec.json.encode(relayed)], extension, OURS)
    yield Target("accept", [b"application/json;q=0.5, text/event-stream, */*;q=0.1"], accepted, OURS)
    yield Target("content-type", [b'application/json; charset="utf-8"'], check_content_type, OURS)
    keys, clock = message_keys(parties.current().member("inprev").keys, NOW), FixedClock(NOW)

    def headers(content: bytes) -> None:
        raw = [line.partition(b": ")[::2] for line in content.split(b"\n")]
        verify_request(HttpRequest("POST", GATEWAY_URL, single_headers(raw), own.body), keys, clock)

    signed = "\n".join(f"{name}: {value}" for name, value in own.headers.items()).encode()
    yield Target("signature headers", [signed], headers, OURS)


def _tokens(parties: Parties) -> Iterator[Target]:
    keys, clock = message_keys(parties.current().gateway.keys, NOW), FixedClock(NOW)
    token = parties.token()

    def access(content: bytes) -> None:
        AccessTokens(FEDERATION, GATEWAY_URL, clock).verify(content.decode("latin-1"), keys)

    yield Target("token", [token.encode()], access, OURS)

    def signed(content: bytes) -> None:
        """Sign whatever header and claims there are: nothing but their meaning is in the way."""
        first, _, second = content.partition(b"\n")
        text = f"{b64url(first)}.{b64url(second)}"
        made = f"{text}.{b64url(parties.gateway.sign(text.encode()))}"
        AccessTokens(FEDERATION, GATEWAY_URL, clock).verify(made, keys)

    yield Target("token claims", [_parts(token)], signed, OURS)
    proof = parties.consumers({"query": QUESTION}, token=token).headers["dpop"]

    def dpop(content: bytes) -> None:
        verify_dpop(content.decode("latin-1"), "POST", GATEWAY_URL, clock, token)

    yield Target("dpop", [proof.encode()], dpop, OURS)


def _vouchers() -> Iterator[Target]:
    """Tokens of the platform outside, signed whatever they say: nothing but their meaning is in the way."""
    platform = WithPlatform()
    keys = PinnedKeys.parse(msgspec.json.encode({"keys": [public(PLATFORM, "platform-1")]}), "RS256")
    clients = PinnedKeys.parse(msgspec.json.encode({"keys": [public(CLIENT, "client-1")]}), "RS256")
    evidence = platform.evidence()
    voucher = platform.voucher(evidence)
    known = verify_voucher(voucher, ISSUER, GATEWAY_URL, keys, platform.clock)
    asked = platform.asked(voucher, evidence)

    def signed(content: bytes, key: RSAKey) -> str:
        first, _, second = content.partition(b"\n")
        text = f"{b64url(first)}.{b64url(second)}"
        made = key.get_op_key("sign").sign(text.encode(), PKCS1v15(), SHA256())
        return f"{text}.{b64url(made)}"

    def given(content: bytes) -> None:
        verify_voucher(signed(content, PLATFORM), ISSUER, GATEWAY_URL, keys, platform.clock)

    def tracked(content: bytes) -> None:
        verify_evidence(signed(content, CLIENT), known, GATEWAY_URL, clients, platform.clock)

    def whole(content: bytes) -> None:
        headers = {**asked.headers, INTEGRITY_HEADER: signed(content, CLIENT)}
        verify_integrity(headers, platform.body, GATEWAY_URL, clients, platform.clock)

    yield Target("voucher claims", [_parts(voucher)], given, OURS)
    yield Target("tracking evidence", [_parts(evidence)], tracked, OURS)
    yield Target("integrity claims", [_parts(asked.headers[INTEGRITY_HEADER])], whole, OURS)


def _parts(token: str) -> bytes:
    """Return header and claims of a token, on two lines."""
    return b"\n".join(from_b64url(part) for part in token.split(".")[:2])


def _ledger() -> Iterator[Target]:
    note = str(sign_checkpoint(Checkpoint(SIGNER.verifier.name, 7, bytes(32)), SIGNER))

    def opened(content: bytes) -> None:
        open_checkpoint(content.decode("utf-8", "replace"), SIGNER.verifier)

    yield Target("signed note", [note.encode()], opened, OURS)
    asked = str(AddCheckpoint(3, (bytes(32), bytes(range(32))), note))
    yield Target(
        "witness request", [asked.encode()], lambda content: AddCheckpoint.parse(content.decode("latin-1")), OURS
    )
    yield Target(
        "tile path",
        [b"tile/0/x001/067.p/112", b"tile/entries/000"],
        lambda c: TilePath.parse(c.decode("latin-1")),
        OURS,
    )
    leaf = Leaf.about(entry(1), bytes(16), []).to_bytes()
    yield Target("leaf", [leaf], Leaf.parse, OURS)
    with tempfile.TemporaryDirectory() as folder:
        authority = TimestampAuthority.found(Path(folder) / "authority")
        stamped = authority.answer(TimestampRequestBuilder(note.encode(), HashAlgorithm.SHA256).build().as_bytes())
        roots = read_roots(authority.roots)
    yield Target("timestamp", [stamped], lambda c: verify_timestamp(c, note, roots), OURS)
    bundle = {
        "consumer": "inprev",
        "request": {"method": "POST", "targetUri": GATEWAY_URL, "headers": {"signature": "x"}, "body": ""},
        "response": {"data": {"citizen": {"isee": "[0,1)", "benefits": [{"kind": "x"}]}}},
        "evidence": [
            {
                "member": "c",
                "leaf": leaf.decode(),
                "committed": [{"path": ["_entities", 0, "isee"], "hash": "AAAA", "salt": "AAAA"}],
                "receipt": {"origin": "o", "index": 1, "leafHash": "", "checkpoint": note, "inclusion": []},
            }
        ],
    }
    keys = {"c": str(SIGNER.verifier)}
    yield Target("evidence", [msgspec.json.encode(bundle)], lambda c: verify_bundle(Bundle.parse(c), keys), OURS)
    yield Target("pseudonym", [b"v1.siv.inprev.AAECAwQ"], lambda c: Pseudonym.parse(c.decode("latin-1")), OURS)
    cursor = SEALER.seal(["2026-01-01", 7], ["Citizen", "inprev"])

    def resumed(content: bytes) -> None:
        SEALER.open(content.decode("utf-8", "replace"), ["Citizen", "inprev"])

    yield Target("cursor", [cursor.encode()], resumed, OURS)


def _files() -> Iterator[Target]:
    folder = ROOT / "policies" / "c_m999"
    vocabulary = (ROOT / "policies" / "vocabulary.yaml").read_bytes()
    policies = [path.read_bytes() for path in sorted((folder / "types").glob("*.yaml"))]

    def policy(content: bytes) -> None:
        read_bundle({"vocabulary.yaml": vocabulary, "types/Citizen.yaml": content})

    yield Target("policy yaml", policies, policy, (PolicyError,))
    yield Target("vocabulary yaml", [vocabulary], lambda c: read_bundle({"vocabulary.yaml": c}), (PolicyError,))
    envelope = msgspec.json.encode({"manifest": {"revision": 1, "parent": None, "files": {}}, "signatures": []})
    yield Target("policy envelope", [envelope], Envelope.parse, (CroceviaError, PolicyError))
    mapping = (ROOT / "deploy" / "demo" / "c_m999" / "node.yaml").read_bytes()
    yield Target("node.yaml", [mapping], lambda c: NodeMapping.parse(c.decode("utf-8", "replace")), OURS)
    members = msgspec.json.encode(Parties().current())
    yield Target("member list", [members], MemberList.parse, OURS)


@dataclass(frozen=True, slots=True)
class _Registry:
    """A registry in memory, one file of which is another than was published."""

    files: Mapping[str, bytes]

    def changed(self) -> bool:
        return True

    def read(self, name: str, limit: int) -> bytes | None:
        return self.files.get(name, b"")[:limit] if name in self.files else None


def _registry() -> Iterator[Target]:
    """The member list as TUF metadata, certificate requests, and key sets of other issuers."""
    with tempfile.TemporaryDirectory() as folder:
        made = repository(Path(folder) / "registry", FixedClock(LIST_NOW))
        found(made)
        publish(made, members(1))
        paths = [path for path in made.folder.rglob("*") if path.is_file()]
        files = {str(path.relative_to(made.folder)): path.read_bytes() for path in paths}
        authority = Authority.found(Path(folder) / "authority", FEDERATION, LIST_NOW)
    root = files[ROOT_FILE]
    yield Target("TUF root", [root], federation_of, OURS)

    def updated(content: bytes) -> None:
        name, _, changed = content.partition(b"\n")
        source = _Registry({**files, name.decode("latin-1"): changed})
        update(Kept.beginning(root), source, LIST_NOW)

    seeds = [name.encode() + b"\n" + content for name, content in files.items() if len(content) < 60_000]
    yield Target("TUF metadata", seeds, updated, OURS)
    request = certificate_request(ec.generate_private_key(ec.SECP256R1()), "c_m999")

    def certified(content: bytes) -> None:
        authority.certify(content, FEDERATION, "c_m999", GATEWAY_URL, LIST_NOW, timedelta(days=1))

    yield Target("certificate request", [request], certified, OURS)
    jwk = {"keys": [{**SigningKey.generate().public_jwk(), "kid": "a", "use": "sig", "alg": "ES256"}]}
    yield Target("key set", [msgspec.json.encode(jwk)], lambda c: PinnedKeys.parse(c, "ES256"), OURS)


def _rows() -> Iterator[Target]:
    """Files that are imported, headers and extensions of our own, and the cursor of the change feed."""
    folder = Path(tempfile.gettempdir()) / "crocevia-fuzz-rows"
    folder.mkdir(exist_ok=True)

    def imported(name: str) -> Callable[[bytes], None]:
        file = folder / f"{os.getpid()}-{name}"

        def run(content: bytes) -> None:
            file.write_bytes(content)
            for _ in rows_of(file):
                pass

        return run

    yield Target("csv rows", [b'a,b\n1,"x, y"\n2,"z\n"\n', b'a\n"' + b"x" * 140_000], imported("rows.csv"), OURS)
    yield Target(
        "ndjson rows", [b'{"a":1,"b":"x"}\n{"a":2,"b":[null]}\n', b"[" * 100_000], imported("rows.ndjson"), OURS
    )
    acting = Delegation("v1.siv.portal.AAECAwQ", DelegationBasis.ATTORNEY).to_bytes()
    yield Target("delegation", [acting], Delegation.parse, OURS)

    def header(content: bytes) -> None:
        wanted({ON_DENIED: content.decode("latin-1")}, OnDenied.NULL)

    yield Target("on-denied header", [b"reject", b"null"], header, OURS)
    bound = ("changes", "inprev")
    cursor = SEALER.seal([7, "2026-01-01T00:00:00Z", "AAAA"], bound)

    def resumed(content: bytes) -> None:
        SEALER.open(content.decode("utf-8", "replace"), bound)

    yield Target("changes cursor", [cursor.encode()], resumed, OURS)
    usage = [b"periodStart=2026-01-01T00%3A00%3A00Z&offset=3&limit=10"]
    yield Target("usage parameters", usage, UsageWanted.parse, OURS)


def _answers() -> Iterator[Target]:
    body = b'{"data":{"a":1}}'
    plain = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n" + body
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    known = KnownHeads()

    def read(content: bytes, heads: KnownHeads) -> object:
        reader = AnswerReader(TransportLimits(), None, heads)
        half = len(content) // 2
        reader.feed(content[:half])
        reader.feed(content[half:])
        return (reader.complete, reader.may_continue(), reader.answer() if reader.complete else None)

    def answer(content: bytes) -> None:
        """Heads that were read before must not change what an answer is."""
        expected = read(content, KnownHeads())
        for _ in range(2):
            assert read(content, known) == expected

    yield Target("http answer", [plain, chunked], answer, (BadMessageError,))
