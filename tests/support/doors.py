"""The two ways to ask a member of a simulated federation: through the gateway, or straight at its node."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from federation.contract.on_denied import OnDenied
    from tests.support.simulator import Simulator

DOORS: Final = ("through the gateway", "at the node")
MUNICIPALITY: Final = "c_m999"
LAURA: Final = {"by": {"taxCode": "BNCLRA84H57F257B"}}
NOBODY: Final = {"by": {"taxCode": "RSSMRA80A01H501U"}}
BENEFITS: Final = ("inprev", "benefit-assessment")
SCHOOL: Final = ("istsc_bv01", "school-enrolment")
HEALTH: Final = ("aslvs", "emergency-care")
COUNTING: Final = ("ustat", "statistics")


@dataclass(frozen=True, slots=True)
class Door:
    """One way to ask the municipality."""

    federation: Simulator
    direct: bool

    async def ask(
        self,
        who: tuple[str, str],
        query: str,
        variables: dict[str, Any] | None = None,
        on_denied: OnDenied | None = None,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Ask as a consumer for a purpose; `token` is presented instead of the one that the gateway would give."""
        question = (*who, query, variables or {}, on_denied, token)
        if self.direct:
            return await self.federation.ask_node(MUNICIPALITY, *question)
        return await self.federation.ask_gateway(*question)

    async def citizen(self, who: tuple[str, str], fields: str, by: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for fields of one citizen."""
        return await self.ask(who, f"query($by: CitizenKey!) {{ citizen(by: $by) {{ {fields} }} }}", by or LAURA)

    @asynccontextmanager
    async def amended(self, *changes: tuple[str, str], more: str = "") -> AsyncIterator[None]:
        """Let the municipality's policy of citizens have texts changed and prohibitions added, for a while."""
        path = self.federation.policy(MUNICIPALITY, "Citizen")
        before = text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text + more, encoding="utf-8")
        await self.federation.renew(MUNICIPALITY)
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")
            await self.federation.renew(MUNICIPALITY)


def codes(answer: dict[str, Any]) -> set[str]:
    """Return the codes of an answer's errors."""
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


def denied(answer: dict[str, Any]) -> set[str]:
    """Return the places that are denied, as texts without list positions."""
    return {
        ".".join(key for key in error["path"] if isinstance(key, str))
        for error in answer.get("errors", ())
        if error["extensions"]["code"] == "FIELD_DENIED"
    }
