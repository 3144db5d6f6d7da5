"""Finding a citizen for one consumer's request: what the directory subgraph asks behind its one field.

The member that finds a citizen by tax code decides what the consumer is told as `id` (docs/adr/0034); the key by which
members' answers are joined comes beside it, and is never told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from federation.contract.errors import (
    AgreementError,
    AuthorisationError,
    BadInputError,
    BudgetExhaustedError,
    FieldDeniedError,
    NodeMisbehavedError,
    PurposeError,
    PurposeNotAgreedError,
    UnavailableError,
)
from federation.contract.identifiers import INTERNAL_PREFIX, PERSON
from federation.contract.members import Agreement
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.gateway.pseudonyms import Translator
from federation.gateway.visible_schema import FIND
from federation.planning.plan import OperationKind

_KEY = f"{INTERNAL_PREFIX}id"
_ID: Final = f"{PERSON}.id"
_RIGHTS = frozenset(
    error.code
    for error in (
        AgreementError,
        AuthorisationError,
        FieldDeniedError,
        PurposeError,
        PurposeNotAgreedError,
    )
)
"""What a provider says of the caller's rights; everything else means that it could not look."""
_SHARE = 0.4
"""The part of the time left that one provider may take for a look-up; others, and the fetches, need the rest."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question wants of one named citizen: the response key of the citizen, and those of the `id` to be told."""

    citizen: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A citizen: the directory's pseudonym, and what the consumer may be told as `id`.

    `told` is null where the row decides so; `denied` says that it is null whatever the row (policy R12, R13).
    """

    key: str
    told: str | None
    denied: bool = False


@dataclass(frozen=True, slots=True)
class _Answered:
    """What a member said of a citizen, in its own pseudonyms."""

    key: str
    told: str | None
    denied: bool
    look_up: int


@dataclass(frozen=True, slots=True)
class AgreedFinder:
    """Finds citizens as the agreement allows: by the consumer's own pseudonym, or by asking its providers."""

    agreement: Agreement
    translator: Translator
    ask: Callable[[FetchRequest], Awaitable[FetchAnswer]]
    deadline: float

    async def by_pseudonym(self, pseudonym: str) -> Found | None:
        """Return the citizen of the consumer's own pseudonym; telling it again tells nothing."""
        key = await self.translator.found(self.agreement.consumer, pseudonym)
        return None if key is None else Found(key, key)

    async def by_tax_code(self, tax_code: str, wanted: Wanted) -> Found | None:
        """Ask the providers of the agreement in its order until one may say who it is (policy R23).

        Raises:
            FieldDeniedError: the agreement names no provider for this.
            NoOpenFileError: the consumer must hold a file on the citizen, and holds none, or nobody knows the citizen.
            UnavailableError: nobody found the citizen, and one that could have did not answer.
        """
        providers = [each.member for each in self.agreement.providers if each.covers(*FIND)]
        if not providers:
            raise FieldDeniedError(f"agreement `{self.agreement.id}` does not cover looking up a citizen by tax code")
        silent: list[str] = []
        for member in providers:
            try:
                found = await self._look_up(member, tax_code, wanted)
            except UnavailableError:
                silent.append(member)
                continue
            if found is not None:
                try:
                    return await self._translated(member, found, wanted)
                except UnavailableError:
                    self.translator.holders.require_own_file(None)
                    raise
        # Before any outage is said: which one it is would tell whoever has no file whether somebody knows the code.
        self.translator.holders.require_own_file(None)
        if silent:
            raise UnavailableError("the citizen was not found, and members did not answer", members=silent)
        return None

    async def _translated(self, member: str, found: _Answered, wanted: Wanted) -> Found | None:
        """Take a member's own pseudonym for the citizen's, which becomes the consumer's; a masked text stays."""
        key = await self.translator.found(member, found.key)
        if key is None:
            return None
        if wanted.ids:
            self.translator.look_ups.append(found.look_up)
        return Found(key, key if found.told == found.key else found.told, found.denied)

    async def _look_up(self, member: str, tax_code: str, wanted: Wanted) -> _Answered | None:
        now = asyncio.get_running_loop().time()
        look_up = self.translator.next_look_up()
        ids = "".join(f" {key}: id" for key in wanted.ids)
        request = FetchRequest(
            fetch_id=look_up,
            member=member,
            kind=OperationKind.QUERY,
            operation=msgspec.json.encode(
                f"query($by: CitizenKey!) {{ {wanted.citizen}: citizen(by: $by) {{ {_KEY}: id{ids} }} }}"
            ),
            variables=msgspec.json.encode({"by": {"taxCode": tax_code}}),
            deadline=now + (self.deadline - now) * _SHARE,
        )
        answer = _read(member, (await self.ask(request)).body)
        data = answer.get("data")
        if data is None:
            if wanted.ids and _refuses_id(answer):  # `onDenied: reject`: all denied places are to be named
                found = await self._look_up(member, tax_code, replace(wanted, ids=()))
                return None if found is None else replace(found, denied=True)
            _refuse(member, answer)
            return None
        citizen = data.get(wanted.citizen) if isinstance(data, dict) else None
        if not isinstance(citizen, dict) or not isinstance(key := citizen.get(_KEY), str):
            return None
        told = citizen.get(wanted.ids[0]) if wanted.ids else None
        denied = told is None and FieldDeniedError.code in _said(answer)
        return _Answered(key, told if isinstance(told, str) else None, denied, look_up)


def _read(member: str, body: bytes) -> dict[str, Any]:
    """A provider that answers nonsense is like one that does not answer: it costs itself and nobody else."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise NodeMisbehavedError(f"member `{member}` answered a look-up with no JSON object", member=member) from error


def _refuse(member: str, answer: dict[str, Any]) -> None:
    """A provider that could not look is not one that knows nobody.

    What it says of the caller's rights stays between them: a provider that may not say who it is counts as one that
    does not know (policy R23).

    Raises:
        BadInputError: it could not read the tax code.
        BudgetExhaustedError: the consumer looked up too often, which it must know to stop.
        UnavailableError: it does not work now.
    """
    told = _said(answer)
    codes = told.keys()
    if BudgetExhaustedError.code in codes:
        after = told[BudgetExhaustedError.code].get("retryAfter")
        raise BudgetExhaustedError(
            f"member `{member}` lets no more citizens be looked up today",
            member=member,
            retryAfter=after if isinstance(after, int) else None,
        )
    if BadInputError.code in codes:
        raise BadInputError("`taxCode` is not a tax code; compare it with the citizen's card")
    if not codes or not codes <= _RIGHTS:
        raise UnavailableError(f"member `{member}` could not look the citizen up", member=member)


def _refuses_id(answer: dict[str, Any]) -> bool:
    coordinates = _said(answer).get(FieldDeniedError.code, {}).get("coordinates")
    return isinstance(coordinates, list) and _ID in coordinates


def _said(answer: dict[str, Any]) -> dict[object, dict[str, Any]]:
    """Return the extensions of an answer's errors, by code."""
    errors = answer.get("errors")
    said = [error.get("extensions") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return {extensions.get("code"): extensions for extensions in said if isinstance(extensions, dict)}
