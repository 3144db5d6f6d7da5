"""Finding a citizen for one consumer's request: what the directory subgraph asks behind its one field."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract.errors import (
    AgreementError,
    AuthorisationError,
    BadInputError,
    BudgetExhaustedError,
    FieldDeniedError,
    NodeMisbehavedError,
    NoOpenFileError,
    PurposeError,
    PurposeNotAgreedError,
    UnavailableError,
)
from federation.contract.identifiers import INTERNAL_PREFIX
from federation.contract.members import Agreement
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.gateway.pseudonyms import Translator
from federation.gateway.visible_schema import FIND
from federation.planning.plan import OperationKind

_KEY = f"{INTERNAL_PREFIX}id"
_LOOK_UP = f"query($by: CitizenKey!) {{ citizen(by: $by) {{ {_KEY}: id }} }}"
_RIGHTS = frozenset(
    error.code
    for error in (
        AgreementError,
        AuthorisationError,
        FieldDeniedError,
        NoOpenFileError,
        PurposeError,
        PurposeNotAgreedError,
    )
)
"""What a provider says of the caller's rights; everything else means that it could not look."""
_SHARE = 0.4
"""The part of the time left that one provider may take for a look-up; others, and the fetches, need the rest."""


@dataclass(frozen=True, slots=True)
class AgreedFinder:
    """Finds citizens as the agreement allows: by the consumer's own pseudonym, or by asking its providers."""

    agreement: Agreement
    translator: Translator
    ask: Callable[[FetchRequest], Awaitable[FetchAnswer]]
    deadline: float

    async def by_pseudonym(self, pseudonym: str) -> str | None:
        """Return the directory's pseudonym for the consumer's own."""
        return await self.translator.found(self.agreement.consumer, pseudonym)

    async def by_tax_code(self, tax_code: str) -> str | None:
        """Ask the providers of the agreement in its order until one may say who it is (policy R23).

        Raises:
            FieldDeniedError: the agreement names no provider for this.
            UnavailableError: nobody found the citizen, and one that could have did not answer.
        """
        providers = [each.member for each in self.agreement.providers if each.covers(*FIND)]
        if not providers:
            raise FieldDeniedError(f"agreement `{self.agreement.id}` does not cover looking up a citizen by tax code")
        silent: list[str] = []
        for member in providers:
            try:
                found = await self._look_up(member, tax_code)
            except UnavailableError:
                silent.append(member)
                continue
            if found is not None:
                return await self.translator.found(member, found)
        if silent:
            raise UnavailableError("the citizen was not found, and members did not answer", members=silent)
        return None

    async def _look_up(self, member: str, tax_code: str) -> str | None:
        now = asyncio.get_running_loop().time()
        request = FetchRequest(
            fetch_id=-1,
            member=member,
            kind=OperationKind.QUERY,
            operation=msgspec.json.encode(_LOOK_UP),
            variables=msgspec.json.encode({"by": {"taxCode": tax_code}}),
            deadline=now + (self.deadline - now) * _SHARE,
        )
        answer = _read(member, (await self.ask(request)).body)
        data = answer.get("data")
        if data is None:
            _refuse(member, answer)
            return None
        citizen = data.get("citizen") if isinstance(data, dict) else None
        found = citizen.get(_KEY) if isinstance(citizen, dict) else None
        return found if isinstance(found, str) else None


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
    errors = answer.get("errors")
    said = [error.get("extensions") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    told = {extensions.get("code"): extensions for extensions in said if isinstance(extensions, dict)}
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
