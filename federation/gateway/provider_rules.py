"""Which rules decide for a consumer: the agreement's providers are asked, and silence is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from federation.contract import policy_view
from federation.contract.errors import BadInputError, UnavailableError
from federation.contract.members import Agreement
from federation.execution.ports import FetchAnswer, FetchRequest
from federation.gateway.whole_root import request_for


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """Asks every provider of the consumer's agreement, with the consumer's own signed request."""

    agreement: Agreement
    ask: Callable[[FetchRequest], Awaitable[FetchAnswer]]
    deadline: float

    async def my_fields(self, type_name: str | None) -> dict[str, Any]:
        """Return a `MyFields` of all providers.

        Raises:
            BadInputError: no provider has the type.
        """
        found, gaps = await self._asked(policy_view.MY_FIELDS, {"type": type_name})
        if not found and not gaps:
            raise BadInputError("`type` is no type of a provider of this agreement")
        return {"fields": [each for one in found for each in one["fields"]], "gaps": gaps}

    async def why_denied(self, coordinate: str) -> dict[str, Any]:
        """Return a `WhyDenied` of all providers that have the field.

        Raises:
            BadInputError: no provider has it.
        """
        found, gaps = await self._asked(policy_view.WHY_DENIED, {"coordinate": coordinate})
        if not found and not gaps:
            raise BadInputError("`coordinate` is no field of a provider of this agreement")
        return {"verdicts": [each for one in found for each in one["verdicts"]], "gaps": gaps}

    async def _asked(self, root: str, variables: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """Return what the providers told that know what is asked about, and those that did not answer."""
        members = [provider.member for provider in self.agreement.providers]
        told = await asyncio.gather(*(self._one(member, root, variables) for member in members))
        known = [one for one in told if one]
        return known, [member for member, one in zip(members, told, strict=True) if one is None]

    async def _one(self, member: str, root: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        """Return what a provider tells: nothing in it when it has no such name, None when it did not answer."""
        request = request_for(member, policy_view.SDL, root, variables, self.deadline)
        try:
            answer = msgspec.json.decode((await self.ask(request)).body, type=dict[str, Any])
        except (UnavailableError, msgspec.MsgspecError):
            return None
        found = (answer.get("data") or {}).get(root)
        if isinstance(found, dict):
            return found
        codes = {error.get("extensions", {}).get("code") for error in answer.get("errors") or ()}
        return {} if codes == {BadInputError.code} else None
