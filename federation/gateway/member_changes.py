"""Which changes a member tells a subscriber: the member is asked with the consumer's own signed request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract.changes import OLDEST, ROOT, SDL
from federation.contract.errors import (
    BadInputError,
    ChangesGoneError,
    FieldDeniedError,
    NodeMisbehavedError,
    UnavailableError,
)
from federation.contract.members import Agreement
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.gateway.whole_root import request_for


@dataclass(frozen=True, slots=True)
class MemberChanges:
    """Asks one provider of the consumer's agreement."""

    agreement: Agreement
    ask: Callable[[FetchRequest], Awaitable[FetchAnswer]]
    deadline: float

    async def changes(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return a `Changes` of the member that `arguments` name, citizens under that member's pseudonyms.

        Raises:
            FieldDeniedError: the agreement does not open it at that member.
            BadInputError: the member refuses the cursor or the number.
            ChangesGoneError: it no longer keeps what follows the cursor.
            UnavailableError: the member does not answer.
        """
        member = str(arguments["member"])
        provider = next((each for each in self.agreement.providers if each.member == member), None)
        if provider is None or not provider.covers("Query", ROOT):
            raise FieldDeniedError(f"agreement `{self.agreement.id}` does not open `Query.{ROOT}` at this member")
        request = request_for(member, SDL, ROOT, arguments, self.deadline)
        return _read(member, (await self.ask(request)).body)


def _read(member: str, body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise NodeMisbehavedError(f"member `{member}` told of changes in no JSON object", member=member) from error
    found = (answer.get("data") or {}).get(ROOT)
    if isinstance(found, dict):
        return found
    codes = {error.get("extensions", {}).get("code") for error in answer.get("errors") or () if isinstance(error, dict)}
    if ChangesGoneError.code in codes:
        raise ChangesGoneError(
            f"member `{member}` keeps the changes after that place no longer: read the data anew, then ask after "
            f"`{OLDEST}`",
            member=member,
        )
    if BadInputError.code in codes:
        raise BadInputError("`after` is no cursor of these changes, or `first` is too large", member=member)
    if FieldDeniedError.code in codes:
        raise FieldDeniedError(f"member `{member}` tells this consumer of no changes", member=member)
    raise UnavailableError(f"member `{member}` could not tell of changes", member=member)
