"""A provider that could not look is not one that knows nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from federation.contract.errors import BadInputError, UnavailableError
from federation.execution.ports import FetchAnswer
from federation.gateway.finding import AgreedFinder, Found, Wanted
from federation.gateway.pseudonyms import Translator
from tests.support.parties import Parties

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from federation.execution.ports import FetchRequest


class Nobody:
    """An exchange and a directory that are not needed."""

    async def convert(self, conversions: Sequence[Any]) -> Sequence[Any]:
        raise AssertionError(conversions)

    def require_own_file(self, subject: str | None) -> None:
        """Ask for none."""

    def members_holding(self, subjects: object) -> Mapping[str, frozenset[str]]:
        raise AssertionError(subjects)


async def find(answer: dict[str, Any]) -> Found | None:
    async def ask(_: FetchRequest) -> FetchAnswer:
        return FetchAnswer(msgspec.json.encode(answer))

    translator = Translator(Nobody(), Nobody(), frozenset())
    finder = AgreedFinder(Parties().agreement, translator, ask, asyncio.get_running_loop().time() + 1)
    return await finder.by_tax_code("FRRSFO14E54F257M", Wanted("citizen", ()))


def refusal(code: object) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": "no", "extensions": {"code": code}}]}


@pytest.mark.parametrize("answer", [{"data": {"citizen": None}}, refusal("FORBIDDEN"), refusal("PURPOSE_NOT_AGREED")])
async def test_who_knows_nobody_or_may_not_say_so_finds_nobody(answer: dict[str, Any]) -> None:
    assert await find(answer) is None


@pytest.mark.parametrize(
    "code",
    [
        "DATABASE_UNAVAILABLE",
        "LEDGER_UNAVAILABLE",
        "POLICY_UNAVAILABLE",
        "INTERNAL",
        "DIGEST_MISMATCH",
        "QUOTA_EXCEEDED",
        7,
    ],
)
async def test_a_provider_that_does_not_work_is_named(code: object) -> None:
    with pytest.raises(UnavailableError, match="was not found, and members did not answer") as silent:
        await find(refusal(code))
    assert silent.value.extensions == {"members": ["c_m999"]}


@pytest.mark.parametrize(
    "answer", [[], {"data": [1]}, {"errors": 3}, {"errors": [None]}, {"data": None, "errors": [{}]}]
)
async def test_a_provider_that_answers_nonsense_costs_itself_only(answer: Any) -> None:
    try:
        assert await find(answer) is None
    except UnavailableError as silent:
        assert silent.extensions == {"members": ["c_m999"]}  # noqa: PT017  # either outcome is right, a defect is not


async def test_a_text_that_is_no_tax_code_is_refused_without_repeating_it() -> None:
    with pytest.raises(BadInputError, match="`taxCode` is not a tax code") as refused:
        await find(refusal("BAD_USER_INPUT"))
    assert "FRRSFO14E54F257M" not in refused.value.message
