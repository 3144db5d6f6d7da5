"""The evidence of one answer: what was asked, what came back, and what each node recorded and committed to.

It verifies without the federation, by the ledgers' public keys alone, and goes on proving that and what was asked when
its values are removed. A gateway that altered or invented a value does not get through: every value must be one that a
node committed to in an entry about this very request, at this place of its answer. Nor can it put one citizen's object
in the place of another's: nodes commit to whom an object is about, and the exchange tells the consumer which of its own
citizens that is.

What stays open: it can always withhold, which shows as null; and an object beside which the consumer did not ask for
the citizen's `id` is tied to nobody (`untied`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

import msgspec

from federation.consumer.citizens import Citizens, CitizensOf
from federation.consumer.client import Answer
from federation.contract.clock import FixedClock
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import BadInputError, CroceviaError, LedgerCorruptError
from federation.contract.evidence import (
    CITIZEN,
    CITIZEN_KEY,
    Commitment,
    Path,
    digest_of,
    is_internal,
    is_pseudonym,
    values_of,
)
from federation.contract.members import PublishedKey
from federation.contract.messages import ConsumerRequest, Recognition, named_digest
from federation.contract.receipts import Receipt
from federation.ledger.leaf import Leaf
from federation.ledger.note import Ed25519Verifier
from federation.ledger.proof import verify_receipt
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import verify_request
from federation.trust.keys import message_keys
from federation.trust.translations import verify_translation

_ENTITIES = re.compile(r"_entities|_e[0-9]+")
"""Response keys under which a gateway asks nodes for entities (docs/planning.md)."""
_CREATED = re.compile(r";created=([0-9]{1,10});")
_TYPENAME = "__typename"


class NodeEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one node gave for one fetch: its leaf, the receipt that proves it, and its commitments."""

    member: str
    receipt: Receipt
    leaf: str
    committed: tuple[Commitment, ...]


class Bundle(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Evidence of one answer. `response` has `data` and `errors`; it is None once the values were removed.

    Then the request has neither body nor token left: its signature alone names it.
    """

    consumer: str
    request: ConsumerRequest
    response: dict[str, Any] | None
    evidence: tuple[NodeEvidence, ...]
    recognition: tuple[Recognition, ...] = ()
    version: int = 1

    @classmethod
    def of(cls, consumer: str, answer: Answer) -> Bundle:
        """Take the evidence out of an answer.

        Raises:
            BadInputError: the gateway gave something else than evidence.
        """
        given = answer.content.get("extensions", {})
        try:
            evidence = msgspec.convert(given.get("evidence", []), tuple[NodeEvidence, ...])
            recognition = msgspec.convert(given.get("recognition", []), tuple[Recognition, ...])
        except msgspec.ValidationError as error:
            raise BadInputError(f"gateway gave evidence that cannot be read: {error}") from error
        response: dict[str, Any] = {key: answer.content[key] for key in ("data", "errors") if key in answer.content}
        return cls(consumer, answer.request, response, evidence, recognition)

    @classmethod
    def parse(cls, content: bytes) -> Bundle:
        """Read a bundle.

        Raises:
            BadInputError: it is not one; the message names the place.
        """
        try:
            return msgspec.json.decode(content, type=cls)
        except (ValueError, RecursionError) as error:
            raise BadInputError(f"evidence cannot be read: {error}") from error

    def to_bytes(self) -> bytes:
        """Return the bundle as JSON."""
        return msgspec.json.format(msgspec.json.encode(self))

    def without_values(self) -> Bundle:
        """Return the bundle for somebody who is to see that and what was asked, and no value."""
        headers = {name: value for name, value in self.request.headers.items() if name != "authorization"}
        evidence = tuple(
            msgspec.structs.replace(each, committed=tuple(one.without_value() for one in each.committed))
            for each in self.evidence
        )
        request = msgspec.structs.replace(self.request, headers=headers, body="")
        return Bundle(self.consumer, request, None, evidence)


@dataclass(slots=True)
class Verified:
    """What a verification found. Paths are dotted, and name no value.

    `proved` counts values; `nulls` those that no node accounts for, because it was not asked, did not answer or holds
    nothing; `removed` commitments whose values are no longer there; `untied` objects and names of which nobody but the
    gateway says which citizen they are about; `faults` say what is wrong, one sentence each.
    """

    entries: list[tuple[str, int, Entry]] = field(default_factory=list)
    proved: int = 0
    nulls: int = 0
    removed: int = 0
    untied: int = 0
    faults: list[str] = field(default_factory=list)


class _Missing(Enum):
    ABSENT = auto()


def verify_bundle(
    bundle: Bundle,
    ledgers: Mapping[str, str],
    consumer_keys: Sequence[PublishedKey] | None = None,
    exchange_keys: Sequence[PublishedKey] | None = None,
) -> Verified:
    """Verify evidence under the ledgers' verifier keys, by member.

    (1) The request is signed by the consumer, where its keys are given and its body is still there. (2) The exchange
    says which handles are of one citizen, where its keys are given. For every node: (3) the
    receipt proves the leaf under the ledger's key; (4) its entry is about this request and this consumer; (5) it
    commits to these values; (6) every value it gave stands unaltered in the response, beside the citizen whom it is
    about. (7) Every value of the response is one that a node gave, the consumer's own pseudonyms aside.
    """
    found = Verified()
    if consumer_keys is not None and bundle.request.body:
        _noted(found, "request", lambda: _require_signed(bundle.request, consumer_keys))  # (1)
    citizens = _citizens(bundle, exchange_keys, found)  # (2)
    covered: set[Path] = set()
    for each in bundle.evidence:
        try:
            found.entries.append((each.member, each.receipt.index, _recorded(each, bundle, ledgers)))  # (3) (4) (5)
        except CroceviaError as error:
            found.faults.append(f"evidence of `{each.member}` does not hold: {error.message}")
            continue
        if bundle.response is None:
            found.removed += sum(not is_internal(one.path) for one in each.committed)
        else:
            covered |= _compare(each, bundle, citizens, found)  # (6)
    if bundle.response is not None:
        _require_covered(bundle.response.get("data"), bundle.consumer, covered, found)  # (7)
    return found


def _noted(found: Verified, what: str, check: Any) -> None:
    try:
        check()
    except CroceviaError as error:
        found.faults.append(f"{what} does not hold: {error.message}")


def _require_signed(request: ConsumerRequest, keys: Sequence[PublishedKey]) -> None:
    """Verify the consumer's signature as of the instant it was made: evidence outlives freshness."""
    created = _CREATED.search(request.headers.get("signature-input", ""))
    if created is None:
        raise BadInputError("request carries no signature of the profile")
    then = datetime.fromtimestamp(int(created[1]), UTC)
    verify_request(HttpRequest.of_consumer(request), message_keys(keys, then), FixedClock(then))


def _citizens(bundle: Bundle, keys: Sequence[PublishedKey] | None, found: Verified) -> Citizens:
    """Return what the exchange signed for this consumer's request about who is who."""
    citizens = Citizens(bundle.consumer, bundle.request.digest(), vouched=keys is not None)
    for each in bundle.recognition if keys is not None else ():
        said = each.translation.statement
        then = FixedClock(datetime.fromtimestamp(said.issued_at, UTC))  # it outlives freshness, as the signature does
        try:
            verify_translation(each.translation, message_keys(keys or (), then.now()), then)
        except CroceviaError as error:
            found.faults.append(f"a statement of the exchange does not hold: {error.message}")
            continue
        expected = (citizens.request_digest, named_digest(each.handles), len(each.handles), True)
        if (said.request_digest, said.named, len(said.pids), said.handles) != expected:
            found.faults.append("a statement of the exchange is about another request")
            continue
        for one, other in zip(each.handles, said.pids, strict=True):
            if other is not None:
                citizens.join((said.source, one), (said.to, other))
    return citizens


def _recorded(each: NodeEvidence, bundle: Bundle, ledgers: Mapping[str, str]) -> Entry:
    vkey = ledgers.get(each.member)
    if vkey is None:
        raise BadInputError("no key of its ledger is known; give `--ledger-key`, or the federation's folder")
    leaf = each.leaf.encode()
    verify_receipt(each.receipt, Ed25519Verifier.parse(vkey), leaf)
    entry = Entry.parse(Leaf.parse(leaf).entry)
    expected = (each.member, bundle.consumer, bundle.request.digest())
    is_answer = entry.kind in {EntryKind.DISCLOSURE, EntryKind.WRITE}
    if not is_answer or (entry.writer, entry.consumer, entry.request_digest) != expected:
        raise LedgerCorruptError("its ledger entry is about another request")
    if digest_of(each.committed) != entry.answer:
        raise LedgerCorruptError("its ledger entry commits to another answer")
    return entry


def _compare(each: NodeEvidence, bundle: Bundle, citizens: Citizens, found: Verified) -> set[Path]:
    """Find the places where the response shows what a node gave, and note where it shows something else.

    An object may stand in several places. If it stands nowhere unaltered, the place that differs least is meant; a
    place that shows another citizen's name is none.
    """
    response = bundle.response or {}
    data, errors = response.get("data"), [tuple(one.get("path") or ()) for one in response.get("errors", ())]
    covered: set[Path] = set()
    for head, committed in _by_object(each.committed).items():
        candidates: list[_Candidate] = []
        for place, value in _objects(data) if head else iter([((), data)]):
            compared = _compared(committed, place, value, citizens.of(each.member))
            if compared is not None:
                wrong = [path for path in compared.altered if not _withheld(path, data, errors)]
                candidates.append(_Candidate(place, wrong, compared))
        meant = [one for one in candidates if (*one.place, CITIZEN) not in one.wrong] or candidates
        if not meant:
            found.faults.append(f"an answer of `{each.member}` stands nowhere in the response")
            continue
        best = min(meant, key=lambda candidate: len(candidate.wrong))
        found.faults += [_said_wrong(path, each.member) for path in best.wrong]
        found.untied += best.compared.untied if len(candidates) > 1 or not head else 0
        citizens.places.update(best.compared.about)
        for one in [best, *(candidate for candidate in meant if not candidate.wrong)]:
            covered.update((*one.place, *tail) for tail, _ in committed)
    return covered


@dataclass(slots=True)
class _Compared:
    """The places at which an object differs from what was committed to, and whom it and those in it are about.

    `untied` counts those of whom nobody but the gateway says it.
    """

    altered: list[Path] = field(default_factory=list)
    untied: int = 0
    about: dict[Path, int] = field(default_factory=dict)

    def note(self, path: Path, holds: bool | None) -> None:  # noqa: FBT001  # a verdict, None where there can be none
        """Note what became of a comparison."""
        if holds is None:
            self.untied += 1
        elif not holds:
            self.altered.append(path)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A place where an object may stand, and what is wrong there."""

    place: Path
    wrong: list[Path]
    compared: _Compared


def _said_wrong(path: Path, member: str) -> str:
    if path[-1] == CITIZEN:
        return f"`{_dotted(path[:-1])}` is not the citizen about whom `{member}` gave it"
    return f"`{_dotted(path)}` is not what `{member}` gave"


def _by_object(committed: Iterable[Commitment]) -> dict[Path, list[tuple[Path, Commitment]]]:
    """Group commitments by entity (its key and position), or under () for what was asked from the root.

    Each comes with its path below the entity. A citizen's key that the gateway asked for itself names the object that
    it stands in; other join keys are for nodes only.
    """
    groups: dict[Path, list[tuple[Path, Commitment]]] = {}
    for one in committed:
        of_entity = len(one.path) > 1 and _ENTITIES.fullmatch(str(one.path[0]))
        head = one.path[:2] if of_entity else ()
        tail = one.path[len(head) :]
        if tail and tail[-1] == CITIZEN_KEY and one.salt:
            tail = (*tail[:-1], CITIZEN)
        if tail and not is_internal(tail) and tail[-1] != _TYPENAME:
            groups.setdefault(head, []).append((tail, one))
    return groups


def _objects(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every object of the response with its path."""
    if isinstance(data, dict):
        yield path, data
        for key, child in data.items():
            yield from _objects(child, (*path, key))
    elif isinstance(data, list):
        for position, child in enumerate(data):
            yield from _objects(child, (*path, position))


def _compared(
    committed: Iterable[tuple[Path, Commitment]], place: Path, value: Any, known: CitizensOf
) -> _Compared | None:
    """Hold an object at a place against what was committed to; None if it has other fields."""
    compared = _Compared()
    for tail, one in committed:
        path, within = (*place, *tail), _at(value, tail[:-1])
        if tail[-1] == CITIZEN:
            if isinstance(within, dict):  # or nothing is shown there about anybody
                compared.note(path, known.is_about(one, path[:-1], within))
                compared.about |= known.found(one, path[:-1])
            continue
        shown = _at(value, tail)
        if shown is _Missing.ABSENT:
            return None
        compared.note(path, _is_shown(one, shown, known))
    return compared


def _is_shown(one: Commitment, shown: Any, known: CitizensOf) -> bool | None:
    if is_pseudonym(shown, known.consumer):
        return known.is_named(one, shown)
    if isinstance(shown, dict) or (isinstance(shown, list) and any(isinstance(child, dict) for child in shown)):
        return one.shows(None)  # this node has nothing there, another one has
    return one.shows(shown)


def _at(value: Any, tail: Path) -> Any:
    """Return what stands at a path; below a null stands null."""
    for part in tail:
        if value is None:
            return None
        value = _below(value, part)
        if value is _Missing.ABSENT:
            break
    return value


def _below(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part, _Missing.ABSENT)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _Missing.ABSENT


def _withheld(path: Path, data: Any, errors: Iterable[Path]) -> bool:
    """Say whether a value is missing openly: null, with an error at or above its place."""
    return _at(data, path) is None and any(error and path[: len(error)] == error for error in errors)


def _require_covered(data: Any, consumer: str, covered: set[Path], found: Verified) -> None:
    for path, value in values_of(data):
        if path in covered and value is not None:
            found.proved += 1
        elif value is None:
            found.nulls += path not in covered
        elif path[-1:] != (_TYPENAME,) and not is_pseudonym(value, consumer):
            found.faults.append(f"`{_dotted(path)}` is given by no node")


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
