"""Pseudonyms on their way through the gateway: who holds a citizen, and under which name each member knows the citizen.

A representation that leaves for a member carries that member's own pseudonym and nothing else (directory section 1).
Members that hold no file on a citizen are not asked (directory section 2), so they do not learn that somebody asked;
those of a sensitive kind are always asked (`federation.gateway.holders`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol, TypeVar

from federation.contract.evidence import citizen_handle
from federation.contract.identifiers import DIRECTORY, PERSON, MemberId
from federation.contract.messages import Recognition, Translation
from federation.exchange.messages import MAX_CONVERSIONS, MAX_PIDS, Conversion
from federation.execution.ports import KeyedRepresentation, Representation

_Part = TypeVar("_Part")


class Exchange(Protocol):
    """The pseudonym exchange, asked on behalf of one consumer's request."""

    async def convert(self, conversions: Sequence[Conversion]) -> Sequence[Translation]:
        """Return one signed statement per conversion, its `pids` in the conversion's order, None where refused.

        Raises:
            ExchangeUnavailableError: the exchange does not answer, or not as it should.
        """
        ...


class Holders(Protocol):
    """The reference directory under the request's agreement: who may be asked about whom."""

    def members_holding(self, subjects: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the members to ask about each pseudonym of the directory's domain; those of nobody may be left out."""
        ...

    def require_own_file(self, subject: str | None) -> None:
        """Refuse a consumer that must hold a file on whom it names; None stands for nobody.

        Raises:
            NoOpenFileError: it holds none.
        """
        ...


@dataclass(slots=True)
class Translator:
    """What one request has learnt about its citizens. Everything is asked once and in as few messages as there can be.

    `members` are those that the plan will fetch from, `consumer` is who asks; `statements` gathers what the exchange
    signed for each member; `look_ups` are the numbers of the fetches in which a member decided what is told as `id`.
    """

    exchange: Exchange
    holders: Holders
    members: frozenset[str]
    consumer: str = ""
    statements: dict[str, list[Translation]] = field(default_factory=lambda: defaultdict(list))
    look_ups: list[int] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(-1, -1))
    _known: dict[tuple[str, str, str], str | None] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _own: dict[str, str | None] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def next_look_up(self) -> int:
        """Return the number of another look-up; a plan's fetches have the others."""
        return next(self._numbers)

    async def found(self, source: str, pid: str) -> str | None:
        """Return the directory's pseudonym for one citizen, whom `source` names.

        Whatever the request will need about this one citizen is asked along: a statement about one citizen goes to its
        member whole or not at all, so it may be asked before it is known who holds a file. What is not sent is dropped.

        Raises:
            ExchangeUnavailableError: see `Exchange.convert`.
            NoOpenFileError: the consumer must hold a file on the citizen.
        """
        async with self._turn:
            receivers = dict.fromkeys((DIRECTORY, *sorted(self.members - {DIRECTORY}), self.consumer or source))
            if len(receivers) > MAX_CONVERSIONS:
                subject = (await self._into(source, [pid], DIRECTORY))[pid]
                self.holders.require_own_file(subject)
                return subject
            conversions = [Conversion(MemberId(source), MemberId(to), (pid,)) for to in receivers]
            translations = await self.exchange.convert(conversions)
            named: dict[str, str | None] = {
                each.to: one.statement.pids[0] for each, one in zip(conversions, translations, strict=True)
            }
            subject = named[DIRECTORY]
            self.holders.require_own_file(subject)
            if subject is None:
                return None
            holding = self.holders.members_holding([subject]).get(subject, frozenset())
            for conversion, translation in zip(conversions, translations, strict=True):
                if conversion.to in holding and conversion.to in self.members:
                    self.statements[conversion.to].append(translation)
                    self._known[DIRECTORY, subject, conversion.to] = named[conversion.to]
            self._seen.add((DIRECTORY, subject))
            own = named[self.consumer or source]
            self._own |= {name: own for name in named.values() if name is not None}
            return subject

    async def translate(self, source: str, pids: Iterable[str], to: str) -> Mapping[str, str | None]:
        """Return each pseudonym of `source` as `to` knows it; None where `to` holds no file or the exchange refused.

        Raises:
            ExchangeUnavailableError: see `Exchange.convert`.
        """
        wanted = list(dict.fromkeys(pids))
        async with self._turn:
            await self._learn(source, [pid for pid in wanted if (source, pid) not in self._seen])
        return {pid: self._known.get((source, pid, to)) for pid in wanted}

    async def into_own(self, source: str, pids: Sequence[str]) -> Mapping[str, str | None]:
        """Return the consumer's own pseudonyms of citizens whom `source` names, whoever holds a file."""
        unknown = [pid for pid in pids if pid not in self._own]
        if unknown:
            self._own |= await self._into(source, unknown, self.consumer)
        return {pid: self._own[pid] for pid in pids}

    async def recognised(self, shown: Sequence[str], members: Collection[str]) -> list[Recognition]:
        """Return what the exchange signs for the consumer: which handles of `members` are of one citizen.

        They are those of the citizens whom a member was told about, and of the consumer's own that the answer shows.

        Raises:
            ExchangeUnavailableError: see `Exchange.convert`.
        """
        named: dict[tuple[str, str], list[str]] = {(self.consumer, member): list(shown) for member in members}
        for (source, pid, to), outcome in self._known.items():
            if to in members and outcome is not None:
                named.setdefault((source, to), []).append(pid)
        wanted = [
            Conversion(MemberId(source), MemberId(to), tuple(part), handles=True)
            for (source, to), pids in named.items()
            for part in parts(pids, MAX_PIDS)
        ]
        found: list[Recognition] = []
        for conversions in parts(wanted, MAX_CONVERSIONS):
            translations = await self.exchange.convert(conversions)
            found += map(_recognition, conversions, translations)
        return found

    async def _into(self, source: str, pids: Sequence[str], to: str) -> Mapping[str, str | None]:
        if source == to:
            return {pid: pid for pid in pids}
        (statement,) = await self.exchange.convert([Conversion(MemberId(source), MemberId(to), tuple(pids))])
        return dict(zip(pids, statement.statement.pids, strict=True))

    async def _learn(self, source: str, pids: list[str]) -> None:
        """Ask about several citizens: who holds a file first, so that no member learns of one whom it does not know."""
        if not pids:
            return
        subjects = await self._into(source, pids, DIRECTORY)
        holding = self.holders.members_holding([subject for subject in subjects.values() if subject])
        conversions = []
        for member in sorted(self.members - {source, DIRECTORY}):
            held = tuple(pid for pid in pids if member in holding.get(subjects[pid] or "", frozenset()))
            if held:
                conversions.append(Conversion(MemberId(source), MemberId(member), held))
        translations = await self.exchange.convert(conversions) if conversions else ()
        for conversion, translation in zip(conversions, translations, strict=True):
            self.statements[conversion.to].append(translation)
            for pid, outcome in zip(conversion.pids, translation.statement.pids, strict=True):
                self._known[source, pid, conversion.to] = outcome
        self._seen.update((source, pid) for pid in pids)


def _recognition(conversion: Conversion, translation: Translation) -> Recognition:
    digest = translation.statement.request_digest
    return Recognition(tuple(citizen_handle(pid, digest) for pid in conversion.pids), translation)


def parts(whole: Sequence[_Part], most: int) -> Iterator[Sequence[_Part]]:
    """Split what one message to the exchange cannot hold."""
    for start in range(0, len(whole), most):
        yield whole[start : start + most]


@dataclass(frozen=True, slots=True)
class PseudonymRouter:
    """The executor's `EntityRouter`: citizens under the receiver's pseudonym, everything else as it is."""

    translator: Translator

    async def route(self, member: str, keyed: Sequence[KeyedRepresentation]) -> Sequence[Representation | None]:
        """Return the representations as `member` may receive them; None for citizens on whom it holds no file.

        Raises:
            ExchangeUnavailableError: see `Exchange.convert`.
        """
        by_source: dict[str, list[str]] = defaultdict(list)
        for entity in keyed:
            if entity.representation["__typename"] == PERSON:
                by_source[entity.source].append(entity.representation["id"])
        outcome = {source: await self.translator.translate(source, pids, member) for source, pids in by_source.items()}
        return [self._routed(entity, outcome) for entity in keyed]

    def _routed(
        self, entity: KeyedRepresentation, outcome: Mapping[str, Mapping[str, str | None]]
    ) -> Representation | None:
        if entity.representation["__typename"] != PERSON:
            return entity.representation
        translated = outcome[entity.source].get(entity.representation["id"])
        return None if translated is None else {**entity.representation, "id": translated}
